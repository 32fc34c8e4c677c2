// @ts-check
/** Which time a page is about: the last so long, or from one moment to another; always in its address. */

import { h } from "../frame/dom.js";
import { change } from "../frame/router.js";

export const LAST = /** @type {const} */ ([["5m", 300], ["15m", 900], ["1h", 3600], ["6h", 21600], ["1d", 86400], ["7d", 604800], ["30d", 2592000]]);
const DEFAULT = "1h";

/**
 * The range of an address, unix milliseconds.
 * @param {URLSearchParams} query
 * @param {number} nowMs
 * @returns {{startMs: number, endMs: number, last: string | null}}
 */
export function rangeOf(query, nowMs) {
  const [start, end] = [Number(query.get("start")), Number(query.get("end"))];
  if (start > 0 && end > start) return { startMs: start, endMs: end, last: null };
  const last = query.get("last") ?? DEFAULT;
  const seconds = LAST.find(([name]) => name === last)?.[1] ?? 3600;
  return { startMs: nowMs - seconds * 1000, endMs: nowMs, last };
}

/**
 * A range's parameters for the API.
 * @param {{startMs: number, endMs: number}} range
 */
export function asked({ startMs, endMs }) {
  return { start: Math.floor(startMs), end: Math.ceil(endMs) };
}

/** Buttons that choose the range; `show` marks the one that holds. */
export class RangePicker {
  constructor() {
    this.buttons = LAST.map(([name]) => h("button", { type: "button", data: { last: name }, onclick: () => change({ last: name, start: null, end: null }) }, name));
    this.custom = h("button", { type: "button", hidden: true, title: "Back to the last hour", onclick: () => change({ start: null, end: null, last: null }) });
    this.element = h("div", { class: "range", role: "group", "aria-label": "Time range" }, this.custom, this.buttons);
  }

  /** @param {{startMs: number, endMs: number, last: string | null}} range */
  show({ startMs, endMs, last }) {
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.last === last));
    this.custom.hidden = last !== null;
    const told = (/** @type {number} */ ms) => new Date(ms).toLocaleString(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
    this.custom.textContent = `${told(startMs)} to ${told(endMs)} ×`;
  }
}
