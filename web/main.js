// @ts-check
/** The frame around every page: where one is, where one can go, and what the keys do. */

import { ApiError, keep, key } from "./frame/api.js";
import { fill, h } from "./frame/dom.js";
import { listen } from "./frame/keyboard.js";
import { follow, here, to } from "./frame/router.js";
import { comparePage } from "./compare/page.js";
import { mapPage } from "./map/page.js";
import { searchPage } from "./search/page.js";
import { servicesPage } from "./services/page.js";
import { read } from "./trace/file.js";
import { tracePage } from "./trace/page.js";
import { keepDropped } from "./trace/source.js";

/**
 * @typedef {object} Frame
 * @property {HTMLElement} main where a page draws itself
 * @property {(error: unknown, again: () => void) => void} failed shows an error in the place of the page; with a way on
 */

/** @type {Record<string, (place: import("./frame/router.js").Place, frame: Frame) => import("./frame/router.js").Page>} */
const PAGES = { search: searchPage, trace: tracePage, compare: comparePage, map: mapPage, services: servicesPage };
const IN_THE_BAR = /** @type {const} */ ([["search", "Search"], ["map", "Map"], ["services", "Services"], ["compare", "Compare"]]);

const main = h("main", { id: "main", tabIndex: -1 });
const links = IN_THE_BAR.map(([name, title]) => h("a", { href: to([name]), data: { page: name } }, title));
const bar = h(
  "header",
  { class: "bar" },
  h("a", { class: "skip", href: "#main" }, "Skip to the page"),
  h("a", { class: "home", href: to(["search"]) }, "Spandrel"),
  h("nav", { "aria-label": "Pages" }, links),
  h("form", { class: "go-to", role: "search", onsubmit: goToTrace }, h("input", {
    type: "search", name: "id", placeholder: "Trace id", "aria-label": "Go to a trace by its id", autocomplete: "off", spellcheck: false,
  })),
);

/** @type {import("./frame/router.js").Page | null} */
let page = null;
let shown = "";

/** @param {import("./frame/router.js").Place} place */
function enter(place) {
  const path = place.parts.join("/");
  if (!page || shown !== path) {
    page?.end?.();
    main.replaceChildren();
    page = null;
    shown = path;
    const made = PAGES[place.parts[0] ?? "search"] ?? unknownPage;
    page = made(place, { main, failed });
    for (const link of links) link.toggleAttribute("aria-current", link.dataset.page === (place.parts[0] ?? "search"));
    document.querySelector("[aria-current]")?.setAttribute("aria-current", "page");
    scrollTo(0, 0);
  }
  page.show(place);
  document.title = `${page.title} – Spandrel`;
}

/** @param {SubmitEvent} event */
function goToTrace(event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const id = String(new FormData(form).get("id") ?? "").trim();
  if (!id) return;
  form.reset();
  history.pushState(null, "", to(["trace", id]));
  enter(here());
}

/** @returns {import("./frame/router.js").Page} */
function unknownPage() {
  return {
    title: "No such page",
    show: () => fill(main, notice("There is no such page", "The address may be mistyped.", h("a", { href: to(["search"]) }, "Search traces"))),
  };
}

/**
 * @param {string} title
 * @param {string} text
 * @param {...import("./frame/dom.js").Child} next what one can do now
 */
function notice(title, text, ...next) {
  return h("section", { class: "notice", role: "status" }, h("h1", {}, title), h("p", {}, text), h("p", {}, next));
}

/**
 * @param {unknown} error
 * @param {() => void} again
 */
function failed(error, again) {
  if (error instanceof ApiError && error.needsKey) return askForKey(error, again);
  const message = error instanceof Error ? error.message : String(error);
  const title = error instanceof ApiError && error.status === 404 ? "Not found" : "That did not work";
  fill(main, notice(title, message, h("button", { onclick: again }, "Try again"), " ", h("a", { href: to(["search"]) }, "Search traces")));
}

/**
 * @param {ApiError} error
 * @param {() => void} again
 */
function askForKey(error, again) {
  const input = h("input", { type: "password", name: "key", required: true, autocomplete: "off", "aria-label": "API key", "aria-describedby": "key-why" });
  const form = h(
    "form",
    { class: "notice", onsubmit: (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      keep(input.value.trim());
      again();
    } },
    h("h1", {}, key() ? "This key does not open that" : "A key is needed"),
    h("p", { id: "key-why" }, `${error.message}. A key with the scope query is made with ./spandrel key create; it is kept for this tab only.`),
    h("p", {}, input, " ", h("button", { class: "first" }, "Open")),
  );
  fill(main, form);
  input.focus();
}

/** A trace's JSON, dropped anywhere: it is drawn, and leaves this machine for nowhere. @param {DragEvent} event */
async function drop(event) {
  const file = event.dataTransfer?.files[0];
  if (!file) return;
  event.preventDefault();
  try {
    keepDropped(read(await file.text()));
    shown = "";
    history.pushState(null, "", to(["trace", "file"], { name: file.name }));
    enter(here());
  } catch (error) {
    shown = "";
    failed(error, () => enter(here()));
  }
}

addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", drop);
document.body.append(bar, main);
listen(() => page?.keys ?? {});
follow(enter);
