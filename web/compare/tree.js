// @ts-check
/** Two traces as one tree: spans of the same operation below the same way from the root are one line. */

/** @typedef {import("../trace/model.js").Trace} Trace */

/**
 * One trace's part of a line.
 * @typedef {{spans: number, errors: number, self: number, total: number, row: number}} Side
 */
/**
 * @typedef {object} Line
 * @property {string} service
 * @property {string} name
 * @property {number} depth
 * @property {Side | null} a null where the trace has no such span
 * @property {Side | null} b
 */
/** @typedef {Line & {children: Map<string, Node>}} Node */

/**
 * @param {Trace} a
 * @param {Trace} b
 * @returns {Line[]} parents before their children, siblings in the order in which they first come
 */
export function merged(a, b) {
  const top = node("", "", -1);
  grow(top, a, "a");
  grow(top, b, "b");
  /** @type {Line[]} */
  const lines = [];
  const stack = [...top.children.values()].reverse();
  while (stack.length) {
    const one = /** @type {Node} */ (stack.pop());
    lines.push(one);
    stack.push(...[...one.children.values()].reverse());
  }
  return lines;
}

/**
 * @param {Node} top
 * @param {Trace} trace
 * @param {"a" | "b"} side
 */
function grow(top, trace, side) {
  /** @type {Node[]} */
  const of = new Array(trace.size);
  for (const row of trace.order) {
    const above = trace.parent[row] >= 0 ? of[trace.parent[row]] : top;
    const [service, name] = [trace.serviceOf(row), trace.nameOf(row)];
    const key = `${service}\u0000${name}`;
    let one = above.children.get(key);
    if (!one) {
      one = node(service, name, above.depth + 1);
      above.children.set(key, one);
    }
    of[row] = one;
    const told = (one[side] ??= { spans: 0, errors: 0, self: 0, total: 0, row });
    told.spans += 1;
    told.errors += trace.error[row];
    told.self += trace.self[row];
    told.total += Math.max(0, trace.duration[row]);
  }
}

/**
 * @param {string} service
 * @param {string} name
 * @param {number} depth
 * @returns {Node}
 */
function node(service, name, depth) {
  return { service, name, depth, a: null, b: null, children: new Map() };
}

/** By how much longer its own time is in B. @param {Line} line */
export function longer(line) {
  return (line.b?.self ?? 0) - (line.a?.self ?? 0);
}
