// @ts-check
/** The box for TraceQL, which completes names of attributes and their values from what is stored. */

import { ask } from "../frame/api.js";
import { fill, h } from "../frame/dom.js";
import { atCursor, field, quoted } from "./query.js";

const SHOWN_MAX = 12;
const PAUSE_MS = 120;

/** @typedef {{text: string, says: string, puts: string}} Choice */

export class QueryBox {
  /**
   * @param {(query: string) => void} entered
   * @param {() => Record<string, string | number>} range parameters of the range that is shown
   */
  constructor(entered, range) {
    this.range = range;
    /** @type {Choice[]} */
    this.choices = [];
    this.chosen = -1;
    this.asked = 0;
    this.list = h("ul", { class: "choices", role: "listbox", id: "choices", "aria-label": "Completions", hidden: true });
    this.input = h("input", {
      type: "text", class: "query mono", name: "q", spellcheck: false, autocomplete: "off", placeholder: "{ resource.service.name = \"checkout\" && duration > 100ms }",
      role: "combobox", "aria-label": "TraceQL query", "aria-expanded": "false", "aria-controls": "choices", "aria-autocomplete": "list",
      oninput: () => this.#later(), onblur: () => this.#close(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event),
    });
    this.element = h("form", { class: "query-box", onsubmit: (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      this.#close();
      entered(this.input.value);
    } }, this.input, this.list, h("button", { class: "first" }, "Search"));
  }

  /** @param {string} query */
  show(query) {
    if (document.activeElement !== this.input || !this.input.value) this.input.value = query;
  }

  #later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#complete(), PAUSE_MS);
  }

  async #complete() {
    const asked = ++this.asked;
    const at = atCursor(this.input.value, this.input.selectionStart ?? this.input.value.length);
    /** @type {Choice[]} */
    let choices = [];
    try {
      choices = at.field ? await this.#values(at.field, at.so_far) : await this.#names(at.so_far);
    } catch (error) {
      // Completion is a convenience: the search itself says what is wrong.
      console.debug("no completions", error);
    }
    if (asked !== this.asked || document.activeElement !== this.input) return;
    this.choices = choices.slice(0, SHOWN_MAX);
    this.chosen = -1;
    this.#draw();
  }

  /** @param {string} soFar @returns {Promise<Choice[]>} */
  async #names(soFar) {
    if (!soFar) return [];
    const { tags } = await ask("/api/ui/tags", this.range());
    const wanted = soFar.toLowerCase().replace(/^\./, "");
    return tags
      .map((/** @type {any} */ tag) => ({ text: field(tag.scope, tag.name), says: tag.types.join(", "), puts: `${field(tag.scope, tag.name)} ` }))
      .filter((/** @type {Choice} */ choice) => choice.text.toLowerCase().includes(wanted))
      .sort((/** @type {Choice} */ a, /** @type {Choice} */ b) => Number(b.text.startsWith(soFar)) - Number(a.text.startsWith(soFar)) || a.text.length - b.text.length);
  }

  /**
   * @param {string} name
   * @param {string} soFar
   * @returns {Promise<Choice[]>}
   */
  async #values(name, soFar) {
    const { values } = await ask("/api/ui/values", { ...this.range(), tag: name });
    const wanted = soFar.toLowerCase();
    return values
      .filter((/** @type {any} */ one) => one.value.toLowerCase().includes(wanted))
      .map((/** @type {any} */ one) => ({ text: one.value, says: one.type, puts: `${one.type === "string" ? quoted(one.value) : one.value} ` }));
  }

  #draw() {
    fill(this.list, this.choices.map((choice, at) => h("li", {
      role: "option", id: `choice-${at}`, "aria-selected": String(at === this.chosen),
      onmousedown: (/** @type {MouseEvent} */ event) => {
        event.preventDefault();
        this.#take(choice);
      },
    }, h("span", { class: "mono" }, choice.text), h("span", { class: "quiet" }, choice.says))));
    this.list.hidden = !this.choices.length;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    if (this.chosen === -1) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `choice-${this.chosen}`);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.list.hidden) return;
    if (event.key === "Escape") this.#close();
    else if (event.key === "ArrowDown") this.chosen = (this.chosen + 1) % this.choices.length;
    else if (event.key === "ArrowUp") this.chosen = this.chosen <= 0 ? this.choices.length - 1 : this.chosen - 1;
    else if ((event.key === "Enter" || event.key === "Tab") && this.chosen !== -1) this.#take(this.choices[this.chosen]);
    else return;
    event.preventDefault();
    if (!this.list.hidden) this.#draw();
  }

  /** @param {Choice} choice */
  #take(choice) {
    const cursor = this.input.selectionStart ?? this.input.value.length;
    const at = atCursor(this.input.value, cursor);
    const after = this.input.value.slice(cursor).replace(/^"\s*/, "");
    const before = this.input.value.slice(0, at.from) + choice.puts;
    this.input.value = before + after;
    this.input.setSelectionRange(before.length, before.length);
    this.#close();
    this.input.focus();
    if (!at.field) this.#later();
  }

  #close() {
    this.asked++;
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}
