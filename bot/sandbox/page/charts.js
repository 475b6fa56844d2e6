// Charts and sortable tables. The lines and bars are an SVG that is stretched over the plot; all words are HTML beside it, so that
// they keep their size on a phone.

import { drawing, fill, freshId, h, icon } from "./dom.js";
import { richText } from "./text.js";

const HEIGHT = 100; // Of the plot, in units of its drawing; it is as wide as 100 units for each category.
const BAR_SHARE = 0.7; // Of the width of a category.
const MAX_LABELS = 6;

/** A data_visualization block. */
export function chart(block) {
  const { title, chart: { type } } = block;
  const caption = freshId("chart");
  return h("figure", { class: `block chart ${type}`, "aria-labelledby": caption },
    h("figcaption", { id: caption }, h("strong", {}, title)), type === "pie" ? shares(block.chart) : plot(block.chart));
}

function plot({ type, series, axis_config: axes }) {
  const values = series.flatMap(({ data }) => data.map(({ value }) => value));
  const ticks = niceTicks(values, { fromZero: type !== "line" });
  const [low, high] = [ticks[0], ticks.at(-1)];
  const below = (value) => ((high - value) / (high - low)) * HEIGHT;
  const lines = series.map(({ data }) => axes.categories.map((label) => data.find((point) => point.label === label).value));
  const draw = type === "bar" ? bars : line;
  const gaps = ticks.map((tick) => h("span", { class: "gridline", style: `top: ${below(tick)}%` }, h("span", {}, number(tick))));
  const drawings = lines.map((values, index) =>
    draw(values, { below, zero: below(Math.max(low, 0)), index, count: lines.length, isFilled: type === "area" }));
  const words = series.map(({ name, data }) => `${name}: ${data.map(({ label, value }) => `${label} ${number(value)}`).join(", ")}`);
  return [
    axes.y_label && h("small", {}, axes.y_label),
    h("div", { class: "plot", role: "img", "aria-label": words.join(". ") }, gaps, drawings, type !== "bar" && lines.map((values, index) => last(values, below, index))),
    h("div", { class: "categories", "aria-hidden": "true" }, spread(axes.categories).map((label, index) =>
      h("span", { style: `left: ${center(index, axes.categories.length)}%` }, label))),
    axes.x_label && h("small", { class: "x-label" }, axes.x_label),
    series.length > 1 && h("ul", { class: "legend" }, series.map(({ name }, index) => h("li", { class: `line-${index}` }, name))),
  ];
}

const center = (index, count) => ((index + 0.5) / count) * 100;
const number = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 1 });

function svg(path, width, name) {
  return drawing(path, { viewBox: `0 0 ${width} ${HEIGHT}`, preserveAspectRatio: "none", class: name, "aria-hidden": "true" });
}

function line(values, { below, zero, index, isFilled }) {
  const points = values.map((value, place) => `${place * 100 + 50} ${below(value)}`);
  const [first, end] = [50, values.length * 100 - 50];
  const area = isFilled && svg(`M${first} ${zero}L${points.join("L")}L${end} ${zero}z`, values.length * 100, `area line-${index}`);
  const dots = points.map((point) => `M${point}h0.01`).join("");
  return [area, svg(`M${points.join("L")}`, values.length * 100, `line line-${index}`), svg(dots, values.length * 100, `dots line-${index}`)];
}

function bars(values, { below, zero, index, count }) {
  const width = (100 * BAR_SHARE) / count;
  const left = (place) => place * 100 + (100 - 100 * BAR_SHARE) / 2 + index * width;
  const path = values.map((value, place) => `M${left(place)} ${zero}V${below(value)}h${width * 0.94}V${zero}z`).join("");
  return svg(path, values.length * 100, `bars line-${index}`);
}

/** The last value, which a reader looks for first, beside its point. */
function last(values, below, index) {
  const place = `top: ${below(values.at(-1))}%; right: ${100 - center(values.length - 1, values.length)}%`;
  return h("span", { class: `last line-${index}`, style: place }, number(values.at(-1)));
}

/** Labels that do not run into each other: some of them, the last one always. */
function spread(labels) {
  const step = Math.ceil(labels.length / MAX_LABELS);
  return labels.map((label, index) => ((labels.length - 1 - index) % step === 0 ? label : ""));
}

/** Three to six round numbers around the values. */
function niceTicks(values, { fromZero }) {
  const low = Math.min(...values, ...(fromZero ? [0] : [])), high = Math.max(...values, ...(fromZero ? [0] : []));
  const rough = (high - low || Math.abs(high) || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.floor(low / step), end = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: end - first + 1 }, (_, index) => (first + index) * step);
}

function shares({ segments }) {
  const total = segments.reduce((sum, { value }) => sum + value, 0);
  return h("ul", { class: "legend" }, segments.map(({ label, value }, index) =>
    h("li", { class: `line-${index}` }, `${label}: ${number(value)} (${number((100 * value) / total)}%)`)));
}

/** A data_table block: sorted by a press on the title of a column, one page at a time. */
export function dataTable(block, surface) {
  const [head, ...rows] = block.rows;
  const size = block.page_size ?? 5;
  const node = h("div", { class: "block data-table" });
  const isNumber = head.map((_, column) => rows.some((row) => row[column].type === "raw_number"));
  let order = null, page = 0;
  const sorted = () => (order ? [...rows].sort((one, other) => order.sign * compare(one[order.column], other[order.column])) : rows);
  const sortBy = (column) => {
    order = { column, sign: order?.column === column ? -order.sign : 1 };
    page = 0;
    draw();
    node.querySelectorAll("th button")[column].focus();
  };
  const turn = (step) => {
    page += step;
    draw();
    node.querySelector(".pages button:enabled").focus();
  };
  const align = (column) => (isNumber[column] ? "align-right" : "align-left");
  const cell = (content) => (content.type === "rich_text" ? richText(content, surface.names) : textOf(content));
  const title = (content, column) => {
    const sort = order?.column === column ? (order.sign > 0 ? "ascending" : "descending") : null;
    return h("th", { scope: "col", class: align(column), "aria-sort": sort },
      h("button", { type: "button", onclick: () => sortBy(column) }, textOf(content), sort && icon("down")));
  };
  const pages = (count) => h("div", { class: "pages" },
    h("button", { type: "button", class: "button small", disabled: page === 0, onclick: () => turn(-1) }, "Back"),
    h("span", { role: "status" }, `${page * size + 1}–${Math.min(rows.length, (page + 1) * size)} of ${rows.length}`),
    h("button", { type: "button", class: "button small", disabled: page === count - 1, onclick: () => turn(1) }, "Next"));
  const draw = () => {
    const count = Math.ceil(rows.length / size);
    const scroller = { class: "block table", tabindex: 0, role: "region", "aria-label": block.caption };
    return fill(node, h("strong", {}, block.caption), h("div", scroller, h("table", {}, h("thead", {}, h("tr", {}, head.map(title))),
      h("tbody", {}, sorted().slice(page * size, (page + 1) * size).map((row) =>
        h("tr", {}, row.map((content, column) =>
          h(column === (block.row_header_column_index ?? 0) ? "th" : "td", { scope: column ? null : "row", class: align(column) }, cell(content)))))))),
    count > 1 && pages(count));
  };
  return draw();
}

const textOf = (content) => String(content.text ?? content.value ?? "");

function compare(one, other) {
  return one.type === "raw_number" && other.type === "raw_number"
    ? one.value - other.value
    : textOf(one).localeCompare(textOf(other), "en", { numeric: true });
}
