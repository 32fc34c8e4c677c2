// @ts-check
/** A form for those who do not write TraceQL: it writes the same query that stands in the box. */

import { h } from "../frame/dom.js";
import { conditions, narrowed, quoted, unquoted, widened } from "./query.js";

/** Field and operator of the query, and how the form's text becomes a value of it. */
const FIELDS = /** @type {const} */ ([
  ["service", "Service", "resource.service.name", "=", quoted, ""],
  ["operation", "Operation", "name", "=", quoted, ""],
  ["longer", "Longer than", "duration", ">=", String, "100ms"],
  ["shorter", "Shorter than", "duration", "<=", String, "5s"],
]);
const DURATION = "^\\d+(\\.\\d+)?(ns|us|µs|ms|s|m|h)$";

export class SearchForm {
  /** @param {(query: string) => void} changed */
  constructor(changed) {
    this.query = "";
    this.inputs = new Map(FIELDS.map(([name, title, field, operator, written, example]) => [name, h("input", {
      type: "text", name, placeholder: example, "aria-label": title, pattern: operator === "=" ? undefined : DURATION, title: operator === "=" ? title : "a number with its unit, like 100ms or 1.5s",
      onchange: (/** @type {any} */ event) => {
        const text = event.target.value.trim();
        if (!event.target.checkValidity()) return event.target.reportValidity();
        changed(text ? narrowed(this.query, { field, operator, value: written(text) }) : widened(this.query, { field, operator }));
      },
    })]));
    this.failed = h("input", { type: "checkbox", name: "failed", onchange: () => changed(this.failed.checked ? narrowed(this.query, { field: "status", operator: "=", value: "error" }) : widened(this.query, { field: "status", operator: "=" })) });
    this.element = h("div", { class: "search-form" }, FIELDS.map(([name, title]) => h("label", {}, title, " ", this.inputs.get(name))), h("label", {}, this.failed, " failed"));
  }

  /** @param {string} query */
  show(query) {
    this.query = query;
    const given = conditions(query);
    for (const [name, , field, operator] of FIELDS) {
      const input = this.inputs.get(name);
      const found = given?.find((one) => one.field === field && one.operator === operator);
      if (document.activeElement !== input) input.value = found ? unquoted(found.value) : "";
    }
    this.failed.checked = Boolean(given?.some((one) => one.field === "status" && one.value === "error" && one.operator === "="));
  }
}
