// @ts-check
/** Questions to the API of this origin, with the key of this session. */

const KEY = "spandrel-key";

/** An answer that is none: what was asked, and what the API said. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 where there was no answer
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** Whether a key, or another key, would help. */
  get needsKey() {
    return this.status === 401 || this.status === 403;
  }
}

/** The key of this session, if any: it is forgotten with the tab. */
export function key() {
  return sessionStorage.getItem(KEY) ?? "";
}

/** @param {string} value */
export function keep(value) {
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
}

/**
 * The JSON at a path. ApiError says why there is none; an aborted request throws what `fetch` throws.
 * @param {string} path
 * @param {Record<string, string | number | undefined | null>} [parameters] those without a value are left out
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function ask(path, parameters = {}, signal) {
  const response = await answered(address(path, parameters), { signal });
  return response.json();
}

/**
 * The body at a path as it is, for downloads.
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<Blob>}
 */
export async function download(path, signal) {
  const response = await answered(path, { signal });
  return response.blob();
}

/**
 * @param {string} path
 * @param {Record<string, string | number | undefined | null>} parameters
 */
export function address(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return query ? `${path}?${query}` : path;
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function answered(path, options) {
  const headers = key() ? { "x-api-key": key() } : undefined;
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, "The API does not answer. Is it up, and is this machine online?");
  }
  if (response.ok) return response;
  throw new ApiError(response.status, await said(response));
}

/**
 * What an error's body says, in any of the forms of our APIs.
 * @param {Response} response
 */
async function said(response) {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    return body.error?.message ?? body.errors?.[0]?.msg ?? body.message ?? text;
  } catch {
    return text || `${response.status} ${response.statusText}`;
  }
}
