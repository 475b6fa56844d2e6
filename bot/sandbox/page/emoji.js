// Emoji by the names that messages use; a name that is not here stays readable as :name:.

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

/** The character for a name without its colons, or null. */
export function emoji(name) {
  return EMOJI[name] ?? null;
}

/** Text with every known :name: turned into its character. */
export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);
}
