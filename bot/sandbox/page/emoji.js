// Emoji by their Slack names, and drawings for the ones that carry meaning here (status colors, warning, edit ...), which
// look alike on every machine, even without an emoji font. Other emoji are left to the machine.

import { drawing } from "./dom.js";

const EMOJI = {
  alarm_clock: "⏰", arrow_backward: "◀️", arrow_down: "⬇️", arrow_forward: "▶️", arrow_left: "⬅️", arrow_right: "➡️",
  arrow_up: "⬆️", arrows_counterclockwise: "🔄", ballot_box_with_check: "☑️", bar_chart: "📊", bell: "🔔", no_bell: "🔕",
  black_circle: "⚫", large_blue_circle: "🔵", blue_circle: "🔵", bookmark_tabs: "📑", books: "📚", broom: "🧹", bulb: "💡",
  bust_in_silhouette: "👤", busts_in_silhouette: "👥", calendar: "📅", spiral_calendar_pad: "🗓️", calling: "📲",
  chart_with_downwards_trend: "📉", chart_with_upwards_trend: "📈", clap: "👏", clipboard: "📋", clock3: "🕒", construction: "🚧",
  email: "✉️", envelope: "✉️", envelope_with_arrow: "📩", exclamation: "❗", eyes: "👀", family: "👪", file_folder: "📁",
  floppy_disk: "💾", green_heart: "💚", gear: "⚙️", globe_with_meridians: "🌐", grey_question: "❔", hand: "✋", heart: "❤️",
  heavy_check_mark: "✔️", heavy_minus_sign: "➖", heavy_plus_sign: "➕", hourglass: "⌛", hourglass_flowing_sand: "⏳",
  house: "🏠", inbox_tray: "📥", information_source: "ℹ️", iphone: "📱", key: "🔑", large_green_circle: "🟢", green_circle: "🟢",
  large_orange_circle: "🟠", orange_circle: "🟠", large_yellow_circle: "🟡", yellow_circle: "🟡", large_green_square: "🟩",
  large_red_square: "🟥", large_yellow_square: "🟨", leftwards_arrow_with_hook: "↩️", link: "🔗", lock: "🔒", unlock: "🔓", mag: "🔍",
  mag_right: "🔎", mailbox: "📫", mailbox_with_mail: "📬", memo: "📝", mobile_phone_off: "📴", moon: "🌙", mortar_board: "🎓", mute: "🔇", name_badge: "📛",
  new: "🆕", no_entry: "⛔", no_entry_sign: "🚫", no_mobile_phones: "📵", o: "⭕", octagonal_sign: "🛑", ok_hand: "👌",
  outbox_tray: "📤", page_facing_up: "📄", paperclip: "📎", pencil: "📝", pencil2: "✏️", phone: "☎️", telephone: "☎️",
  telephone_receiver: "📞", point_right: "👉", pushpin: "📌", question: "❓", raised_hand: "✋", recycle: "♻️", red_circle: "🔴",
  repeat: "🔁", rewind: "⏪", rotating_light: "🚨", satellite_antenna: "📡", school: "🏫", school_satchel: "🎒", scroll: "📜",
  shield: "🛡️", signal_strength: "📶", skull: "💀", smile: "😄", sparkles: "✨", speech_balloon: "💬", star: "⭐", student: "🧑‍🎓",
  tada: "🎉", teacher: "🧑‍🏫", thinking_face: "🤔", thumbsup: "👍", "+1": "👍", thumbsdown: "👎", "-1": "👎", triangular_flag_on_post: "🚩",
  tools: "🛠️", hammer_and_wrench: "🛠️", warning: "⚠️", wastebasket: "🗑️", wave: "👋", white_check_mark: "✅", white_circle: "⚪",
  white_medium_square: "◻️", wrench: "🔧", x: "❌", zap: "⚡", zzz: "💤",
};

/** The character for a name without colons, or null. */
export const emoji = (name) => EMOJI[name] ?? null;

/** Text with every known :name: replaced by its character. */
export const withEmoji = (text) => text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);

const dot = (color) => ({ color, fill: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z" });

const GLYPHS = {
  "🔴": { name: "red", ...dot("red") },
  "🟡": { name: "yellow", ...dot("yellow") },
  "🟠": { name: "orange", ...dot("orange") },
  "🟢": { name: "green", ...dot("green") },
  "🔵": { name: "blue", ...dot("blue") },
  "⚪": { name: "white", ...dot("grey") },
  "⚠": { name: "warning", color: "orange", line: "M12 4L2.8 20h18.4zM12 10v4.5M12 17.3h.01" },
  "✅": { name: "done", color: "green", line: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 12.3l2.8 2.8L16.2 9.4" },
  "✏": { name: "edited", line: "M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19zM13.5 7l3.5 3.5" },
  "🛑": { name: "stop", color: "red", line: "M8 3h8l5 5v8l-5 5H8l-5-5V8zM8 12h8" },
  "🚫": { name: "not allowed", color: "red", line: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM5.8 5.8l12.4 12.4" },
  "❌": { name: "no", color: "red", line: "M6 6l12 12M18 6L6 18" },
  "⚖": { name: "to be decided", line: "M12 4v16M7 20h10M5 7h14M5 7l-3 6.5h6zM19 7l-3 6.5h6z" },
  "✋": { name: "wait", color: "orange", line: "M7 13V7.5a1.5 1.5 0 0 1 3 0V12V5a1.5 1.5 0 0 1 3 0v7V6.5a1.5 1.5 0 0 1 3 0V13v-2.5a1.5 1.5 0 0 1 3 0V15a6 6 0 0 1-6 6c-3 0-4.5-1.5-5.8-3.5L4.5 14a1.5 1.5 0 0 1 2.5-1z" },
  "👪": { name: "family", line: "M8 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM17 12a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6zM2.5 20c0-4 2.5-6.5 5.5-6.5s5.5 2.5 5.5 6.5M16 15.2c3-.6 5.5 1.3 5.5 4.8" },
  "👥": { name: "people", line: "M8.5 11a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6zM2.5 20c0-3.8 2.6-6 6-6s6 2.2 6 6M15.5 4.8a3.3 3.3 0 0 1 0 6M17.5 14.3c2.5.6 4 2.7 4 5.7" },
  "☎": { name: "telephone", line: "M5 4h4l1.8 4.5L8.5 10a12 12 0 0 0 5.5 5.5l1.5-2.3L20 15v4a1.5 1.5 0 0 1-1.5 1.5C10.5 20 4 13.5 3.5 5.5A1.5 1.5 0 0 1 5 4z" },
  "🔍": { name: "search", line: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.3 15.3L20.5 20.5" },
  "🗑": { name: "remove", line: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5" },
  "🔔": { name: "bell", line: "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5h4" },
  "⏳": { name: "waiting", line: "M7 3.5h10M7 20.5h10M8 3.5c0 5 8 5.5 8 8.5s-8 3.5-8 8.5M16 3.5c0 5-8 5.5-8 8.5s8 3.5 8 8.5" },
  "⬅": { name: "back", line: "M20 12H4.5M11 5.5L4.5 12l6.5 6.5" },
  "◀": { name: "", fill: "M16 5v14L6 12z" },
  "▶": { name: "", fill: "M8 5v14l10-7z" },
  "ℹ": { name: "note", line: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5.5M12 7.7h.01" },
  "📥": { name: "download", line: "M12 4v11M7.5 10.5L12 15l4.5-4.5M4 17v3.5h16V17" },
  "✉": { name: "mail", line: "M3 5.5h18v13H3zM3 6.5l9 7 9-7" },
  "📄": { name: "file", line: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6" },
  "⏰": { name: "late", color: "orange", line: "M12 4.5a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.5l3 2M3 6l3-3M21 6l-3-3" },
  "🔄": { name: "synced", line: "M20 12a8 8 0 0 1-14.5 4.6M4 12a8 8 0 0 1 14.5-4.6M18.5 3v4.4H14M5.5 21v-4.4H10" },
  "🛠": { name: "fixed", line: "M4 20l9-9M12.5 11.5a4.5 4.5 0 0 1 6-6L16 8l.5 2.5L19 11l2-2a4.5 4.5 0 0 1-6 5" },
  "🔒": { name: "private", line: "M5 11h14v9.5H5zM8 11V7.5a4 4 0 0 1 8 0V11M12 14.5v2.5" },
  "📊": { name: "figures", line: "M4 20.5h16M7 20V12M12 20V5M17 20v-6" },
  "📱": { name: "mobile phone", line: "M7.5 3h9v18h-9zM11 18h2" },
  "↩": { name: "undo", line: "M9 5L4.5 9.5 9 14M4.5 9.5H14a5.5 5.5 0 0 1 0 11h-3" },
  "🙋": { name: "takes care", line: "M11 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM5 21c0-5 2.5-8.5 6-8.5 2 0 4 1 5 3M16 15.5L19.5 5" },
  "🎯": { name: "first", color: "red", line: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 12h.01" },
  "💡": { name: "suggestion", color: "orange", line: "M9.5 18h5M10.5 20.8h3M12 3.2a6 6 0 0 0-3.5 10.9c.7.6 1 1.6 1 3.2h5c0-1.6.3-2.6 1-3.2A6 6 0 0 0 12 3.2z" },
  "🎉": { name: "well done", line: "M4 20.5l4.2-11 6.8 6.8zM14 8c0-2.5 1-4 3-4.5M16.5 11c1.5-1 3-1 4.5-.5M11.5 3.5v2.5M18.5 15l2 1.5" },
  "👋": { name: "hello", line: "M6 21a7 7 0 0 0 13-3.5L17 9M8 15L5 8.5M10.5 12.5L8 5.5M13.5 11.5L12 4.5M16 11l-.5-5M3 16c.3 1.6 1 3 2 4" },
};
// Emoji that share a drawing.
const SAME = { "📞": "☎", "🔎": "🔍", "📤": "📥", "📬": "✉", "📨": "✉", "🔧": "🛠", "⌛": "⏳", "☑": "✅", "✔": "✅", "✍": "✏", "📝": "✏", "🕓": "⏳", "⏱": "⏳", "👤": "👥", "⛔": "🚫", "🚷": "🚫", "⚫": "⚪" };

const DRAWN = new RegExp(`(?:${[...Object.keys(GLYPHS), ...Object.keys(SAME)].join("|")})\\uFE0F?\\u00A0?`, "gu");

/** Text as an array of strings and drawings. */
export function withGlyphs(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(DRAWN)) {
    if (match.index > end) nodes.push(text.slice(end, match.index));
    nodes.push(glyphNode(match[0]));
    end = match.index + match[0].length;
  }
  if (end < text.length) nodes.push(text.slice(end));
  return nodes;
}

/** A drawing. Before a no-break space it is wrapped, because browsers keep only letters together there. */
function glyphNode(match) {
  const glyph = draw(match.replace(/[\uFE0F\u00A0]/g, ""));
  if (!match.endsWith("\u00A0")) return glyph;
  const span = document.createElement("span");
  span.className = "nowrap";
  span.append(glyph, "\u00A0");
  return span;
}

function draw(character) {
  const { name, color, line, fill } = GLYPHS[SAME[character] ?? character];
  const label = name ? { role: "img", "aria-label": name } : { "aria-hidden": "true" };
  return drawing(fill ?? line, { class: `glyph ${fill ? "filled" : ""} ${color ?? ""}`, ...label });
}
