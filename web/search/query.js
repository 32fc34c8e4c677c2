// @ts-check
/**
 * TraceQL as pages write it: conditions on one span, joined by `&&` in one pair of braces. What a person wrote
 * otherwise is left as it is, and a condition is then added beside it.
 */

/** @typedef {{field: string, operator: string, value: string}} Condition `value` as TraceQL writes it: `"text"`, `5ms`, `error` */

const CONDITION = /^\s*([\w.:@/^-]+|[\w.]*\."(?:[^"\\]|\\.)*")\s*(=~|!~|>=|<=|!=|=|>|<)\s*("(?:[^"\\]|\\.)*"|`[^`]*`|[\w.+-]+(?:µs)?)\s*/;

/**
 * The conditions of a query; null where it says more than conditions on one span.
 * @param {string} query
 * @returns {Condition[] | null}
 */
export function conditions(query) {
  const inner = /^\s*\{([^]*)\}\s*$/.exec(query)?.[1] ?? (query.trim() === "" ? "" : null);
  if (inner === null) return null;
  const found = [];
  let rest = inner;
  while (rest.trim()) {
    const match = CONDITION.exec(rest);
    if (!match) return null;
    found.push({ field: match[1], operator: match[2], value: match[3] });
    rest = rest.slice(match[0].length);
    if (!rest.trim()) break;
    if (!rest.startsWith("&&")) return null;
    rest = rest.slice(2);
    if (!rest.trim()) return null;
  }
  return found;
}

/**
 * @param {Condition[]} given
 */
export function written(given) {
  return given.length ? `{ ${given.map(({ field, operator, value }) => `${field} ${operator} ${value}`).join(" && ")} }` : "{ }";
}

/**
 * The query with one more condition; one on the same field with the same operator goes.
 * @param {string} query
 * @param {Condition} condition
 */
export function narrowed(query, condition) {
  const given = conditions(query);
  if (!given) return `${written([condition])} && ${query.trim()}`;
  return written([...without(given, condition), condition]);
}

/**
 * The query without conditions on a field with an operator, where it is made of conditions.
 * @param {string} query
 * @param {{field: string, operator: string}} condition
 */
export function widened(query, condition) {
  const given = conditions(query);
  return given ? written(without(given, condition)) : query;
}

/**
 * @param {Condition[]} given
 * @param {{field: string, operator: string}} condition
 */
function without(given, { field, operator }) {
  return given.filter((one) => one.field !== field || one.operator !== operator);
}

/**
 * A text as TraceQL writes it.
 * @param {string} text
 */
export function quoted(text) {
  return JSON.stringify(text);
}

/**
 * What a quoted text says; others as they are.
 * @param {string} value
 */
export function unquoted(value) {
  if (value.startsWith('"')) {
    try {
      return String(JSON.parse(value));
    } catch {
      return value.slice(1, -1);
    }
  }
  return value.startsWith("`") ? value.slice(1, -1) : value;
}

/**
 * A field of a scope by its name, in quotes where the name needs them.
 * @param {string} scope span, resource, event, link, instrumentation or intrinsic
 * @param {string} name
 */
export function field(scope, name) {
  if (scope === "intrinsic") return name;
  return `${scope}.${/^[\w.\-/]+$/.test(name) ? name : quoted(name)}`;
}

/**
 * A duration of microseconds as TraceQL writes it, to three digits.
 * @param {number} us
 */
export function durationText(us) {
  if (us >= 1e6) return `${Number((us / 1e6).toPrecision(4))}s`;
  if (us >= 1e3) return `${Number((us / 1e3).toPrecision(4))}ms`;
  return us >= 1 ? `${Number(us.toPrecision(4))}us` : `${Math.round(us * 1000)}ns`;
}

/**
 * What is being written at the cursor: the name of a field, or a value of a field, and what there is of it so far.
 * @param {string} text
 * @param {number} cursor
 * @returns {{field: string | null, so_far: string, from: number, quoted: boolean}}
 */
export function atCursor(text, cursor) {
  const before = text.slice(0, cursor);
  const value = /([\w.:@/-]+)\s*(?:=~|!~|>=|<=|!=|=|>|<)\s*("?)([^"\s&|{}()]*)$/.exec(before);
  if (value) return { field: value[1], so_far: value[3], from: cursor - value[3].length - value[2].length, quoted: value[2] === '"' };
  const name = /[\w.:@/-]*$/.exec(before)?.[0] ?? "";
  return { field: null, so_far: name, from: cursor - name.length, quoted: false };
}
