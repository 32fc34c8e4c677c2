// @ts-check
/** All that one span says: beside the waterfall, while a span is selected. */

import { fill, h } from "../frame/dom.js";
import { duration, moment } from "../frame/format.js";
import { to } from "../frame/router.js";
import { KINDS } from "./model.js";

/** @typedef {import("./source.js").Source} Source */
/** @typedef {import("./source.js").Detail} Detail */

/**
 * An attribute's value as text. OTLP's JSON wraps each value by its type.
 * @param {any} value
 * @returns {string}
 */
export function valueText(value) {
  if (!value) return "";
  const [[type, inner] = ["", ""]] = Object.entries(value);
  if (type === "arrayValue") return `[${(inner.values ?? []).map(valueText).join(", ")}]`;
  if (type === "kvlistValue") return `{${(inner.values ?? []).map((/** @type {any} */ pair) => `${pair.key}: ${valueText(pair.value)}`).join(", ")}}`;
  return String(inner);
}

export class Panel {
  /**
   * @param {Source} source
   * @param {{close: () => void, select: (row: number) => void}} acts
   */
  constructor(source, acts) {
    this.source = source;
    this.acts = acts;
    this.row = -1;
    this.element = h("aside", { class: "panel", "aria-label": "The selected span", hidden: true, tabIndex: -1 });
  }

  /** @param {number} row -1 for none */
  show(row) {
    if (row === this.row) return;
    this.row = row;
    this.element.hidden = row === -1;
    if (row === -1) return;
    fill(this.element, this.#head(row), h("p", { class: "quiet" }, "Loading what the span says …"));
    this.source.detail(row).then(
      (detail) => this.row === row && fill(this.element, this.#head(row), ...this.#body(row, detail)),
      (error) => this.row === row && fill(this.element, this.#head(row), h("p", { class: "wrong", role: "alert" }, error.message)),
    );
  }

  /** @param {number} row */
  #head(row) {
    const { trace } = this.source;
    const parent = trace.parent[row];
    const facts = [
      ["duration", duration(trace.duration[row])],
      ["of it its own", duration(trace.self[row])],
      ["starts", `${duration(trace.start[row])} after the trace · ${moment(trace.startMs + trace.start[row] / 1000)}`],
      ["kind", KINDS[trace.kind[row]] || "not said"],
      ["span", trace.spanId(row)],
      ["parent", parent >= 0 ? h("button", { class: "link", onclick: () => this.acts.select(parent) }, trace.nameOf(parent)) : parent === -2 ? "not in the trace" : "none"],
    ];
    return [
      h("header", {},
        h("h2", {}, trace.nameOf(row)),
        h("p", {}, trace.serviceOf(row)),
        h("button", { class: "close", "aria-label": "Close", onclick: this.acts.close }, "×")),
      h("dl", { class: "facts" }, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]).flat()),
    ];
  }

  /**
   * @param {number} row
   * @param {Detail} detail
   */
  #body(row, { span, resource, scope }) {
    const status = span.status ?? {};
    return [
      status.message && h("p", { class: "wrong" }, status.message),
      section("Attributes", span.attributes),
      events(span.events ?? [], this.source.trace, row),
      links(span.links ?? []),
      section("Resource", resource?.attributes),
      section("Scope", [...named("name", scope?.name), ...named("version", scope?.version), ...(scope?.attributes ?? [])]),
      h("details", {}, h("summary", {}, "As OTLP"), h("pre", {}, JSON.stringify({ resource, scope, span }, null, 1))),
    ];
  }
}

/**
 * @param {string} key
 * @param {string | undefined} text
 */
function named(key, text) {
  return text ? [{ key, value: { stringValue: text } }] : [];
}

/**
 * @param {string} title
 * @param {any[] | undefined} attributes
 */
function section(title, attributes) {
  if (!attributes?.length) return null;
  return h("section", {}, h("h3", {}, title), table(attributes));
}

/** @param {any[]} attributes */
function table(attributes) {
  return h("table", { class: "attributes" }, h("tbody", {}, attributes.map(({ key, value }) =>
    h("tr", {}, h("th", { scope: "row" }, key), h("td", {}, h("span", {}, valueText(value)), copying(valueText(value)))))));
}

/** @param {string} text */
function copying(text) {
  return h("button", { class: "copy", "aria-label": "Copy the value", onclick: () => navigator.clipboard?.writeText(text) }, "⧉");
}

/**
 * @param {any[]} given
 * @param {import("./model.js").Trace} trace
 * @param {number} row
 */
function events(given, trace, row) {
  if (!given.length) return null;
  const at = (/** @type {any} */ event) => Number(BigInt(event.timeUnixNano ?? 0) / 1000n) - (trace.startMs * 1000 + trace.start[row]);
  return h("section", {}, h("h3", {}, "Events"), given.map((event) =>
    h("details", { class: "event", open: given.length < 4 },
      h("summary", {}, h("span", { class: "mono" }, `+${duration(Math.max(0, at(event)))}`), " ", event.name || "(no name)"),
      event.attributes?.length ? table(event.attributes) : null)));
}

/** @param {any[]} given */
function links(given) {
  if (!given.length) return null;
  return h("section", {}, h("h3", {}, "Links"), h("ul", { class: "links" }, given.map((link) =>
    h("li", {}, h("a", { class: "mono", href: to(["trace", link.traceId], { span: link.spanId }) }, `${link.traceId} / ${link.spanId}`),
      link.attributes?.length ? table(link.attributes) : null))));
}
