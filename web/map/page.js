// @ts-check
/** Who calls whom: services as cards from left to right, lines as wide as their traffic, red only where it fails. */

import { ask } from "../frame/api.js";
import { colour, places as placesOf } from "../frame/colours.js";
import { fill, h, svg } from "../frame/dom.js";
import { count, counted, duration, percent, rate } from "../frame/format.js";
import { change, to } from "../frame/router.js";
import { quoted } from "../search/query.js";
import { RangePicker, asked, rangeOf } from "../search/range.js";
import { CARD, laidOut } from "./layout.js";

const WIDEST_PX = 9;
const MARGIN_PX = 24;

/**
 * @param {import("../frame/router.js").Place} _place
 * @param {import("../main.js").Frame} frame
 * @returns {import("../frame/router.js").Page}
 */
export function mapPage(_place, frame) {
  const page = new MapPage(frame);
  return { title: "Map", show: (place) => page.show(place.query), end: () => page.asking?.abort(), keys: { Escape: { says: "show all services", does: () => change({ focus: null }) } } };
}

class MapPage {
  /** @param {import("../main.js").Frame} frame */
  constructor(frame) {
    this.frame = frame;
    this.picker = new RangePicker();
    this.said = h("p", { class: "quiet", role: "status" });
    this.canvas = h("div", { class: "map" });
    this.drawn = h("div", { class: "map-page" }, h("header", { class: "page-head" }, h("h1", {}, "Map"), this.said, this.picker.element), this.canvas);
    /** @type {AbortController | null} */
    this.asking = null;
    this.loaded = "";
    /** @type {any} */
    this.answer = null;
  }

  /** @param {URLSearchParams} query */
  show(query) {
    this.focus = query.get("focus");
    this.range = rangeOf(query, Date.now());
    this.picker.show(this.range);
    if (!this.drawn.isConnected) fill(this.frame.main, this.drawn);
    const wanted = [query.get("start"), query.get("end"), query.get("last")].join(" ");
    if (this.answer && this.loaded === wanted) return this.#draw();
    this.loaded = wanted;
    this.#load();
  }

  #load() {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    this.said.textContent = "Asking …";
    const range = /** @type {{startMs: number, endMs: number}} */ (this.range);
    ask("/api/ui/map", asked(range), asking.signal).then((answer) => {
      this.answer = answer;
      this.#draw();
    }).catch((error) => asking.signal.aborted || this.frame.failed(error, () => {
      fill(this.frame.main, this.drawn);
      this.#load();
    }));
  }

  #draw() {
    const { links: all, services } = this.answer;
    const links = this.focus ? all.filter((/** @type {any} */ link) => link.parent === this.focus || link.child === this.focus) : all;
    const known = new Map(services.map((/** @type {any} */ one) => [one.service, one]));
    const names = [...new Set([...links.flatMap((/** @type {any} */ link) => [link.parent, link.child]), ...(this.focus ? [this.focus] : known.keys())])].sort();
    if (!names.length) {
      this.said.textContent = "";
      return fill(this.canvas, h("div", { class: "empty" }, h("h2", {}, "No service sent anything in this time"), h("p", {}, "Choose a longer time, or send spans: ./spandrel demo sends those of a small shop.")));
    }
    this.said.replaceChildren(`${counted(names.length, "service")}, ${counted(links.length, "link")}`, ...(this.focus ? [" around ", h("b", {}, this.focus), " ", h("button", { onclick: () => change({ focus: null }) }, "show all")] : []));
    const { places, width, height } = laidOut(names, links);
    const most = Math.max(1, ...links.map((/** @type {any} */ link) => link.calls));
    const seconds = ((this.range?.endMs ?? 0) - (this.range?.startMs ?? 0)) / 1000;
    const colours = placesOf(names);
    fill(this.canvas, h("div", { class: "sheet", style: { width: `${width + 2 * MARGIN_PX}px`, height: `${height + 2 * MARGIN_PX}px` } },
      svg("svg", { width: width + 2 * MARGIN_PX, height: height + 2 * MARGIN_PX, "aria-hidden": "true" }, links.map((/** @type {any} */ link) => line(link, places, most))),
      names.map((name) => card(name, known.get(name), places.get(name), colours.get(name) ?? 0, seconds, this.focus ?? null, links))));
  }
}

/**
 * @param {any} link
 * @param {Map<string, import("./layout.js").Place>} places
 * @param {number} most
 */
function line(link, places, most) {
  const [from, until] = [places.get(link.parent), places.get(link.child)];
  if (!from || !until) return null;
  const [x1, y1] = [from.x + CARD.width + MARGIN_PX, from.y + CARD.height / 2 + MARGIN_PX];
  const [x2, y2] = [until.x + MARGIN_PX, until.y + CARD.height / 2 + MARGIN_PX];
  const bend = Math.max(40, Math.abs(x2 - x1) / 2);
  const path = `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
  return svg("path", { d: path, class: link.errors ? "edge fails" : "edge", style: { "stroke-width": `${1 + (WIDEST_PX - 1) * Math.sqrt(link.calls / most)}px`, "--share": link.errors / link.calls } },
    svg("title", {}, `${link.parent} → ${link.child}: ${counted(link.calls, "call")}, ${counted(link.errors, "error")}`));
}

/**
 * A service, or a pill for what sent no spans itself: a database, a broker, somebody else's API.
 * @param {string} name
 * @param {any} service
 * @param {any} place
 * @param {number} at
 * @param {number} seconds
 * @param {string | null} focus
 * @param {any[]} links
 */
function card(name, service, place, at, seconds, focus, links) {
  const style = { left: `${place.x + MARGIN_PX}px`, top: `${place.y + MARGIN_PX}px`, width: `${CARD.width}px`, height: `${CARD.height}px`, "--service": colour(at) };
  const calls = links.filter((link) => link.child === name).reduce((sum, link) => sum + link.calls, 0);
  const facts = service
    ? [rate(service.calls / seconds), `p95 ${duration(service.quantiles_us[1] ?? NaN)}`]
    : [`${rate(calls / seconds)} asked of it`];
  const errors = service?.errors ? h("span", { class: "wrong" }, `${percent(service.errors / service.calls)} fail`) : null;
  return h("button", {
    class: service ? "card" : "card pill", style, "aria-pressed": String(focus === name), title: service ? `${name}: ${count(service.calls)} calls. Click to see its neighbours.` : `${name} sends no spans itself`,
    onclick: () => change({ focus: focus === name ? null : name }),
    ondblclick: () => location.assign(to(["search"], { q: `{ resource.service.name = ${quoted(name)} }` })),
  }, h("span", { class: "name" }, name || "(no service)"), h("span", { class: "quiet" }, facts.join(" · ")), errors);
}
