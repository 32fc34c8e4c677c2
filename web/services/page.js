// @ts-check
/** How services do: rate, errors and latency over time, the worst first; each point leads to the traces behind it. */

import { ask } from "../frame/api.js";
import { fill, h } from "../frame/dom.js";
import { count, counted, duration, percent, rate } from "../frame/format.js";
import { change, to } from "../frame/router.js";
import { field, quoted } from "../search/query.js";
import { RangePicker, asked, rangeOf } from "../search/range.js";
import { chart } from "./chart.js";

const STEPS = 60;

/**
 * @param {import("../frame/router.js").Place} _place
 * @param {import("../main.js").Frame} frame
 * @returns {import("../frame/router.js").Page}
 */
export function servicesPage(_place, frame) {
  const page = new ServicesPage(frame);
  return { title: "Services", show: (place) => page.show(place.query), end: () => page.asking?.abort(), keys: { Escape: { says: "back to all services", does: () => change({ service: null }) } } };
}

class ServicesPage {
  /** @param {import("../main.js").Frame} frame */
  constructor(frame) {
    this.frame = frame;
    this.picker = new RangePicker();
    this.said = h("p", { class: "quiet", role: "status" });
    this.title = h("h1", {}, "Services");
    this.list = h("div", { class: "services" });
    this.drawn = h("div", { class: "services-page" }, h("header", { class: "page-head" }, this.title, this.said, this.picker.element), this.list);
    /** @type {AbortController | null} */
    this.asking = null;
  }

  /** @param {URLSearchParams} query */
  show(query) {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    const range = rangeOf(query, Date.now());
    const service = query.get("service");
    this.picker.show(range);
    if (!this.drawn.isConnected) fill(this.frame.main, this.drawn);
    this.said.textContent = "Asking …";
    const times = asked(range);
    ask("/api/ui/traffic", { ...times, step: Math.ceil((times.end - times.start) / STEPS), service }, asking.signal)
      .then((answer) => this.#draw(answer, service, (range.endMs - range.startMs) / 1000))
      .catch((error) => asking.signal.aborted || this.frame.failed(error, () => this.show(query)));
  }

  /**
   * @param {any} answer
   * @param {string | null} service
   * @param {number} seconds
   */
  #draw(answer, service, seconds) {
    fill(this.title, service ? [h("a", { href: to(["services"]) }, "Services"), ` / ${service}`] : "Services");
    const series = [...answer.series].sort((a, b) => failing(b) - failing(a) || (b.quantiles_us[1] ?? 0) - (a.quantiles_us[1] ?? 0));
    this.said.textContent = series.length ? `${counted(series.length, service ? "operation" : "service")}, the worst first` : "";
    if (!series.length) return fill(this.list, h("div", { class: "empty" }, h("h2", {}, "No spans in this time"), h("p", {}, "Choose a longer time, or send some: ./spandrel demo does.")));
    const head = [service ? "operation" : "service", "rate", "", "errors", "", "p50, p95, p99", ""];
    fill(this.list, h("table", {}, h("thead", {}, h("tr", {}, head.map((title) => h("th", { scope: "col" }, title)))),
      h("tbody", {}, series.map((one) => line(one, answer, service, seconds)))));
  }
}

/** @param {any} one */
function failing(one) {
  return one.calls ? one.errors / one.calls : 0;
}

/**
 * @param {any} one
 * @param {any} answer
 * @param {string | null} service
 * @param {number} seconds
 */
function line(one, answer, service, seconds) {
  const name = service ? one.operation : one.service;
  const conditions = [`${field("resource", "service.name")} = ${quoted(service ?? one.service)}`, ...(service ? [`name = ${quoted(one.operation)}`] : [])];
  const behind = (/** @type {number} */ step, /** @type {string[]} */ more, /** @type {string} */ order) => to(["search"], {
    q: `{ ${[...conditions, ...more].join(" && ")} }`, start: answer.start_ms + step * answer.step_ms, end: answer.start_ms + (step + 1) * answer.step_ms, order,
  });
  const perStep = answer.step_ms / 1000;
  const values = (/** @type {number} */ at) => one.points.map((/** @type {any} */ point) => point[at]);
  return h("tr", {},
    h("th", { scope: "row" }, service ? h("a", { href: behind(0, [], "").replace(/&?(start|end)=\d+/g, "") }, name || "(no name)") : h("a", { href: to(["services"], { service: name }) }, name || "(no service)")),
    h("td", { class: "number" }, rate(one.calls / seconds)),
    h("td", {}, chart("Rate", [values(0)], (value) => rate(value / perStep), answer, (step) => behind(step, [], ""))),
    h("td", { class: one.errors ? "number wrong" : "number" }, one.errors ? percent(failing(one)) : "–", one.errors ? h("span", { class: "quiet" }, ` ${count(one.errors)}`) : null),
    h("td", {}, chart("Errors", [values(1)], (value) => counted(value, "error"), answer, (step) => behind(step, ["status = error"], ""), "fails")),
    h("td", { class: "number" }, one.quantiles_us.map((/** @type {number | null} */ us) => duration(us ?? NaN)).join(", ")),
    h("td", {}, chart("Latency", [values(2), values(3), values(4)], (value) => duration(value), answer, (step) => behind(step, [], "slowest"))));
}
