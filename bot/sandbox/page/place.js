// Where the person at the screen is, kept in the address so that a reload comes back to it:
// #as=<who>&c=<conversation>&tab=<home|messages>.

/** {as, channel, tab} from the address; what it does not say is null. */
export function read() {
  const said = new URLSearchParams(location.hash.slice(1));
  return { as: said.get("as"), channel: said.get("c"), tab: said.get("tab") };
}

/** Writes a place into the address; `step` makes it one the back button returns to. */
export function write({ as, channel, tab }, { step = true } = {}) {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries({ as, c: channel, tab })) if (value) said.set(name, value);
  const hash = `#${said}`;
  if (hash === location.hash) return;
  if (step) history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
}
