// @ts-check
/** What keys do, and the list of them that `?` shows. */

import { fill, h } from "./dom.js";

/**
 * @typedef {object} Key
 * @property {string} says what it does, for the list
 * @property {(event: KeyboardEvent) => void} does
 */
/** @typedef {Record<string, Key>} Keys by the key's name; several names for one are joined by a space */

const NAMES = /** @type {Record<string, string>} */ ({ ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" });

/**
 * Listens for keys. `keys()` gives those of the page that is shown.
 * @param {() => Keys} keys
 */
export function listen(keys) {
  const help = dialog();
  document.body.append(help);
  addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || typing(event.target)) return;
    if (event.key === "?") {
      event.preventDefault();
      show(help, keys());
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    for (const [names, key] of Object.entries(keys())) {
      if (names.split(" ").includes(event.key)) {
        event.preventDefault();
        key.does(event);
        return;
      }
    }
  });
}

/** @param {EventTarget | null} target */
function typing(target) {
  return target instanceof Element && target.matches("input, textarea, select, [contenteditable]");
}

function dialog() {
  return h("dialog", { class: "keys", "aria-labelledby": "keys-title" });
}

/**
 * @param {HTMLDialogElement} help
 * @param {Keys} keys
 */
function show(help, keys) {
  const listed = { ...keys, "?": { says: "show these keys" } };
  fill(
    help,
    h("h2", { id: "keys-title" }, "Keys"),
    h("dl", {}, Object.entries(listed).map(([names, key]) => [
      h("dt", {}, names.split(" ").map((name) => h("kbd", {}, NAMES[name] ?? name))),
      h("dd", {}, key.says),
    ]).flat()),
    h("form", { method: "dialog" }, h("button", {}, "Close")),
  );
  if (!help.open) help.showModal();
}
