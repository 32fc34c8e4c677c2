// @ts-check
/** How numbers, durations and times are written: three significant digits, with their unit. */

const UNITS = /** @type {const} */ ([
  [86400e6, "d"],
  [3600e6, "h"],
  [60e6, "min"],
  [1e6, "s"],
  [1e3, "ms"],
  [1, "µs"],
]);

/**
 * A duration in microseconds: "1.23 ms", "0 µs", "2 min 5 s".
 * @param {number} us
 * @returns {string}
 */
export function duration(us) {
  if (!Number.isFinite(us)) return "–";
  if (us < 0) return `−${duration(-us)}`;
  const found = UNITS.findIndex(([size]) => us >= size * 0.9995);
  if (found === -1) return us === 0 ? "0 µs" : `${significant(us * 1000)} ns`;
  const [size, unit] = UNITS[found];
  if (size <= 1e6) return `${significant(us / size)} ${unit}`;
  const [smaller, smallerUnit] = UNITS[found + 1];
  const whole = Math.floor(us / size);
  const rest = Math.floor((us - whole * size) / smaller);
  return rest ? `${whole} ${unit} ${rest} ${smallerUnit}` : `${whole} ${unit}`;
}

/**
 * Three significant digits, no exponent: "0.00123", "12.3", "1230".
 * @param {number} value
 */
export function significant(value) {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)) + 1e-9));
  const text = value.toFixed(Math.min(digits, 12));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/**
 * A count, with groups of three: "12 345".
 * @param {number} value
 */
export function count(value) {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/**
 * "1 span", "2 spans".
 * @param {number} value
 * @param {string} one
 * @param {string} [many]
 */
export function counted(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/**
 * A share of one as per cent: "12.3 %".
 * @param {number} share
 */
export function percent(share) {
  return `${significant(share * 100)} %`;
}

/**
 * A rate a second: "12.3/s", "4.5/min".
 * @param {number} perSecond
 */
export function rate(perSecond) {
  if (perSecond === 0) return "0/s";
  if (perSecond >= 1) return `${significant(perSecond)}/s`;
  return perSecond * 60 >= 1 ? `${significant(perSecond * 60)}/min` : `${significant(perSecond * 3600)}/h`;
}

/**
 * A moment in unix milliseconds, in local time: "2026-11-22 17:05:09.123".
 * @param {number} ms
 */
export function moment(ms) {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return "–";
  return `${day(ms)} ${clock(ms)}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** @param {number} ms */
export function day(ms) {
  const at = new Date(ms);
  return [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
}

/** @param {number} ms */
export function clock(ms) {
  const at = new Date(ms);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, "0");
}

/**
 * How long ago: "just now", "5 min ago", "3 d ago".
 * @param {number} ms
 * @param {number} nowMs
 */
export function ago(ms, nowMs) {
  const s = (nowMs - ms) / 1000;
  if (s < 0) return "in the future";
  if (s < 10) return "just now";
  for (const [size, unit] of /** @type {const} */ ([[86400, "d"], [3600, "h"], [60, "min"]])) {
    if (s >= size) return `${Math.floor(s / size)} ${unit} ago`;
  }
  return `${Math.floor(s)} s ago`;
}

/**
 * Marks for an axis from 0 to `end`: at most `most`, at round values.
 * @param {number} end
 * @param {number} most
 * @returns {number[]}
 */
export function ticks(end, most) {
  if (!(end > 0)) return [0];
  const raw = end / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= raw) ?? 10);
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, at) => at * step);
}
