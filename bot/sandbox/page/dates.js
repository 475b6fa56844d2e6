// Dates and times as the user's browser writes them. Timestamps are seconds since 1970, as in Slack.

const SIX_MONTHS = 183 * 86_400;

const format = (ts, options) => new Date(ts * 1000).toLocaleString([], options);

/** Slack leaves the year out within six months. */
const dayFormat = (ts, options) =>
  format(ts, Math.abs(ts - Date.now() / 1000) < SIX_MONTHS ? options : { ...options, year: "numeric" });

const FORMATS = {
  date_num: (ts) => new Date(ts * 1000).toLocaleDateString("en-CA"),
  date: (ts) => dayFormat(ts, { month: "long", day: "numeric" }),
  date_short: (ts) => dayFormat(ts, { month: "short", day: "numeric" }),
  date_long: (ts) => dayFormat(ts, { weekday: "long", month: "long", day: "numeric" }),
  date_pretty: (ts) => nearDay(ts) ?? FORMATS.date(ts),
  date_short_pretty: (ts) => nearDay(ts) ?? FORMATS.date_short(ts),
  date_long_pretty: (ts) => nearDay(ts) ?? FORMATS.date_long(ts),
  time: (ts) => format(ts, { hour: "numeric", minute: "2-digit" }),
  time_secs: (ts) => format(ts, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
  ago: (ts) => ago(ts),
};

/** "yesterday", "today", "tomorrow", or null. */
function nearDay(ts) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const days = Math.round((new Date(ts * 1000).setHours(0, 0, 0, 0) - midnight) / 86_400_000);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] ?? null;
}

const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** "3 minutes ago", "in 2 days". */
export function ago(ts) {
  const seconds = ts - Date.now() / 1000;
  const units = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
  const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length) ?? [];
  if (!unit) return "just now";
  return new Intl.RelativeTimeFormat([], { numeric: "auto" }).format(Math.round(seconds / length), unit);
}

export const timeOfDay = FORMATS.time;
export const dayHeading = (ts) => capitalized(FORMATS.date_long_pretty(ts));
export const fullDate = (ts) => `${FORMATS.date_long(ts)}, ${FORMATS.time(ts)}`;

/** Fills in a format such as "{date_short_pretty} at {time}"; a word at its start gets a capital. */
export function formatDate(pattern, ts) {
  const text = pattern.replace(/\{(\w+)\}/g, (whole, name) => FORMATS[name]?.(ts) ?? whole);
  return pattern.startsWith("{") ? capitalized(text) : text;
}

/** "14:03" today, "Nov 22, 14:03" otherwise, for ISO text. */
export function shortTime(iso) {
  const ts = Date.parse(iso) / 1000;
  if (nearDay(ts) === "today") return FORMATS.time(ts);
  return format(ts, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
}
