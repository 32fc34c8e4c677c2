// @ts-check
import { fill, h } from "../frame/dom.js";

/**
 * @param {import("../frame/router.js").Place} _place
 * @param {import("../main.js").Frame} frame
 * @returns {import("../frame/router.js").Page}
 */
export function mapPage(_place, frame) {
  return { title: "Map", show: () => fill(frame.main, h("p", { class: "loading" }, "…")) };
}
