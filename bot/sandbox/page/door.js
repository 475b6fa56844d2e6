// The two JSON doors of the sandbox: the little Slack, and the district around it.
// A refusal comes back as `{error}`; only a server that does not answer throws.

const SLACK = "/sandbox/slack";
const DISTRICT = "/sandbox/district";

async function ask(url, options = {}) {
  const answer = await fetch(url, { cache: "no-store", ...options });
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  return refusal(answer.status, text);
}

function refusal(status, text) {
  try {
    const body = JSON.parse(text);
    return { ...body, error: body.error ?? `http_${status}` };
  } catch {
    throw new Error(`The sandbox answered ${status}.`);
  }
}

const get = (path, query = {}, options = {}) => ask(`${path}?${new URLSearchParams(query)}`, options);

const post = (path, body = {}) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

export const slack = {
  people: () => get(`${SLACK}/people`),
  commands: () => get(`${SLACK}/commands`),
  shortcuts: () => get(`${SLACK}/shortcuts`),
  screen: (as) => get(`${SLACK}/screen`, { as }),
  messages: (as, channel) => get(`${SLACK}/messages`, { as, channel }),
  wait: (as, since, signal) => get(`${SLACK}/wait`, { as, since }, { signal }),
  type: (as, channel, text) => post(`${SLACK}/type`, { as, channel, text }),
  press: (as, pressed) => post(`${SLACK}/press`, { as, ...pressed }),
  suggest: (as, asked) => post(`${SLACK}/suggest`, { as, ...asked }),
  submit: (as, view, values) => post(`${SLACK}/submit`, { as, view, values }),
  close: (as, view, all) => post(`${SLACK}/close`, { as, view, all }),
  open: (as, where) => post(`${SLACK}/open`, { as, ...where }),
  dismiss: (as, channel, ts) => post(`${SLACK}/dismiss`, { as, channel, ts }),
  enter: (as, typed) => post(`${SLACK}/enter`, { as, ...typed }),
  invite: (as, channel) => post(`${SLACK}/invite`, { as, channel }),
  shortcut: (as, chosen) => post(`${SLACK}/shortcut`, { as, ...chosen }),
};

export const district = {
  today: () => get(DISTRICT),
  send: (title) => post(`${DISTRICT}/send`, { title }),
  sync: () => post(`${DISTRICT}/sync`),
  sis: (q) => get(`${DISTRICT}/sis`, { q }),
  change: (sourced_id, phone) => post(`${DISTRICT}/sis`, { sourced_id, phone }),
  outbox: () => get(`${DISTRICT}/outbox`),
};

const WORDS = {
  operation_timeout: "The app did not answer within three seconds.",
  dispatch_failed: "The app could not be reached.",
  http_500: "Something failed inside the sandbox; its terminal says what.",
};

/** What to tell a person about a refusal. */
export function refusalText(answer) {
  return answer.text || WORDS[answer.error] || `That did not work (${answer.error}).`;
}
