// @ts-check
/** Latency over time: how many spans of the query began when, and how long they took, by powers of two. */

import { clock, counted, duration } from "../frame/format.js";
import { fill, h } from "../frame/dom.js";
import { repainted } from "../frame/repaint.js";
import { durationText } from "./query.js";

const ROW_PX = 9;
const LEFT_PX = 54;
const LEAST_DRAG_PX = 4;

/**
 * @typedef {object} Cells
 * @property {number} startMs
 * @property {number} stepMs
 * @property {number} columns
 * @property {{seconds: number, counts: (number | null)[]}[]} rows shortest first; `seconds` is the longest that counts there
 */

/**
 * What the metrics of `histogram_over_time(duration)` say, as cells.
 * @param {any} answer of /api/ui/metrics
 * @returns {Cells}
 */
export function cellsOf(answer) {
  const rows = answer.series
    .map((/** @type {any} */ one) => ({ seconds: Number(one.labels.__bucket), counts: one.points }))
    .filter((/** @type {any} */ one) => Number.isFinite(one.seconds))
    .sort((/** @type {any} */ a, /** @type {any} */ b) => a.seconds - b.seconds);
  return { startMs: answer.start_ms, stepMs: answer.step_ms, columns: answer.steps, rows: filledUp(rows, answer.steps) };
}

/**
 * Rows for the powers of two between the first and the last, so that the axis has no holes.
 * @param {Cells["rows"]} rows
 * @param {number} columns
 */
function filledUp(rows, columns) {
  if (!rows.length) return rows;
  const all = [];
  let next = 0;
  for (let seconds = rows[0].seconds; next < rows.length; seconds *= 2) {
    if (rows[next].seconds <= seconds * 1.01) all.push(rows[next++]);
    else all.push({ seconds, counts: new Array(columns).fill(null) });
  }
  return all;
}

/**
 * @typedef {object} Box what was dragged
 * @property {number} startMs
 * @property {number} endMs
 * @property {string} longerThan as TraceQL writes durations
 * @property {string} upTo
 */

export class Heatmap {
  /** @param {{keep: (box: Box) => void, compare: (box: Box) => void}} acts */
  constructor(acts) {
    this.acts = acts;
    /** @type {Cells | null} */
    this.cells = null;
    this.canvas = h("canvas", { role: "img", "aria-label": "Durations over time" });
    this.frame = h("i", { class: "drawn-box", hidden: true });
    this.menu = h("div", { class: "box-menu", hidden: true });
    this.tip = h("p", { class: "tip quiet", role: "status" }, "");
    this.element = h("section", { class: "heatmap", "aria-label": "Latency over time" }, h("div", { class: "cells", onpointerdown: (/** @type {PointerEvent} */ event) => this.#dragged(event), onpointermove: (/** @type {PointerEvent} */ event) => this.#pointed(event), onpointerleave: () => (this.tip.textContent = this.#summary()) }, this.canvas, this.frame, this.menu), this.tip);
    this.end = repainted(this.element, () => this.paint());
  }

  /** @param {Cells} cells */
  show(cells) {
    this.cells = cells;
    this.frame.hidden = this.menu.hidden = true;
    this.tip.textContent = this.#summary();
    this.paint();
  }

  /** What is not counted by time is shown as a list alone. @param {Error} error */
  fail(error) {
    this.cells = null;
    this.canvas.style.height = "0";
    this.frame.hidden = this.menu.hidden = true;
    this.tip.textContent = `No heatmap of this query: ${error.message}`;
  }

  #summary() {
    if (!this.cells?.rows.length) return "No span matches in this time.";
    const all = this.cells.rows.reduce((sum, row) => sum + row.counts.reduce((/** @type {number} */ inner, value) => inner + (value ?? 0), 0), 0);
    return `${counted(all, "span")} match. Drag a box to keep what is in it, or to compare it with the rest.`;
  }

  paint() {
    const { cells, canvas } = this;
    const width = this.element.clientWidth;
    if (!cells || !width) return;
    const ratio = devicePixelRatio || 1;
    const height = Math.max(1, cells.rows.length) * ROW_PX + 16;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.height = `${height}px`;
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const style = getComputedStyle(document.documentElement);
    pen.scale(ratio, ratio);
    pen.font = "11px system-ui, sans-serif";
    pen.fillStyle = style.getPropertyValue("--quiet").trim();
    pen.textAlign = "right";
    cells.rows.forEach((row, at) => {
      const y = (cells.rows.length - 1 - at) * ROW_PX;
      if (at % 3 === 0) pen.fillText(duration(row.seconds * 1e6), LEFT_PX - 6, y + ROW_PX - 1);
    });
    pen.textAlign = "left";
    const across = (width - LEFT_PX) / cells.columns;
    for (let column = 0; column < cells.columns; column += Math.ceil(cells.columns / 6)) pen.fillText(clock(cells.startMs + column * cells.stepMs), LEFT_PX + column * across, height - 3);
    const most = Math.max(1, ...cells.rows.flatMap((row) => row.counts.map((value) => value ?? 0)));
    pen.fillStyle = style.getPropertyValue("--accent").trim();
    cells.rows.forEach((row, at) => {
      const y = (cells.rows.length - 1 - at) * ROW_PX;
      row.counts.forEach((value, column) => {
        if (!value) return;
        pen.globalAlpha = 0.15 + 0.85 * (Math.log1p(value) / Math.log1p(most));
        pen.fillRect(LEFT_PX + column * across, y, Math.max(1, across - 0.5), ROW_PX - 1);
      });
    });
    pen.globalAlpha = 1;
  }

  /** @param {PointerEvent} event */
  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: Math.min(box.width, Math.max(LEFT_PX, event.clientX - box.left)), y: Math.min(box.height - 16, Math.max(0, event.clientY - box.top)), width: box.width };
  }

  /** @param {PointerEvent} event */
  #pointed(event) {
    const { cells } = this;
    if (!cells?.rows.length) return;
    const { x, y, width } = this.#at(event);
    const column = Math.min(cells.columns - 1, Math.floor(((x - LEFT_PX) / (width - LEFT_PX)) * cells.columns));
    const row = cells.rows[cells.rows.length - 1 - Math.min(cells.rows.length - 1, Math.floor(y / ROW_PX))];
    this.tip.textContent = `${clock(cells.startMs + column * cells.stepMs)} · ${duration((row.seconds / 2) * 1e6)} to ${duration(row.seconds * 1e6)} · ${counted(row.counts[column] ?? 0, "span")}`;
  }

  /** @param {PointerEvent} event */
  #dragged(event) {
    if (/** @type {Element} */ (event.target).closest(".box-menu")) return;
    const first = this.#at(event);
    this.menu.hidden = true;
    const draw = (/** @type {PointerEvent} */ now) => {
      const last = this.#at(now);
      this.frame.hidden = false;
      Object.assign(this.frame.style, { left: `${Math.min(first.x, last.x)}px`, top: `${Math.min(first.y, last.y)}px`, width: `${Math.abs(last.x - first.x)}px`, height: `${Math.abs(last.y - first.y)}px` });
    };
    const up = (/** @type {PointerEvent} */ now) => {
      this.canvas.removeEventListener("pointermove", draw);
      const last = this.#at(now);
      if (Math.abs(last.x - first.x) < LEAST_DRAG_PX || Math.abs(last.y - first.y) < LEAST_DRAG_PX) this.frame.hidden = true;
      else this.#offer(this.#boxOf(first, last), last);
    };
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.addEventListener("pointermove", draw);
    this.canvas.addEventListener("pointerup", up, { once: true });
  }

  /**
   * @param {{x: number, y: number, width: number}} a
   * @param {{x: number, y: number, width: number}} b
   * @returns {Box}
   */
  #boxOf(a, b) {
    const cells = /** @type {Cells} */ (this.cells);
    const perPx = (cells.columns * cells.stepMs) / (a.width - LEFT_PX);
    const [left, right] = [a.x, b.x].sort((one, other) => one - other);
    const [top, bottom] = [a.y, b.y].sort((one, other) => one - other);
    const seconds = (/** @type {number} */ y) => cells.rows[cells.rows.length - 1].seconds / 2 ** Math.max(0, y / ROW_PX);
    return {
      startMs: Math.floor(cells.startMs + (left - LEFT_PX) * perPx), endMs: Math.ceil(cells.startMs + (right - LEFT_PX) * perPx),
      longerThan: durationText(seconds(bottom) * 1e6), upTo: durationText(seconds(top) * 1e6),
    };
  }

  /**
   * @param {Box} box
   * @param {{x: number, y: number}} at
   */
  #offer(box, at) {
    fill(this.menu, h("button", { type: "button", onclick: () => this.acts.keep(box) }, "Keep this"), h("button", { type: "button", onclick: () => this.acts.compare(box) }, "Compare with the rest"));
    Object.assign(this.menu.style, { left: `${at.x}px`, top: `${at.y}px` });
    this.menu.hidden = false;
    this.menu.querySelector("button")?.focus();
  }
}
