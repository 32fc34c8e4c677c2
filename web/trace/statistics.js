// @ts-check
/** What each operation of a trace took, as a table that sorts by any column. */

import { colour } from "../frame/colours.js";
import { fill, h } from "../frame/dom.js";
import { count, duration, percent } from "../frame/format.js";
import { byOperation } from "./model.js";

/** @typedef {ReturnType<typeof byOperation>[number]} Operation */

const COLUMNS = /** @type {[string, (one: Operation) => number, (one: Operation, all: number) => string][]} */ ([
  ["spans", (one) => one.spans, (one) => count(one.spans)],
  ["errors", (one) => one.errors, (one) => (one.errors ? count(one.errors) : "–")],
  ["own time", (one) => one.self, (one) => duration(one.self)],
  ["share", (one) => one.self, (one, all) => percent(all ? one.self / all : 0)],
  ["in all", (one) => one.total, (one) => duration(one.total)],
  ["mean", (one) => one.total / one.spans, (one) => duration(one.total / one.spans)],
  ["longest", (one) => one.longest, (one) => duration(one.longest)],
]);

/**
 * @param {import("./model.js").Trace} trace
 * @param {Map<string, number>} places
 * @param {(row: number) => void} select called with the longest span of an operation
 * @returns {HTMLElement}
 */
export function statistics(trace, places, select) {
  const operations = byOperation(trace);
  const all = operations.reduce((sum, one) => sum + one.self, 0);
  const body = h("tbody");
  let by = 2;
  const heads = COLUMNS.map(([title], at) => h("th", { scope: "col", class: "number" }, h("button", { onclick: () => sort(at) }, title)));
  const sort = (/** @type {number} */ column) => {
    by = column;
    heads.forEach((head, at) => head.setAttribute("aria-sort", at === by ? "descending" : "none"));
    const [, value] = COLUMNS[by];
    operations.sort((a, b) => value(b) - value(a));
    fill(body, operations.map((one) => line(trace, one, all, places, select)));
  };
  sort(by);
  return h("div", { class: "statistics" },
    h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "operation"), heads)), body));
}

/**
 * @param {import("./model.js").Trace} trace
 * @param {Operation} one
 * @param {number} all
 * @param {Map<string, number>} places
 * @param {(row: number) => void} select
 */
function line(trace, one, all, places, select) {
  const service = trace.services[one.service];
  return h("tr", {},
    h("th", { scope: "row" },
      h("span", { class: "stripe", style: { "--service": colour(places.get(service) ?? 0) } }),
      h("button", { class: "link", onclick: () => select(one.row) }, `${service || "(no service)"} `, h("b", {}, trace.names[one.name]))),
    COLUMNS.map(([, , text]) => h("td", { class: "number" }, text(one, all))));
}
