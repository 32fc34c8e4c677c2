// @ts-check
/**
 * Every state of a page is in its address: the path names the page, the query what it shows.
 *
 * A page is a function `(place, frame) => Page`; it is made when its path is entered, told of each new query, and
 * ended when another page comes.
 */

/**
 * @typedef {object} Place
 * @property {string[]} parts the path below /ui/, as it was divided by slashes
 * @property {URLSearchParams} query
 */

/**
 * @typedef {object} Page
 * @property {string} title
 * @property {(place: Place) => void} show called with each new query of the same path
 * @property {() => void} [end]
 * @property {import("./keyboard.js").Keys} [keys] what keys do on this page
 */

const ROOT = "/ui/";

/** @returns {Place} */
export function here() {
  const parts = location.pathname.slice(ROOT.length).split("/").filter(Boolean).map(decodeURIComponent);
  return { parts, query: new URLSearchParams(location.search) };
}

/**
 * The address of a page.
 * @param {string[]} parts
 * @param {Record<string, string | number | boolean | null | undefined> | URLSearchParams} [query] empty values are left out
 */
export function to(parts, query = {}) {
  const pairs = query instanceof URLSearchParams ? [...query] : Object.entries(query);
  const given = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return ROOT + parts.map(encodeURIComponent).join("/") + (text ? `?${text}` : "");
}

/**
 * Goes to an address of ours.
 * @param {string} address
 * @param {{replace?: boolean}} [how] `replace` makes no entry in the history: for what changes as one drags or types
 */
export function go(address, { replace = false } = {}) {
  if (address === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  dispatchEvent(new PopStateEvent("popstate"));
}

/**
 * Changes some of the query of where we are.
 * @param {Record<string, string | number | boolean | null | undefined>} changes null takes a parameter away
 * @param {{replace?: boolean}} [how]
 */
export function change(changes, how = {}) {
  const { parts, query } = here();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "" || value === false) query.delete(name);
    else query.set(name, String(value));
  }
  go(to(parts, query), how);
}

/**
 * Calls back at each change of the address, and takes over clicks on links to pages of ours.
 * @param {(place: Place) => void} changed
 */
export function follow(changed) {
  addEventListener("popstate", () => changed(here()));
  document.addEventListener("click", (event) => {
    const link = /** @type {Element} */ (event.target).closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target || link.download) return;
    if (link.origin !== location.origin || !link.pathname.startsWith(ROOT)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
  changed(here());
}
