// @ts-check
/** Where a trace comes from: the API, or a file that somebody dropped on the page. */

import { ask } from "../frame/api.js";
import { Trace } from "./model.js";

/**
 * @typedef {object} Source
 * @property {Trace} trace
 * @property {(row: number) => Promise<Detail>} detail all that a span says
 * @property {boolean} stored whether the API has the trace, so that it can be downloaded and linked to
 */

/**
 * A span with its resource and scope, as OTLP's JSON has them.
 * @typedef {{span: any, resource: any, scope: any}} Detail
 */

/**
 * @param {string} id any spelling of a trace id
 * @param {AbortSignal} signal
 * @returns {Promise<Source>}
 */
export async function stored(id, signal) {
  const trace = new Trace(await ask(`/api/ui/traces/${encodeURIComponent(id)}`, {}, signal));
  /** @type {Map<number, Promise<Detail>>} */
  const details = new Map();
  const detail = (/** @type {number} */ row) => {
    let found = details.get(row);
    if (!found) {
      found = ask(`/api/ui/traces/${trace.id}/spans/${trace.spanId(row)}`, { kind: trace.kind[row], service: trace.services[trace.service[row]] });
      found.catch(() => details.delete(row));
      details.set(row, found);
    }
    return found;
  };
  return { trace, detail, stored: true };
}

/** @type {Source | null} */
let file = null;

/**
 * Keeps a trace that was read from a file, for the page `trace/file`.
 * @param {Source} source
 */
export function keepDropped(source) {
  file = source;
}

/** The trace that was dropped last; an error where there is none, as after the page was loaded again. */
export async function dropped() {
  if (!file) throw new Error("The file is not here any more: drop it on the page again.");
  return file;
}
