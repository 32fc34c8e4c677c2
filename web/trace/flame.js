// @ts-check
/**
 * The flame graph: spans of the same operation below the same parent are one bar, as wide as the time they took
 * together. On a canvas, because a trace can have tens of thousands of bars; the waterfall says the same in text.
 */

import { painted } from "../frame/colours.js";
import { h } from "../frame/dom.js";
import { counted, duration } from "../frame/format.js";
import { repainted } from "../frame/repaint.js";

const ROW_PX = 20;
const LEAST_PX = 0.5;
const PADDING_PX = 4;

/** @typedef {{service: number, name: number, spans: number, errors: number, total: number, row: number, depth: number, x: number, width: number, children: Map<number, Bar>}} Bar */

/**
 * @param {import("./model.js").Trace} trace
 * @returns {Bar[]} all bars, with their place as shares of the width
 */
export function bars(trace) {
  const top = bar(0, 0, -1, -1);
  /** @type {Bar[]} */
  const of = new Array(trace.size);
  for (const row of trace.order) {
    const above = trace.parent[row] >= 0 ? of[trace.parent[row]] : top;
    const key = trace.service[row] * trace.names.length + trace.name[row];
    let one = above.children.get(key);
    if (!one) {
      one = bar(trace.service[row], trace.name[row], above.depth + 1, row);
      above.children.set(key, one);
    }
    one.spans += 1;
    one.errors += trace.error[row];
    one.total += Math.max(0, trace.duration[row]);
    of[row] = one;
  }
  top.x = 0;
  top.width = 1;
  return laid(top);
}

/**
 * @param {number} service
 * @param {number} name
 * @param {number} depth
 * @param {number} row
 * @returns {Bar}
 */
function bar(service, name, depth, row) {
  return { service, name, spans: 0, errors: 0, total: 0, row, depth, x: 0, width: 0, children: new Map() };
}

/**
 * Gives each bar its place: children share their parent's width by what they took, and no more than it took itself.
 * @param {Bar} top
 */
function laid(top) {
  const all = [];
  const stack = [top];
  while (stack.length) {
    const above = /** @type {Bar} */ (stack.pop());
    const children = [...above.children.values()].sort((a, b) => b.total - a.total);
    const taken = children.reduce((sum, one) => sum + one.total, 0);
    const whole = Math.max(taken, above.row === -1 ? taken : above.total) || 1;
    let x = above.x;
    for (const one of children) {
      one.x = x;
      one.width = (above.width * one.total) / whole;
      x += one.width;
      all.push(one);
      stack.push(one);
    }
  }
  return all;
}

/**
 * @param {import("./model.js").Trace} trace
 * @param {Map<string, number>} places
 * @param {(row: number) => void} select
 * @returns {{element: HTMLElement, end: () => void}}
 */
export function flame(trace, places, select) {
  const all = bars(trace);
  const deepest = all.reduce((depth, one) => Math.max(depth, one.depth), 0) + 1;
  const canvas = h("canvas", { role: "img", "aria-label": `Flame graph of ${counted(trace.size, "span")}; the statistics say the same in text` });
  const tip = h("p", { class: "tip", role: "status" }, "Point at a bar; click it to select its first span.");
  const element = h("div", { class: "flame" }, tip, canvas);
  const at = (/** @type {MouseEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    const [x, depth] = [(event.clientX - box.left) / box.width, Math.floor((event.clientY - box.top) / ROW_PX)];
    return all.find((one) => one.depth === depth && x >= one.x && x < one.x + one.width);
  };
  canvas.addEventListener("mousemove", (/** @type {MouseEvent} */ event) => {
    const one = at(event);
    tip.textContent = one ? `${trace.services[one.service]} · ${trace.names[one.name]} · ${counted(one.spans, "span")} · ${duration(one.total)} in all${one.errors ? ` · ${counted(one.errors, "error")}` : ""}` : "";
  });
  canvas.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const one = at(event);
    if (one) select(one.row);
  });
  const paint = () => draw(canvas, element.clientWidth, deepest, trace, all, places);
  return { element, end: repainted(element, paint) };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} rows
 * @param {import("./model.js").Trace} trace
 * @param {Bar[]} all
 * @param {Map<string, number>} places
 */
function draw(canvas, width, rows, trace, all, places) {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = rows * ROW_PX * ratio;
  canvas.style.height = `${rows * ROW_PX}px`;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const style = getComputedStyle(document.documentElement);
  const colours = trace.services.map((service) => painted(places.get(service) ?? 0, style));
  const ink = style.getPropertyValue("--ink").trim();
  const ground = style.getPropertyValue("--ground").trim();
  const red = style.getPropertyValue("--error").trim();
  pen.scale(ratio, ratio);
  pen.font = "12px system-ui, sans-serif";
  pen.textBaseline = "middle";
  for (const one of all) {
    const [x, long, y] = [one.x * width, one.width * width, one.depth * ROW_PX];
    if (long < LEAST_PX) continue;
    pen.globalAlpha = 0.45;
    pen.fillStyle = colours[one.service];
    pen.fillRect(x, y + 1, Math.max(LEAST_PX, long - 1), ROW_PX - 2);
    pen.globalAlpha = 1;
    if (one.errors) {
      pen.fillStyle = red;
      pen.fillRect(x, y + ROW_PX - 3, Math.max(1, long - 1), 2);
    }
    if (long < 40) continue;
    pen.save();
    pen.beginPath();
    pen.rect(x, y, long - PADDING_PX, ROW_PX);
    pen.clip();
    pen.fillStyle = ink || ground;
    pen.fillText(trace.names[one.name], x + PADDING_PX, y + ROW_PX / 2);
    pen.restore();
  }
}
