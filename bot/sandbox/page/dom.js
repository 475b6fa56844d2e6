// Builds elements. Text is always inserted as text nodes, so nothing that a person or a roster wrote can become markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element: properties starting with "on" are listeners; null, undefined and false are left out. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProperty(node, name, value);
  append(node, children);
  return node;
}

function setProperty(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "data") Object.assign(node.dataset, value);
  else if (name === "value") node.value = value;
  else if (name === "checked") node.checked = value;
  else node.setAttribute(name, value === true ? "" : value);
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child);
  }
}

/** Replaces the children of a node and returns the node. */
export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
  return node;
}

/** An SVG drawing of one path in a box of 24 by 24. */
export function drawing(path, attributes) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

const ICONS = {
  back: "M15 5l-7 7 7 7",
  building: "M4 20V10l8-5 8 5v10M2.5 20h19M10 20v-5h4v5M8 12h.01M16 12h.01",
  check: "M5 12.5l4.5 4.5L19 7.5",
  close: "M6 6l12 12M18 6L6 18",
  down: "M6 9l6 6 6-6",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  hash: "M9.5 4l-2 16M16.5 4l-2 16M4.5 9.5h16M3.5 14.5h16",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  plus: "M12 5v14M5 12h14",
  send: "M4 12l16-8-6 16-3-6.5z",
};

/** A line drawing beside a word, or inside a button with its own label. */
export const icon = (name) => drawing(ICONS[name], { class: `icon icon-${name}`, "aria-hidden": "true" });

let counter = 0;

/** An id that no other element on the page has. */
export function freshId(prefix) {
  counter += 1;
  return `${prefix}-${counter}`;
}

/** A person's initials on a color that depends on the id. */
export function avatar(id, initials, size = "") {
  const hue = [...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 8, 0);
  return h("span", { class: `avatar hue-${hue} ${size}`, "aria-hidden": "true" }, initials);
}
