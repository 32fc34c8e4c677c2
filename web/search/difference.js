// @ts-check
/** A box of the heatmap against the rest: attributes ranked by how differently they are distributed. */

import { h } from "../frame/dom.js";
import { percent } from "../frame/format.js";
import { quoted } from "./query.js";

const SHOWN_MAX = 12;

/**
 * @typedef {object} Difference
 * @property {string} field
 * @property {string} text
 * @property {string | number | boolean} told
 * @property {number} inside share of the spans in the box
 * @property {number} outside share of the others
 */

/**
 * What `compare()` counted, as values with their two shares, those that differ most first; one value a field.
 * @param {any} answer of /api/ui/metrics
 * @returns {Difference[]}
 */
export function ranked(answer) {
  /** @type {Map<string, {field: string, told: any, counts: Record<string, number>}>} */
  const values = new Map();
  /** @type {Map<string, Record<string, number>>} */
  const totals = new Map();
  for (const { labels, points } of answer.series) {
    const { __meta_type: type, ...others } = labels;
    const spans = points.reduce((/** @type {number} */ sum, /** @type {number | null} */ value) => sum + (value ?? 0), 0);
    for (const [field, told] of Object.entries(others)) {
      if (type.endsWith("_total")) {
        const one = totals.get(field) ?? {};
        one[type.replace("_total", "")] = spans;
        totals.set(field, one);
      } else if (told !== null) {
        const key = `${field}\u0000${told}`;
        const one = values.get(key) ?? { field, told, counts: {} };
        one.counts[type] = (one.counts[type] ?? 0) + spans;
        values.set(key, one);
      }
    }
  }
  const share = (/** @type {number | undefined} */ part, /** @type {number | undefined} */ all) => (all ? (part ?? 0) / all : 0);
  const best = new Map();
  for (const { field, told, counts } of values.values()) {
    const total = totals.get(field) ?? {};
    const one = { field, told, text: String(told), inside: share(counts.selection, total.selection), outside: share(counts.baseline, total.baseline) };
    const before = best.get(field);
    if (!before || apart(one) > apart(before)) best.set(field, one);
  }
  return [...best.values()].filter((one) => apart(one) > 0.01).sort((a, b) => apart(b) - apart(a));
}

/** @param {Difference} one */
function apart(one) {
  return Math.abs(one.inside - one.outside);
}

/**
 * @param {any} answer
 * @param {string} chosen
 * @param {(condition: import("./query.js").Condition) => void} narrow
 * @param {() => void} close
 */
export function difference(answer, chosen, narrow, close) {
  const found = ranked(answer).slice(0, SHOWN_MAX);
  return h("section", { class: "difference", "aria-label": "The box against the rest" },
    h("h2", {}, "In the box, against the rest ", h("span", { class: "mono quiet" }, chosen), h("button", { class: "close", "aria-label": "Close", onclick: close }, "×")),
    found.length
      ? h("table", {}, h("thead", {}, h("tr", {}, ["attribute", "value", "in the box", "the rest"].map((title) => h("th", { scope: "col" }, title)))), h("tbody", {}, found.map((one) =>
          h("tr", {}, h("th", { scope: "row", class: "mono" }, one.field), h("td", {}, h("button", { class: "link", onclick: () => narrow({ field: one.field, operator: "=", value: typeof one.told === "string" && !["status", "kind"].includes(one.field) ? quoted(one.told) : String(one.told) }) }, one.text)),
            share(one.inside, "inside"), share(one.outside, "outside")))))
      : h("p", { class: "quiet" }, "No attribute tells the spans in the box from the others."));
}

/**
 * @param {number} value
 * @param {string} side
 */
function share(value, side) {
  return h("td", { class: `share ${side}` }, h("i", { style: { width: `${value * 100}%` } }), h("span", {}, percent(value)));
}
