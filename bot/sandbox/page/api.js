// The two JSON APIs of the sandbox: the local Slack, and the panel of the district.
// A refusal is returned as `{error, text?}`; only a server that does not respond throws.

const SLACK = "/sandbox/slack";
const DISTRICT = "/sandbox/district";

async function request(url, options = {}) {
  const response = await fetch(url, { cache: "no-store", ...options });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  try {
    const body = JSON.parse(text);
    return { ...body, error: body.error ?? `http_${response.status}` };
  } catch {
    throw new Error(`The sandbox responded with ${response.status}.`);
  }
}

const get = (path, query = {}, options = {}) => request(`${path}?${new URLSearchParams(query)}`, options);

const post = (path, body = {}) =>
  request(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

export const slack = {
  people: () => get(`${SLACK}/people`),
  commands: () => get(`${SLACK}/commands`),
  shortcuts: () => get(`${SLACK}/shortcuts`),
  screen: (as) => get(`${SLACK}/screen`, { as }),
  messages: (as, channel) => get(`${SLACK}/messages`, { as, channel }),
  wait: (as, since, signal) => get(`${SLACK}/wait`, { as, since }, { signal }),
  type: (as, channel, text) => post(`${SLACK}/type`, { as, channel, text }),
  press: (as, fields) => post(`${SLACK}/press`, { as, ...fields }),
  suggest: (as, fields) => post(`${SLACK}/suggest`, { as, ...fields }),
  submit: (as, view, values) => post(`${SLACK}/submit`, { as, view, values }),
  close: (as, view, all) => post(`${SLACK}/close`, { as, view, all }),
  open: (as, target) => post(`${SLACK}/open`, { as, ...target }),
  dismiss: (as, ts) => post(`${SLACK}/dismiss`, { as, ts }),
  enter: (as, fields) => post(`${SLACK}/enter`, { as, ...fields }),
  invite: (as, channel) => post(`${SLACK}/invite`, { as, channel }),
  upload: (as, file) => request(`${SLACK}/files?${new URLSearchParams({ as, name: file.name })}`, { method: "POST", body: file }),
  shortcut: (as, fields) => post(`${SLACK}/shortcut`, { as, ...fields }),
};

export const district = {
  today: () => get(DISTRICT),
  send: (title) => post(`${DISTRICT}/send`, { title }),
  sync: () => post(`${DISTRICT}/sync`),
  hold: () => post(`${DISTRICT}/hold`),
  restore: () => post(`${DISTRICT}/restore`),
  report: `${DISTRICT}/report.csv`,
  findContacts: (q) => get(`${DISTRICT}/sis`, { q }),
  changePhone: (sourced_id, phone) => post(`${DISTRICT}/sis`, { sourced_id, phone }),
  text: (phone, text) => post(`${DISTRICT}/text`, { phone, text }),
  outbox: () => get(`${DISTRICT}/outbox`),
};

const ERROR_TEXTS = {
  operation_timeout: "The app did not respond within three seconds.",
  dispatch_failed: "The app could not be reached.",
  http_500: "The sandbox had an internal error. The terminal shows the details.",
};

/** The sentence to show for a refusal. */
export const errorText = ({ error, text }) => text || ERROR_TEXTS[error] || `That did not work (${error}).`;
