// @ts-check
/** The trace as a file, in the formats that other tools read. */

import { download } from "../frame/api.js";
import { h } from "../frame/dom.js";

const FORMATS = /** @type {const} */ ([
  ["OTLP", "otlp", (/** @type {string} */ id) => `/api/v3/traces/${id}`],
  ["Jaeger", "jaeger", (/** @type {string} */ id) => `/api/traces/${id}?raw=true`],
  ["Zipkin", "zipkin", (/** @type {string} */ id) => `/api/v2/trace/${id}`],
]);

/**
 * Buttons, one a format; none for a trace that the API does not have.
 * @param {import("./source.js").Source} source
 */
export function downloads(source) {
  if (!source.stored) return [];
  return FORMATS.map(([title, name, path]) => {
    const button = h("button", { class: "link", title: `Download as ${title} JSON`, onclick: () => save(button, path(source.trace.id), `trace-${source.trace.id}.${name}.json`) }, title);
    return button;
  });
}

/**
 * @param {HTMLButtonElement} button
 * @param {string} path
 * @param {string} name
 */
async function save(button, path, name) {
  button.disabled = true;
  try {
    const address = URL.createObjectURL(await download(path));
    h("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 0);
  } catch (error) {
    button.title = error instanceof Error ? error.message : String(error);
    button.classList.add("wrong");
  } finally {
    button.disabled = false;
  }
}
