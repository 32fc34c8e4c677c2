// @ts-check
/** Which rows a waterfall shows: subtrees can be folded, and siblings that repeat each other are one row until opened. */

/** @typedef {import("./model.js").Trace} Trace */

export const REPEATS_FROM = 6;

/**
 * @typedef {object} View what the person has chosen
 * @property {Set<number>} folded rows whose subtree is hidden
 * @property {Set<number>} opened first rows of groups that are shown one by one
 * @property {Set<number> | null} only rows that match a filter; their ancestors are shown with them
 */

/**
 * @typedef {object} Rows
 * @property {Uint32Array} shown rows from top to bottom
 * @property {Map<number, number[]>} groups rows that stand for several siblings, and which
 */

/**
 * @param {Trace} trace
 * @param {View} view
 * @returns {Rows}
 */
export function rowsOf(trace, view) {
  const shown = new Uint32Array(trace.size);
  /** @type {Map<number, number[]>} */
  const groups = new Map();
  const wanted = view.only && withAncestors(trace, view.only);
  let size = 0;
  const stack = siblings(trace, trace.roots, view, groups, wanted);
  while (stack.length) {
    const row = /** @type {number} */ (stack.pop());
    shown[size++] = row;
    if (view.folded.has(row) || groups.has(row) || trace.firstChild[row] === -1) continue;
    for (const child of siblings(trace, trace.children(row), view, groups, wanted)) stack.push(child);
  }
  return { shown: shown.subarray(0, size), groups };
}

/**
 * Siblings as they are shown, last first.
 * @param {Trace} trace
 * @param {Iterable<number>} rows
 * @param {View} view
 * @param {Map<number, number[]>} groups
 * @param {Uint8Array | null} wanted
 */
function siblings(trace, rows, view, groups, wanted) {
  /** @type {number[]} */
  const shown = [];
  /** @type {number[]} */
  let run = [];
  const close = () => {
    if (run.length >= REPEATS_FROM && !wanted && !view.opened.has(run[0])) {
      groups.set(run[0], run);
      shown.push(run[0]);
    } else for (const row of run) shown.push(row);
    run = [];
  };
  for (const row of rows) {
    if (wanted && !wanted[row]) continue;
    if (run.length && !alike(trace, run[run.length - 1], row)) close();
    run.push(row);
  }
  close();
  return shown.reverse();
}

/**
 * Whether two spans are the same work done again: same operation, and neither failed.
 * @param {Trace} trace
 * @param {number} one
 * @param {number} other
 */
function alike(trace, one, other) {
  return trace.name[one] === trace.name[other] && trace.service[one] === trace.service[other] && !failed(trace, one) && !failed(trace, other);
}

/**
 * @param {Trace} trace
 * @param {number} row
 */
function failed(trace, row) {
  return trace.error[row] || trace.errorsBelow[row];
}

/**
 * @param {Trace} trace
 * @param {Set<number>} rows
 */
function withAncestors(trace, rows) {
  const wanted = new Uint8Array(trace.size);
  for (const row of rows) for (let at = row; at >= 0 && !wanted[at]; at = trace.parent[at]) wanted[at] = 1;
  return wanted;
}

/**
 * The rows whose service, name or id contains the text, whatever its case.
 * @param {Trace} trace
 * @param {string} text
 * @returns {Set<number>}
 */
export function matching(trace, text) {
  const wanted = text.toLowerCase();
  const services = trace.services.map((service) => service.toLowerCase().includes(wanted));
  const names = trace.names.map((name) => name.toLowerCase().includes(wanted));
  const found = new Set();
  for (let row = 0; row < trace.size; row++) if (services[trace.service[row]] || names[trace.name[row]]) found.add(row);
  const row = trace.rowOf(wanted);
  if (row !== -1) found.add(row);
  return found;
}
