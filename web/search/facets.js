// @ts-check
/** At the left of a search: how many spans have which value, and a click narrows the search to it. */

import { fill, h } from "../frame/dom.js";
import { count } from "../frame/format.js";
import { conditions, quoted } from "./query.js";

export const FACETS = /** @type {const} */ ([
  ["resource.service.name", "Service"],
  ["status", "Status"],
  ["kind", "Kind"],
  ["name", "Operation"],
  ["span.http.response.status_code", "HTTP status"],
  ["span.http.route", "HTTP route"],
  ["span.db.system", "Database"],
]);
const VALUES_MAX = 8;

/**
 * A value as TraceQL writes it.
 * @param {string} field
 * @param {unknown} told
 */
function written(field, told) {
  return typeof told === "string" && field !== "status" && field !== "kind" ? quoted(told) : String(told);
}

export class Facets {
  /** @param {(condition: import("./query.js").Condition, on: boolean) => void} toggled */
  constructor(toggled) {
    this.toggled = toggled;
    this.lists = new Map(FACETS.map(([field, title]) => [field, h("section", { "aria-label": title, hidden: true })]));
    this.element = h("aside", { class: "facets", "aria-label": "Narrow the search" }, [...this.lists.values()]);
  }

  /**
   * @param {string} query
   * @param {{field: string, values: {value: unknown, spans: number}[], distinct: number}[]} found of /api/ui/facets
   */
  show(query, found) {
    const given = conditions(query) ?? [];
    for (const [field, title] of FACETS) {
      const list = this.lists.get(field);
      const { values, distinct } = found.find((one) => one.field === field) ?? { values: [], distinct: 0 };
      list.hidden = !values.length;
      fill(list, h("h3", {}, title), h("ul", {}, values.slice(0, VALUES_MAX).map(({ value: told, spans }) => {
        const [text, value] = [String(told), written(field, told)];
        const on = given.some((one) => one.field === field && one.operator === "=" && one.value === value);
        return h("li", {}, h("button", { class: "facet", "aria-pressed": String(on), title: text, onclick: () => this.toggled({ field, operator: "=", value }, !on) }, h("span", {}, text), h("span", { class: "quiet" }, count(spans))));
      })), distinct > VALUES_MAX && h("p", { class: "quiet" }, `and ${distinct - VALUES_MAX} more`));
    }
  }
}
