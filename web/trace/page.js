// @ts-check
/** One trace: first the answers, then the waterfall, and whatever else one asks of it. */

import { colour, places as placesOf } from "../frame/colours.js";
import { fill, h } from "../frame/dom.js";
import { counted, duration, moment, percent, ticks } from "../frame/format.js";
import { change, to } from "../frame/router.js";
import { downloads } from "./download.js";
import { flame } from "./flame.js";
import { Minimap } from "./minimap.js";
import { byService, criticalPath, idleGaps, skewed } from "./model.js";
import { Panel } from "./panel.js";
import { matching, rowsOf } from "./rows.js";
import { Scale } from "./scale.js";
import { dropped, stored } from "./source.js";
import { statistics } from "./statistics.js";
import { Waterfall } from "./waterfall.js";

/** @typedef {import("../frame/router.js").Place} Place */
/** @typedef {import("./source.js").Source} Source */

const TICKS = 6;
const FOLDS_IN_ADDRESS = 40; // more would make the address too long to send to anybody
const VIEWS = /** @type {const} */ ([["", "Waterfall"], ["flame", "Flame graph"], ["operations", "Operations"]]);

/**
 * @param {Place} place
 * @param {import("../main.js").Frame} frame
 * @returns {import("../frame/router.js").Page}
 */
export function tracePage(place, frame) {
  const id = place.parts[1] ?? "";
  const ended = new AbortController();
  /** @type {Shown | null} */
  let shown = null;
  let latest = place;
  /** @type {import("../frame/router.js").Page} */
  const page = {
    title: `Trace ${id.slice(0, 8)}`,
    show: (now) => {
      latest = now;
      shown?.show(now.query);
    },
    end: () => {
      ended.abort();
      shown?.end();
    },
    keys: {},
  };
  const load = () => {
    fill(frame.main, h("p", { class: "loading", role: "status" }, "Loading the trace …"));
    const coming = id === "file" ? dropped() : stored(id, ended.signal);
    coming.then((source) => {
      shown = new Shown(source, frame.main);
      page.keys = shown.keys;
      page.title = shown.title;
      document.title = `${shown.title} – Spandrel`;
      shown.show(latest.query);
    }).catch((error) => ended.signal.aborted || frame.failed(error, load));
  };
  load();
  return page;
}

class Shown {
  /**
   * @param {Source} source
   * @param {HTMLElement} main
   */
  constructor(source, main) {
    this.source = source;
    this.trace = source.trace;
    this.places = placesOf(this.trace.services);
    this.folded = new Set();
    this.opened = new Set();
    this.selected = -1;
    this.query = new URLSearchParams();
    this.gaps = idleGaps(this.trace);
    /** @type {Map<number, import("./model.js").Segment[]> | null} */
    this.path = null;
    this.waterfall = new Waterfall(this.trace, this.places, { select: (row) => this.#choose(row), fold: (row) => this.#fold(row) });
    this.minimap = new Minimap(this.trace, this.places, (from, until) => this.#zoom(from, until));
    this.panel = new Panel(source, { close: () => change({ span: null }), select: (row) => this.#choose(row) });
    this.find = h("input", { type: "search", placeholder: "Find service, operation or span id", "aria-label": "Find spans", oninput: () => change({ find: this.find.value }, { replace: true }) });
    this.said = h("span", { class: "quiet", role: "status" });
    this.axis = h("div", { class: "axis", "aria-hidden": "true" });
    this.stage = h("div", { class: "stage" });
    this.tabs = VIEWS.map(([view, title]) => h("button", { role: "tab", onclick: () => change({ view }) , data: { view } }, title));
    this.keys = this.#keys();
    fill(main, h("div", { class: "trace-page" }, this.#head(), this.#bar(), this.stage));
  }

  get title() {
    const [root = 0] = this.trace.roots;
    return this.trace.size ? `${this.trace.serviceOf(root)}: ${this.trace.nameOf(root)}` : "Empty trace";
  }

  end() {
    this.waterfall.end();
    this.minimap.end();
    this.ending?.();
  }

  /** @param {URLSearchParams} query */
  show(query) {
    this.query = query;
    const { trace } = this;
    this.folded = new Set((query.get("folded") ?? "").split(",").map((id) => trace.rowOf(id)).filter((row) => row !== -1));
    this.opened = new Set((query.get("opened") ?? "").split(",").map((id) => trace.rowOf(id)).filter((row) => row !== -1));
    this.selected = trace.rowOf(query.get("span"));
    if (document.activeElement !== this.find) this.find.value = query.get("find") ?? "";
    const view = query.get("view") ?? "";
    for (const tab of this.tabs) tab.setAttribute("aria-selected", String(tab.dataset.view === view));
    this.#stage(view);
    if (!view) this.#draw();
    this.panel.show(this.selected);
  }

  /** What the answers are: how long, how much, who took the time, what failed, what is odd. */
  #head() {
    const { trace, places } = this;
    const errors = trace.error.reduce((sum, flag) => sum + flag, 0);
    const services = byService(trace);
    const odd = [
      trace.missing && `${counted(trace.missing, "span")} whose parent is not in the trace: it may still arrive, or was never sent`,
      skewed(trace).length && `${counted(skewed(trace).length, "span")} of another service start before their parent: clocks differ; times are shown as they were sent`,
      trace.roots.length - trace.missing > 1 && `${trace.roots.length - trace.missing} roots`,
    ].filter(Boolean);
    return h("header", { class: "answers" },
      h("h1", {}, this.title),
      h("p", { class: "facts-line" },
        h("b", {}, duration(trace.end)), h("span", {}, counted(trace.size, "span")), h("span", {}, counted(services.length, "service")),
        h("span", { class: errors ? "wrong" : "" }, errors ? counted(errors, "error") : "no errors"), h("span", {}, moment(trace.startMs)),
        h("span", { class: "mono" }, trace.id), ...downloads(this.source)),
      h("ul", { class: "legend", "aria-label": "Services by their share of the time" }, services.map((one) => h("li", { style: { "--service": colour(places.get(trace.services[one.service]) ?? 0), "--share": one.share } },
        h("button", { class: "link", title: `${counted(one.spans, "span")}, ${duration(one.self)} of its own`, onclick: () => change({ find: trace.services[one.service] }) }, trace.services[one.service] || "(no service)"),
        ` ${percent(one.share)}`))),
      odd.map((text) => h("p", { class: "odd" }, text)));
  }

  #bar() {
    return h("div", { class: "tools" },
      h("div", { role: "tablist", "aria-label": "Views of the trace" }, this.tabs),
      this.find, this.said,
      h("label", {}, h("input", { type: "checkbox", name: "only", onchange: (/** @type {any} */ event) => change({ only: event.target.checked ? 1 : null }) }), " only these"),
      h("label", {}, h("input", { type: "checkbox", name: "critical", onchange: (/** @type {any} */ event) => change({ critical: event.target.checked ? 1 : null }) }), " critical path"),
      this.gaps.length ? h("label", {}, h("input", { type: "checkbox", name: "gaps", onchange: (/** @type {any} */ event) => change({ gaps: event.target.checked ? 1 : null }) }), " fold idle gaps") : null,
      this.source.stored ? h("a", { href: to(["compare"], { a: this.trace.id }) }, "Compare …") : null);
  }

  /** Puts the view on the stage, unless it is there. @param {string} view */
  #stage(view) {
    for (const box of this.stage.parentElement?.querySelectorAll(".tools input[type=checkbox]") ?? []) box.checked = this.query.has(box.name);
    if (this.stage.dataset.view === view && this.stage.firstChild) return;
    this.ending?.();
    this.ending = undefined;
    this.stage.dataset.view = view;
    const select = (/** @type {number} */ row) => change({ view: null, span: this.trace.spanId(row) });
    if (view === "flame") {
      const { element, end } = flame(this.trace, this.places, select);
      this.ending = end;
      fill(this.stage, element);
    } else if (view === "operations") fill(this.stage, statistics(this.trace, this.places, select));
    else fill(this.stage, h("div", { class: "spans-and-panel" }, h("div", { class: "spans-of-trace" }, this.minimap.element, this.axis, this.waterfall.element), this.panel.element));
  }

  #draw() {
    const { trace, query } = this;
    const text = query.get("find") ?? "";
    const found = text ? matching(trace, text) : null;
    this.said.textContent = found ? counted(found.size, "span") : "";
    const [from, until] = this.#range();
    const scale = new Scale(from, until, query.has("gaps") ? this.gaps : []);
    this.rows = rowsOf(trace, { folded: this.folded, opened: this.opened, only: query.has("only") && found ? found : null });
    this.minimap.show(from, until);
    const marks = ticks(until - from, TICKS).filter((us) => us < (until - from) * 0.97);
    fill(this.axis, marks.map((us) => h("span", { style: { left: `${scale.x(from + us) * 100}%` } }, duration(from + us))));
    this.waterfall.draw({ rows: this.rows, scale, folded: this.folded, critical: this.#critical(), found, selected: this.selected });
    if (this.selected !== -1) this.#reveal();
  }

  /** @returns {[number, number]} */
  #range() {
    const from = Number(this.query.get("from") ?? 0);
    const until = Number(this.query.get("until") ?? this.trace.end);
    return from >= 0 && until > from && from < this.trace.end ? [from, Math.min(until, this.trace.end)] : [0, this.trace.end];
  }

  #critical() {
    if (!this.query.has("critical")) return new Map();
    if (!this.path) {
      this.path = new Map();
      for (const root of this.trace.roots) for (const segment of criticalPath(this.trace, root)) {
        const segments = this.path.get(segment.row);
        if (segments) segments.push(segment);
        else this.path.set(segment.row, [segment]);
      }
    }
    return this.path;
  }

  #reveal() {
    const at = this.rows?.shown.indexOf(this.selected) ?? -1;
    if (at !== -1) this.waterfall.reveal(at);
  }

  /** @param {number} row */
  #choose(row) {
    for (let above = this.trace.parent[row]; above >= 0; above = this.trace.parent[above]) this.folded.delete(above);
    this.#remember({ span: this.trace.spanId(row) });
  }

  /** @param {number} row */
  #fold(row) {
    if (this.rows?.groups.has(row)) this.opened.add(row);
    else if (!this.folded.delete(row)) this.folded.add(row);
    this.#remember({});
  }

  /** @param {Record<string, string | null>} changes */
  #remember(changes) {
    const ids = (/** @type {Set<number>} */ rows) => [...rows].slice(0, FOLDS_IN_ADDRESS).map((row) => this.trace.spanId(row)).join(",");
    change({ ...changes, folded: ids(this.folded), opened: ids(this.opened) }, { replace: true });
  }

  /**
   * @param {number | null} from
   * @param {number | null} until
   */
  #zoom(from, until) {
    const written = (/** @type {number | null} */ us) => (us === null ? null : Math.round(us * 10) / 10);
    change({ from: written(from), until: written(until) });
  }

  /** @param {number} by rows down */
  #move(by) {
    const shown = this.rows?.shown;
    if (!shown?.length || this.query.get("view")) return;
    const at = shown.indexOf(this.selected);
    this.#choose(shown[Math.max(0, Math.min(shown.length - 1, at === -1 ? 0 : at + by))]);
  }

  #toNextError() {
    const { order } = this.trace;
    const after = this.selected === -1 ? -1 : order.indexOf(this.selected);
    for (let step = 1; step <= order.length; step++) {
      const row = order[(after + step) % order.length];
      if (this.trace.failedFirst(row)) return this.#choose(row);
    }
  }

  #left() {
    const row = this.selected;
    if (row === -1) return;
    if (this.trace.firstChild[row] !== -1 && !this.folded.has(row)) this.#fold(row);
    else if (this.trace.parent[row] >= 0) this.#choose(this.trace.parent[row]);
  }

  #right() {
    const row = this.selected;
    if (row === -1) return;
    if (this.folded.has(row) || this.rows?.groups.has(row)) this.#fold(row);
    else if (this.trace.firstChild[row] !== -1) this.#choose(this.trace.firstChild[row]);
  }

  #toSpan() {
    const row = this.selected;
    if (row === -1) return;
    const margin = Math.max(this.trace.duration[row] * 0.05, 1);
    this.#zoom(Math.max(0, this.trace.start[row] - margin), Math.min(this.trace.end, this.trace.start[row] + this.trace.duration[row] + margin));
  }

  /** @returns {import("../frame/keyboard.js").Keys} */
  #keys() {
    return {
      "ArrowDown j": { says: "next span", does: () => this.#move(1) },
      "ArrowUp k": { says: "span before", does: () => this.#move(-1) },
      "ArrowLeft h": { says: "fold, or go to the parent", does: () => this.#left() },
      "ArrowRight l": { says: "unfold, or go to the first child", does: () => this.#right() },
      e: { says: "next error", does: () => this.#toNextError() },
      z: { says: "zoom to the span", does: () => this.#toSpan() },
      0: { says: "show the whole trace", does: () => this.#zoom(null, null) },
      c: { says: "critical path", does: () => change({ critical: this.query.has("critical") ? null : 1 }) },
      "/": { says: "find", does: () => this.find.focus() },
      Escape: { says: "close the span's panel", does: () => change({ span: null }) },
    };
  }
}
