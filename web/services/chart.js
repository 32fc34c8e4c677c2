// @ts-check
/** A small chart of numbers over time; each step is a link to the traces behind it. */

import { svg } from "../frame/dom.js";
import { clock } from "../frame/format.js";

const WIDTH = 220;
const HEIGHT = 36;

/**
 * @param {string} title
 * @param {(number | null)[][]} lines
 * @param {(value: number) => string} written
 * @param {{start_ms: number, step_ms: number, steps: number}} times
 * @param {(step: number) => string} behind the address of the traces of a step
 * @param {string} [kind] a class
 * @returns {SVGElement}
 */
export function chart(title, lines, written, times, behind, kind = "") {
  const most = Math.max(...lines.flat().map((value) => value ?? 0), 1e-9);
  const [last] = lines.slice(-1);
  const across = WIDTH / times.steps;
  const y = (/** @type {number} */ value) => HEIGHT - 2 - ((HEIGHT - 4) * value) / most;
  return svg("svg", { class: `chart ${kind}`, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "group", "aria-label": `${title} over time, at most ${written(most)}` },
    svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT - 1.5, y2: HEIGHT - 1.5, class: "ground" }),
    lines.map((values, at) => svg("path", { d: path(values, across, y), class: `line line-${lines.length - 1 - at}` })),
    last.map((value, step) => value ? svg("a", { href: behind(step), tabindex: -1, "aria-label": `${clock(times.start_ms + step * times.step_ms)}: ${written(value)}` },
      svg("rect", { x: step * across, y: 0, width: across, height: HEIGHT, class: "hit" }, svg("title", {}, `${clock(times.start_ms + step * times.step_ms)}: ${lines.map((values) => written(values[step] ?? 0)).join(", ")}`)),
      svg("circle", { cx: (step + 0.5) * across, cy: y(value), r: 1.6, class: "point" })) : null));
}

/**
 * A line with gaps where there is no number.
 * @param {(number | null)[]} values
 * @param {number} across
 * @param {(value: number) => number} y
 */
function path(values, across, y) {
  let pen = "M";
  return values.map((value, step) => {
    if (value === null) {
      pen = "M";
      return "";
    }
    const drawn = `${pen}${((step + 0.5) * across).toFixed(1)},${y(value).toFixed(1)}`;
    pen = "L";
    return drawn;
  }).join("");
}
