// @ts-check
/** Two traces beside each other: where the one takes longer, what only one has, what failed in one. */

import { ask } from "../frame/api.js";
import { colour, places as placesOf } from "../frame/colours.js";
import { fill, h } from "../frame/dom.js";
import { count, counted, duration, moment } from "../frame/format.js";
import { change, to } from "../frame/router.js";
import { results } from "../search/results.js";
import { quoted } from "../search/query.js";
import { stored } from "../trace/source.js";
import { longer, merged } from "./tree.js";

const LINES_MAX = 3000;
const OTHERS = 20; // traces of the same root that are offered to compare with
const DAY_MS = 86400e3;

/** @typedef {import("../trace/model.js").Trace} Trace */

/**
 * @param {import("../frame/router.js").Place} _place
 * @param {import("../main.js").Frame} frame
 * @returns {import("../frame/router.js").Page}
 */
export function comparePage(_place, frame) {
  /** @type {AbortController | null} */
  let asking = null;
  const show = (/** @type {URLSearchParams} */ query) => {
    asking?.abort();
    const { signal } = (asking = new AbortController());
    const [a, b] = [query.get("a") ?? "", query.get("b") ?? ""];
    const failed = (/** @type {unknown} */ error) => signal.aborted || frame.failed(error, () => show(query));
    if (!a || !b) return void chosen(frame.main, a, b, signal).catch(failed);
    fill(frame.main, h("p", { class: "loading", role: "status" }, "Loading both traces …"));
    Promise.all([stored(a, signal), stored(b, signal)]).then(([one, other]) => draw(frame.main, one.trace, other.trace, query), failed);
  };
  return { title: "Compare", show: (place) => show(place.query), end: () => asking?.abort(), keys: { x: { says: "swap the two", does: () => swap() } } };
}

function swap() {
  const query = new URLSearchParams(location.search);
  change({ a: query.get("b"), b: query.get("a") });
}

/**
 * Asks for the traces that are missing; offers those of the same root.
 * @param {HTMLElement} main
 * @param {string} a
 * @param {string} b
 * @param {AbortSignal} signal
 */
async function chosen(main, a, b, signal) {
  const field = (/** @type {string} */ name, /** @type {string} */ value) => h("input", { type: "text", class: "mono", name, value, required: true, "aria-label": `Trace ${name.toUpperCase()}`, placeholder: "trace id" });
  const form = h("form", { class: "two-traces", onsubmit: (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const given = new FormData(/** @type {HTMLFormElement} */ (event.target));
    change({ a: String(given.get("a")).trim(), b: String(given.get("b")).trim() });
  } }, h("label", {}, "A ", field("a", a)), h("label", {}, "B ", field("b", b)), h("button", { class: "first" }, "Compare"));
  const others = h("div", {});
  fill(main, h("div", { class: "compare-page" }, h("header", { class: "page-head" }, h("h1", {}, "Compare two traces")), form, others));
  if (!a && !b) return;
  const { trace } = await stored(a || b, signal);
  const [root = 0] = trace.roots;
  const q = `{ rootServiceName = ${quoted(trace.services[trace.service[root]])} && rootName = ${quoted(trace.nameOf(root))} }`;
  const middle = Math.round(trace.startMs);
  const found = await ask("/api/ui/search", { q, start: middle - DAY_MS, end: middle + DAY_MS, limit: OTHERS }, signal);
  const given = found.traces.filter((/** @type {any} */ one) => one.id !== trace.id);
  const list = results(given, Date.now(), () => {}, "");
  for (const link of list.querySelectorAll("tbody a")) {
    const id = /** @type {HTMLAnchorElement} */ (link).pathname.split("/").pop();
    link.setAttribute("href", to(["compare"], a ? { a: trace.id, b: id } : { a: id, b: trace.id }));
  }
  fill(others, h("h2", {}, given.length ? `Others that begin with ${trace.serviceOf(root)}: ${trace.nameOf(root)}` : "No other trace begins like this one."), given.length ? list : null);
}

/**
 * @param {HTMLElement} main
 * @param {Trace} a
 * @param {Trace} b
 * @param {URLSearchParams} query
 */
function draw(main, a, b, query) {
  const lines = merged(a, b);
  const onlyChanged = query.has("changed");
  const most = Math.max(1, ...lines.map((line) => Math.abs(longer(line))));
  const shown = lines.filter((line) => !onlyChanged || !line.a || !line.b || line.a.errors !== line.b.errors || Math.abs(longer(line)) > most * 0.01).slice(0, LINES_MAX);
  const places = placesOf([...a.services, ...b.services]);
  fill(main, h("div", { class: "compare-page" },
    h("header", { class: "page-head" }, h("h1", {}, "Compare"), head("A", a), head("B", b), h("span", {}, b.end >= a.end ? `B takes ${duration(b.end - a.end)} longer` : `B is ${duration(a.end - b.end)} shorter`),
      h("button", { onclick: swap }, "Swap"),
      h("label", {}, h("input", { type: "checkbox", name: "changed", checked: onlyChanged, onchange: (/** @type {any} */ event) => change({ changed: event.target.checked ? 1 : null }) }), " only what differs")),
    h("table", { class: "compared-lines" },
      h("thead", {}, h("tr", {}, ["operation", "own time in A", "own time in B", "difference", "spans", "errors"].map((title) => h("th", { scope: "col" }, title)))),
      h("tbody", {}, shown.map((line) => row(line, most, places, a, b)))),
    lines.length > LINES_MAX ? h("p", { class: "quiet" }, `and ${count(lines.length - LINES_MAX)} lines more`) : null));
}

/**
 * @param {string} name
 * @param {Trace} trace
 */
function head(name, trace) {
  return h("span", {}, h("b", {}, `${name} `), h("a", { class: "mono", href: to(["trace", trace.id]) }, trace.id.slice(0, 8)), ` ${duration(trace.end)}, ${counted(trace.size, "span")}, ${moment(trace.startMs)}`);
}

/**
 * @param {import("./tree.js").Line} line
 * @param {number} most
 * @param {Map<string, number>} places
 * @param {Trace} a
 * @param {Trace} b
 */
function row(line, most, places, a, b) {
  const by = longer(line);
  const own = (/** @type {import("./tree.js").Side | null} */ side, /** @type {Trace} */ trace) => h("td", { class: "number" }, side ? h("a", { href: to(["trace", trace.id], { span: trace.spanId(side.row) }) }, duration(side.self)) : h("span", { class: "quiet" }, "not there"));
  const errors = [line.a?.errors ?? 0, line.b?.errors ?? 0];
  return h("tr", { class: line.a && line.b ? "" : line.a ? "only-a" : "only-b" },
    h("th", { scope: "row", style: { "--depth": Math.min(line.depth, 30), "--service": colour(places.get(line.service === "(no service)" ? "" : line.service) ?? 0) } }, h("span", { class: "stripe" }), h("span", { class: "quiet" }, `${line.service} `), line.name),
    own(line.a, a), own(line.b, b),
    h("td", { class: "diverging" }, h("i", { class: by > 0 ? "longer" : "shorter", style: { width: `${(50 * Math.abs(by)) / most}%` } }), h("span", {}, by ? `${by > 0 ? "+" : "−"}${duration(Math.abs(by))}` : "")),
    h("td", { class: "number" }, line.a?.spans === line.b?.spans ? count(line.a?.spans ?? 0) : `${count(line.a?.spans ?? 0)} → ${count(line.b?.spans ?? 0)}`),
    h("td", { class: errors[0] || errors[1] ? "number wrong" : "number" }, errors[0] || errors[1] ? `${errors[0]} → ${errors[1]}` : "–"));
}
