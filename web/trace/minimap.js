// @ts-check
/** The whole trace, small: a line a span, the part that the waterfall shows between two shades. Drag to choose a part. */

import { painted } from "../frame/colours.js";
import { h } from "../frame/dom.js";
import { duration } from "../frame/format.js";
import { repainted } from "../frame/repaint.js";

const HEIGHT_PX = 56;
const LEAST_SHARE = 0.0005; // of the width: shorter drags are clicks

export class Minimap {
  /**
   * @param {import("./model.js").Trace} trace
   * @param {Map<string, number>} places
   * @param {(from: number | null, to: number | null) => void} zoom called with microseconds, or null for all
   */
  constructor(trace, places, zoom) {
    this.trace = trace;
    this.places = places;
    this.zoom = zoom;
    this.canvas = h("canvas", { class: "spans", "aria-hidden": "true" });
    this.before = h("i", { class: "shade" });
    this.after = h("i", { class: "shade" });
    this.cursor = h("i", { class: "cursor" });
    this.element = h("div", {
      class: "minimap", role: "img", "aria-label": `Spans over ${duration(trace.end)}; drag to zoom`,
      onpointerdown: (/** @type {PointerEvent} */ event) => this.#dragged(event),
      ondblclick: () => zoom(null, null),
    }, this.canvas, this.before, this.after, this.cursor);
    this.end = repainted(this.element, () => this.paint());
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  show(from, to) {
    const all = this.trace.end || 1;
    this.before.style.width = `${(100 * from) / all}%`;
    this.after.style.left = `${(100 * to) / all}%`;
    this.after.style.width = `${100 - (100 * to) / all}%`;
  }

  paint() {
    const { trace, canvas } = this;
    const width = this.element.clientWidth;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = HEIGHT_PX * ratio;
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const style = getComputedStyle(document.documentElement);
    const colours = trace.services.map((service) => painted(this.places.get(service) ?? 0, style));
    const red = style.getPropertyValue("--error").trim();
    const perUs = canvas.width / (trace.end || 1);
    const height = Math.max(1, Math.min(3 * ratio, canvas.height / trace.size));
    const seen = new Set(); // a pixel of one colour is painted once, however many spans share it
    for (let at = 0; at < trace.size; at++) {
      const row = trace.order[at];
      const y = Math.floor((at / trace.size) * canvas.height);
      const x = Math.floor(trace.start[row] * perUs);
      const long = Math.max(1, Math.round(trace.duration[row] * perUs));
      const place = trace.failedFirst(row) ? -1 : trace.service[row];
      const key = `${x},${y},${long},${place}`;
      if (seen.has(key)) continue;
      seen.add(key);
      pen.fillStyle = place === -1 ? red : colours[place];
      pen.fillRect(x, y, long, height);
    }
  }

  /** @param {PointerEvent} event */
  #dragged(event) {
    const box = this.element.getBoundingClientRect();
    const share = (/** @type {PointerEvent} */ at) => Math.min(1, Math.max(0, (at.clientX - box.left) / box.width));
    const first = share(event);
    const move = (/** @type {PointerEvent} */ at) => {
      const [from, to] = [first, share(at)].sort((a, b) => a - b);
      this.show(from * this.trace.end, to * this.trace.end);
    };
    const up = (/** @type {PointerEvent} */ at) => {
      this.element.removeEventListener("pointermove", move);
      const [from, to] = [first, share(at)].sort((a, b) => a - b);
      if (to - from > LEAST_SHARE) this.zoom(from * this.trace.end, to * this.trace.end);
    };
    this.element.setPointerCapture(event.pointerId);
    this.element.addEventListener("pointermove", move);
    this.element.addEventListener("pointerup", up, { once: true });
  }
}
