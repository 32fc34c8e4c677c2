// @ts-check
/**
 * A trace as columns: one place in each array for each span, in the order of their starts. Times are microseconds from
 * the start of the trace. What follows from the columns (children, depth, self time, errors below, the critical path)
 * is worked out here, in one pass each, because it is less than what it would take to send it.
 */

/**
 * What the API sends (docs/ui.md).
 * @typedef {object} Columns
 * @property {string} trace_id
 * @property {string} start_unix_nano
 * @property {string[]} services
 * @property {string[]} names
 * @property {string} ids 16 hex digits a span, one after the other
 * @property {number[]} parent the row of the parent; -1: a root; -2: the parent is not there
 * @property {number[]} service
 * @property {number[]} name
 * @property {number[]} kind OTLP's number
 * @property {number[]} start
 * @property {number[]} duration
 * @property {number[]} errors rows whose status is an error
 * @property {[number, number[]][]} events rows that have events, and when
 * @property {[number, number][]} links rows that have links, and how many
 */

export const ROOT = -1;
export const MISSING = -2;
export const KINDS = ["", "internal", "server", "client", "producer", "consumer"];

/** @typedef {{row: number, from: number, to: number}} Segment */

export class Trace {
  /** @param {Columns} columns */
  constructor(columns) {
    this.id = columns.trace_id;
    this.startMs = Number(BigInt(columns.start_unix_nano) / 1000n) / 1000;
    this.services = columns.services;
    this.names = columns.names;
    this.size = columns.parent.length;
    this.ids = columns.ids;
    this.service = Uint32Array.from(columns.service);
    this.name = Uint32Array.from(columns.name);
    this.kind = Uint8Array.from(columns.kind);
    this.start = Float64Array.from(columns.start);
    this.duration = Float64Array.from(columns.duration);
    this.error = flags(this.size, columns.errors);
    this.events = new Map(columns.events);
    this.links = new Map(columns.links);
    this.parent = unlooped(Int32Array.from(columns.parent));
    this.missing = columns.parent.filter((parent) => parent === MISSING).length;
    this.firstChild = new Int32Array(this.size).fill(-1);
    this.nextSibling = new Int32Array(this.size).fill(-1);
    this.depth = new Uint32Array(this.size);
    /** The rows so that every span comes after its parent, depth first. */
    this.order = new Uint32Array(this.size);
    /** How many spans are below each row. */
    this.below = new Uint32Array(this.size);
    /** @type {number[]} */
    this.roots = [];
    this.#tree();
    this.end = this.size ? this.start.reduce((latest, start, row) => Math.max(latest, start + Math.max(0, this.duration[row])), 0) : 0;
    this.self = selfTimes(this);
    this.errorsBelow = sumsBelow(this, this.error);
  }

  /** The span's id, 16 hex digits. @param {number} row */
  spanId(row) {
    return this.ids.slice(row * 16, row * 16 + 16);
  }

  /** The row of a span id, or -1. @param {string | null} id */
  rowOf(id) {
    if (!id) return -1;
    for (let at = this.ids.indexOf(id); at !== -1; at = this.ids.indexOf(id, at + 1)) if (at % 16 === 0) return at / 16;
    return -1;
  }

  /** @param {number} row */
  nameOf(row) {
    return this.names[this.name[row]];
  }

  /** @param {number} row */
  serviceOf(row) {
    return this.services[this.service[row]] || "(no service)";
  }

  /** The children of a row, in the order of their starts. @param {number} row */
  *children(row) {
    for (let child = this.firstChild[row]; child !== -1; child = this.nextSibling[child]) yield child;
  }

  /** Whether an error begins here: the span failed, and none below it did. @param {number} row */
  failedFirst(row) {
    return this.error[row] === 1 && this.errorsBelow[row] === 0;
  }

  /** Links parents and children, and finds the order. */
  #tree() {
    const size = this.size;
    for (let row = size - 1; row >= 0; row--) {
      const parent = this.parent[row];
      if (parent < 0) continue;
      this.nextSibling[row] = this.firstChild[parent];
      this.firstChild[parent] = row;
    }
    for (let row = 0; row < size; row++) if (this.parent[row] < 0) this.roots.push(row);
    let placed = 0;
    for (const root of this.roots) {
      let row = root;
      for (;;) {
        this.order[placed++] = row;
        if (this.firstChild[row] !== -1) {
          row = this.firstChild[row];
          this.depth[row] = this.depth[this.parent[row]] + 1;
          continue;
        }
        while (row !== root && this.nextSibling[row] === -1) row = this.parent[row];
        if (row === root) break;
        row = this.nextSibling[row];
        this.depth[row] = this.depth[this.parent[row]] + 1;
      }
    }
    for (let at = size - 1; at >= 0; at--) {
      const row = this.order[at];
      if (this.parent[row] >= 0) this.below[this.parent[row]] += this.below[row] + 1;
    }
  }
}

/**
 * Parents without cycles: where spans are each other's ancestors, the first of them becomes a root.
 * @param {Int32Array} parent
 */
function unlooped(parent) {
  const state = new Uint8Array(parent.length); // 1: on the way now, 2: leads to a root
  for (let row = 0; row < parent.length; row++) {
    const way = [];
    let at = row;
    while (at >= 0 && state[at] === 0) {
      state[at] = 1;
      way.push(at);
      at = parent[at];
    }
    if (at >= 0 && state[at] === 1) parent[at] = ROOT;
    for (const passed of way) state[passed] = 2;
  }
  return parent;
}

/**
 * @param {number} size
 * @param {number[]} rows
 */
function flags(size, rows) {
  const found = new Uint8Array(size);
  for (const row of rows) found[row] = 1;
  return found;
}

/**
 * What of each span's time none of its children took: children that overlap count once, and only within their parent.
 * @param {Trace} trace
 */
function selfTimes(trace) {
  const { size, start, duration, parent } = trace;
  const self = duration.map((value) => Math.max(0, value));
  const covered = Float64Array.from(start);
  for (let row = 0; row < size; row++) {
    const above = parent[row];
    if (above < 0) continue;
    const from = Math.max(start[row], covered[above]);
    const to = Math.min(start[row] + duration[row], start[above] + duration[above]);
    if (to <= from) continue;
    self[above] -= to - from;
    covered[above] = to;
  }
  return self;
}

/**
 * How many of the flagged rows are below each row.
 * @param {Trace} trace
 * @param {Uint8Array} flag
 */
function sumsBelow(trace, flag) {
  const below = new Uint32Array(trace.size);
  for (let at = trace.size - 1; at >= 0; at--) {
    const row = trace.order[at];
    const above = trace.parent[row];
    if (above >= 0) below[above] += below[row] + flag[row];
  }
  return below;
}

/**
 * The critical path: the stretches of time in which nothing but the given span kept its trace from ending sooner. Found
 * from the end backwards: of a span's children the one that ended last before the moment looked at was waited for.
 * @param {Trace} trace
 * @param {number} root
 * @returns {Segment[]} without overlap, latest first
 */
export function criticalPath(trace, root) {
  /** @type {Segment[]} */
  const path = [];
  const { start, duration } = trace;
  /** @type {{row: number, until: number, children: number[]}[]} */
  const stack = [visit(trace, root, start[root] + duration[root])];
  while (stack.length) {
    const at = stack[stack.length - 1];
    let child = at.children.pop();
    while (child !== undefined && start[child] >= at.until) child = at.children.pop();
    if (child === undefined) {
      if (at.until > start[at.row]) path.push({ row: at.row, from: start[at.row], to: at.until });
      stack.pop();
      continue;
    }
    const end = Math.min(start[child] + duration[child], at.until);
    if (at.until > end) path.push({ row: at.row, from: end, to: at.until });
    at.until = Math.max(start[child], start[at.row]);
    if (end > start[child]) stack.push(visit(trace, child, end));
  }
  return path;
}

/**
 * @param {Trace} trace
 * @param {number} row
 * @param {number} until
 */
function visit(trace, row, until) {
  const { start, duration } = trace;
  const children = [...trace.children(row)].filter((child) => start[child] < until && start[child] + duration[child] > start[row]);
  children.sort((a, b) => start[a] + duration[a] - (start[b] + duration[b]));
  return { row, until, children };
}

/**
 * Services with their share of all self time, largest first.
 * @param {Trace} trace
 * @returns {{service: number, spans: number, errors: number, self: number, share: number}[]}
 */
export function byService(trace) {
  const found = trace.services.map((_, service) => ({ service, spans: 0, errors: 0, self: 0, share: 0 }));
  for (let row = 0; row < trace.size; row++) {
    const one = found[trace.service[row]];
    one.spans += 1;
    one.errors += trace.error[row];
    one.self += trace.self[row];
  }
  const all = found.reduce((sum, one) => sum + one.self, 0);
  for (const one of found) one.share = all ? one.self / all : 0;
  return found.filter((one) => one.spans).sort((a, b) => b.self - a.self);
}

/**
 * What each operation took: a service's spans of one name.
 * @param {Trace} trace
 * @returns {{service: number, name: number, spans: number, errors: number, total: number, self: number, longest: number, row: number}[]}
 */
export function byOperation(trace) {
  /** @type {Map<number, any>} */
  const found = new Map();
  for (let row = 0; row < trace.size; row++) {
    const key = trace.service[row] * trace.names.length + trace.name[row];
    let one = found.get(key);
    if (!one) {
      one = { service: trace.service[row], name: trace.name[row], spans: 0, errors: 0, total: 0, self: 0, longest: -1, row };
      found.set(key, one);
    }
    one.spans += 1;
    one.errors += trace.error[row];
    one.total += trace.duration[row];
    one.self += trace.self[row];
    if (trace.duration[row] > one.longest) [one.longest, one.row] = [trace.duration[row], row];
  }
  return [...found.values()];
}

/**
 * Spans that start before their parent or end after it, by more than a clock's grain: clocks differ, or work goes on.
 * @param {Trace} trace
 * @returns {number[]} rows of children of another service that start before their parent
 */
export function skewed(trace) {
  const rows = [];
  for (let row = 0; row < trace.size; row++) {
    const above = trace.parent[row];
    if (above >= 0 && trace.service[row] !== trace.service[above] && trace.start[row] < trace.start[above]) rows.push(row);
  }
  return rows;
}

/**
 * The stretches in which no span ran at all, longer than a share of the trace.
 * @param {Trace} trace
 * @param {number} [share]
 * @returns {[number, number][]}
 */
export function idleGaps(trace, share = 0.05) {
  /** @type {[number, number][]} */
  const gaps = [];
  let until = 0;
  for (let row = 0; row < trace.size; row++) {
    if (trace.start[row] - until > share * trace.end) gaps.push([until, trace.start[row]]);
    until = Math.max(until, trace.start[row] + trace.duration[row]);
  }
  return gaps;
}
