// @ts-check
/** The traces that were found, one a line. */

import { colour, places as placesOf } from "../frame/colours.js";
import { h } from "../frame/dom.js";
import { ago, count, duration, moment } from "../frame/format.js";
import { to } from "../frame/router.js";

/**
 * @param {any[]} traces of /api/ui/search
 * @param {number} nowMs
 * @param {(order: string) => void} sort
 * @param {string} order
 * @returns {HTMLElement}
 */
export function results(traces, nowMs, sort, order) {
  const longest = Math.max(1, ...traces.map((trace) => trace.duration_us));
  const places = placesOf(traces.flatMap((trace) => trace.services.map((/** @type {any} */ one) => one.name)));
  const head = (/** @type {string} */ title, /** @type {string} */ by) =>
    h("th", { scope: "col", "aria-sort": order === by ? "descending" : "none" }, h("button", { onclick: () => sort(by) }, title));
  return h("table", { class: "results" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "trace"), h("th", { scope: "col" }, "services"), head("duration", "slowest"),
      h("th", { scope: "col", class: "number" }, "spans"), h("th", { scope: "col", class: "number" }, "errors"), head("started", "newest"))),
    h("tbody", {}, traces.map((trace) => line(trace, longest, places, nowMs))));
}

/**
 * @param {any} trace
 * @param {number} longest
 * @param {Map<string, number>} places
 * @param {number} nowMs
 */
function line(trace, longest, places, nowMs) {
  const startMs = Number(BigInt(trace.start_unix_nano) / 1000000n);
  const services = [...trace.services].sort((a, b) => b.spans - a.spans);
  return h("tr", {},
    h("th", { scope: "row" }, h("a", { href: to(["trace", trace.id], { span: trace.spans_found[0]?.id }) }, h("span", { class: "quiet" }, `${trace.service || "(no root)"} `), trace.name || trace.id)),
    h("td", {}, h("span", { class: "strip", title: services.map((one) => `${one.name}: ${one.spans}`).join("\n") }, services.slice(0, 12).map((one) =>
      h("i", { style: { "--service": colour(places.get(one.name) ?? 0), "flex-grow": one.spans } })))),
    h("td", { class: "took" }, h("i", { style: { width: `${(100 * trace.duration_us) / longest}%` } }), h("span", {}, duration(trace.duration_us))),
    h("td", { class: "number" }, count(trace.spans)),
    h("td", { class: "number" }, trace.errors ? h("span", { class: "wrong" }, count(trace.errors)) : "–"),
    h("td", { title: moment(startMs) }, ago(startMs, nowMs)));
}
