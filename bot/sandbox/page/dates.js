// Moments as the person at this screen reads them. All moments here are seconds since 1970, as in Slack.

const say = (seconds, options) => new Date(seconds * 1000).toLocaleString([], options);

const YEAR = { year: "numeric" };
const PARTS = {
  date_num: (ts) => new Date(ts * 1000).toLocaleDateString("en-CA"),
  date: (ts) => say(ts, { month: "long", day: "numeric", ...YEAR }),
  date_short: (ts) => say(ts, { month: "short", day: "numeric", ...YEAR }),
  date_long: (ts) => say(ts, { weekday: "long", month: "long", day: "numeric", ...YEAR }),
  date_pretty: (ts) => day(ts) ?? PARTS.date(ts),
  date_short_pretty: (ts) => day(ts) ?? PARTS.date_short(ts),
  date_long_pretty: (ts) => day(ts) ?? PARTS.date_long(ts),
  time: (ts) => say(ts, { hour: "numeric", minute: "2-digit" }),
  time_secs: (ts) => say(ts, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
  ago: (ts) => ago(ts),
};

function day(ts) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const days = Math.round((new Date(ts * 1000).setHours(0, 0, 0, 0) - midnight) / 86_400_000);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] ?? null;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** "3 minutes ago", "in 2 days". */
export function ago(ts) {
  const seconds = ts - Date.now() / 1000;
  const steps = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
  const [unit, size] = steps.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  if (unit === "second") return "just now";
  return new Intl.RelativeTimeFormat([], { numeric: "auto" }).format(Math.round(seconds / size), unit);
}

export const timeOfDay = PARTS.time;
export const dayHeading = (ts) => capital(PARTS.date_long_pretty(ts));
export const fullMoment = (ts) => `${PARTS.date_long(ts)}, ${PARTS.time(ts)}`;

/** A date token such as "{date_short_pretty} at {time}" filled in; words at its start get a capital. */
export function filled(format, ts) {
  const text = format.replace(/\{(\w+)\}/g, (whole, part) => PARTS[part]?.(ts) ?? whole);
  return format.startsWith("{") ? capital(text) : text;
}

/** "14:03" today, "Nov 22, 14:03" before; takes ISO text or seconds. */
export function shortMoment(moment) {
  const ts = typeof moment === "number" ? moment : Date.parse(moment) / 1000;
  return day(ts) === "today" ? PARTS.time(ts) : say(ts, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
}
