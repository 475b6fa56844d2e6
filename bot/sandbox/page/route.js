// The user, the conversation and the tab in the address, so that a reload returns to them:
// #as=<user>&c=<conversation>&tab=<home|messages>.

/** {as, channel, tab} from the address, null where it has none. */
export function read() {
  const params = new URLSearchParams(location.hash.slice(1));
  return { as: params.get("as"), channel: params.get("c"), tab: params.get("tab") };
}

/** Writes a route into the address; `step` adds it to the browser's history. */
export function write({ as, channel, tab }, { step = true } = {}) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries({ as, c: channel, tab })) if (value) params.set(name, value);
  const hash = `#${params}`;
  if (hash === location.hash) return;
  if (step) history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
}
