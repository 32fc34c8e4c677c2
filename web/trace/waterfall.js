// @ts-check
/**
 * The waterfall: a treegrid of rows of one height, of which only those in sight exist. Rows are pooled: scrolling moves
 * and fills them anew, and never makes any.
 */

import { h } from "../frame/dom.js";
import { colour } from "../frame/colours.js";
import { duration } from "../frame/format.js";

/** @typedef {import("./model.js").Trace} Trace */
/** @typedef {import("./model.js").Segment} Segment */
/** @typedef {import("./rows.js").Rows} Rows */

export const ROW_PX = 24;
const SPARE_ROWS = 8; // above and below what is in sight
const MARKS_MAX = 24; // of events, and of segments of the critical path, in one row

/**
 * @typedef {object} Drawing what is to be seen
 * @property {Rows} rows
 * @property {import("./scale.js").Scale} scale
 * @property {Set<number>} folded
 * @property {Map<number, Segment[]>} critical segments by row; empty where the path is not shown
 * @property {Set<number> | null} found rows that match what is looked for
 * @property {number} selected a row, or -1
 */

export class Waterfall {
  /**
   * @param {Trace} trace
   * @param {Map<string, number>} places the services' places among the colours
   * @param {{select: (row: number) => void, fold: (row: number) => void}} acts
   */
  constructor(trace, places, acts) {
    this.trace = trace;
    this.colours = trace.services.map((service) => colour(places.get(service) ?? 0));
    this.acts = acts;
    /** @type {Drawing | null} */
    this.drawing = null;
    /** @type {PooledRow[]} */
    this.pool = [];
    this.space = h("div", { class: "rows", role: "presentation" });
    this.element = h("div", {
      class: "waterfall", role: "treegrid", tabIndex: 0, "aria-label": "Spans", "aria-colcount": 2, "aria-readonly": "true",
      onscroll: () => this.#later(), onclick: (/** @type {MouseEvent} */ event) => this.#clicked(event),
    }, this.space);
    this.resized = new ResizeObserver(() => this.#later());
    this.resized.observe(this.element);
    this.waiting = 0;
  }

  /** @param {Drawing} drawing */
  draw(drawing) {
    this.drawing = drawing;
    this.space.style.height = `${drawing.rows.shown.length * ROW_PX}px`;
    this.element.setAttribute("aria-rowcount", String(drawing.rows.shown.length));
    this.#paint();
  }

  /** Scrolls so that a place in the list is in sight. @param {number} at */
  reveal(at) {
    const top = at * ROW_PX;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop + ROW_PX) this.element.scrollTop = Math.max(0, top - ROW_PX * 2);
    else if (top > scrollTop + clientHeight - ROW_PX * 2) this.element.scrollTop = top - clientHeight + ROW_PX * 3;
  }

  end() {
    this.resized.disconnect();
    cancelAnimationFrame(this.waiting);
  }

  #later() {
    if (!this.waiting) this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.#paint();
    });
  }

  #paint() {
    const drawing = this.drawing;
    if (!drawing) return;
    const { shown } = drawing.rows;
    const height = this.element.clientHeight || innerHeight;
    const first = Math.max(0, Math.floor(this.element.scrollTop / ROW_PX) - SPARE_ROWS);
    const last = Math.min(shown.length, Math.ceil((this.element.scrollTop + height) / ROW_PX) + SPARE_ROWS);
    while (this.pool.length < last - first) {
      const made = new PooledRow(this.pool.length);
      this.pool.push(made);
      this.space.append(made.element);
    }
    const size = this.pool.length;
    for (let at = first; at < first + size; at++) {
      const pooled = this.pool[at % size];
      if (at < last) pooled.fill(this, drawing, shown[at], at);
      else pooled.hide();
    }
    const selected = this.pool.find((pooled) => pooled.row === drawing.selected && !pooled.element.hidden);
    if (selected) this.element.setAttribute("aria-activedescendant", selected.element.id);
    else this.element.removeAttribute("aria-activedescendant");
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const target = /** @type {Element} */ (event.target);
    const element = target.closest(".row");
    const pooled = this.pool.find((one) => one.element === element);
    if (!pooled) return;
    if (target.closest(".fold")) this.acts.fold(pooled.row);
    else this.acts.select(pooled.row);
  }
}

class PooledRow {
  /** @param {number} number */
  constructor(number) {
    this.row = -1;
    this.fold = h("span", { class: "fold", "aria-hidden": "true" });
    this.stripe = h("span", { class: "stripe", "aria-hidden": "true" });
    this.service = h("span", { class: "service" });
    this.name = h("span", { class: "name" });
    this.badge = h("span", { class: "badge" });
    this.bar = h("span", { class: "bar-of-span" });
    this.time = h("span", { class: "time" });
    this.marks = h("span", { class: "marks", "aria-hidden": "true" });
    this.element = h(
      "div", { class: "row", role: "row", id: `row-${number}` },
      h("div", { class: "label", role: "gridcell" }, this.fold, this.stripe, this.service, this.name, this.badge),
      h("div", { class: "track", role: "gridcell" }, this.bar, this.time, this.marks),
    );
  }

  hide() {
    this.row = -1;
    this.element.hidden = true;
  }

  /**
   * @param {Waterfall} waterfall
   * @param {Drawing} drawing
   * @param {number} row
   * @param {number} at
   */
  fill({ trace, colours }, drawing, row, at) {
    const { element } = this;
    this.row = row;
    const group = drawing.rows.groups.get(row);
    const parent = trace.firstChild[row] !== -1 && !group;
    const folded = drawing.folded.has(row) || Boolean(group);
    element.hidden = false;
    element.style.transform = `translateY(${at * ROW_PX}px)`;
    element.style.setProperty("--service", colours[trace.service[row]]);
    element.style.setProperty("--depth", String(Math.min(trace.depth[row], 40)));
    element.setAttribute("aria-rowindex", String(at + 1));
    element.setAttribute("aria-level", String(trace.depth[row] + 1));
    element.setAttribute("aria-selected", String(row === drawing.selected));
    if (parent || group) element.setAttribute("aria-expanded", String(!folded));
    else element.removeAttribute("aria-expanded");
    element.classList.toggle("failed", trace.failedFirst(row));
    element.classList.toggle("found", drawing.found?.has(row) ?? false);
    this.fold.textContent = parent || group ? (folded ? "▸" : "▾") : "";
    this.service.textContent = trace.serviceOf(row);
    this.name.textContent = group ? `${trace.nameOf(row)} × ${group.length}` : trace.nameOf(row);
    this.badge.textContent = badge(trace, row, folded);
    this.badge.title = trace.parent[row] === -2 ? "its parent is not in the trace" : "";
    this.#place(trace, drawing.scale, group ?? [row]);
    this.#mark(trace, drawing, row);
  }

  /**
   * @param {Trace} trace
   * @param {import("./scale.js").Scale} scale
   * @param {number[]} rows of which the bar is; of several from the first start to the last end
   */
  #place(trace, scale, rows) {
    const begin = trace.start[rows[0]];
    const end = rows.reduce((latest, row) => Math.max(latest, trace.start[row] + trace.duration[row]), begin);
    const left = clamped(scale.x(begin));
    const right = clamped(scale.x(end));
    const outside = left >= 1 || right <= 0;
    this.bar.hidden = outside;
    this.bar.style.left = `${left * 100}%`;
    this.bar.style.width = `${Math.max(0, right - left) * 100}%`;
    const took = trace.duration[rows[0]];
    this.time.textContent = rows.length > 1 ? `${duration(end - begin)} in all` : duration(took);
    // Beside the bar where there is room: behind it, or else before it, or else on its end.
    const room = right < 0.88 ? "behind" : left > 0.2 ? "before" : "on";
    this.time.style.left = room === "behind" ? `${right * 100}%` : "auto";
    this.time.style.right = room === "behind" ? "auto" : `${(1 - (room === "before" ? left : right)) * 100}%`;
    this.time.classList.toggle("on", room === "on");
  }

  /**
   * @param {Trace} trace
   * @param {Drawing} drawing
   * @param {number} row
   */
  #mark(trace, drawing, row) {
    const segments = drawing.critical.get(row) ?? [];
    const events = trace.events.get(row) ?? [];
    if (!segments.length && !events.length && !this.marks.firstChild) return;
    const { scale } = drawing;
    this.marks.replaceChildren(
      ...segments.slice(0, MARKS_MAX).map(({ from, to }) => {
        const left = clamped(scale.x(from));
        return h("i", { class: "critical", style: { left: `${left * 100}%`, width: `${(clamped(scale.x(to)) - left) * 100}%` } });
      }),
      ...events.slice(0, MARKS_MAX).map((us) => {
        const left = scale.x(us);
        return left >= 0 && left <= 1 ? h("i", { class: "event", style: { left: `${left * 100}%` } }) : "";
      }),
    );
  }
}

/**
 * What a row says beside its name: how much is hidden below it, and whether it failed.
 * @param {Trace} trace
 * @param {number} row
 * @param {boolean} folded
 */
function badge(trace, row, folded) {
  const said = [];
  if (trace.parent[row] === -2) said.push("no parent");
  if (folded && trace.below[row]) said.push(`+${trace.below[row]}`);
  if (trace.failedFirst(row)) said.push("error");
  else if (trace.errorsBelow[row]) said.push(`${trace.errorsBelow[row]} ⚠`);
  return said.join(" · ");
}

/** @param {number} x */
function clamped(x) {
  return Math.min(1, Math.max(0, x));
}
