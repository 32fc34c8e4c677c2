// @ts-check
/** Search: what is slow or fails among everything, in one page. */

import { ask } from "../frame/api.js";
import { fill, h } from "../frame/dom.js";
import { counted } from "../frame/format.js";
import { change, to } from "../frame/router.js";
import { QueryBox } from "./box.js";
import { FACETS, Facets } from "./facets.js";
import { SearchForm } from "./form.js";
import { Heatmap, cellsOf } from "./heatmap.js";
import { difference } from "./difference.js";
import { narrowed, widened } from "./query.js";
import { RangePicker, asked, rangeOf } from "./range.js";
import { results } from "./results.js";

const EVERYTHING = "{ }";
const LIMIT = 50;
const COLUMNS = 72; // of the heatmap
const LIVE_MS = 5000;

/**
 * @param {import("../frame/router.js").Place} _place
 * @param {import("../main.js").Frame} frame
 * @returns {import("../frame/router.js").Page}
 */
export function searchPage(_place, frame) {
  const page = new SearchPage(frame);
  return { title: "Search", show: (place) => page.show(place.query), end: () => page.end(), keys: page.keys };
}

class SearchPage {
  /** @param {import("../main.js").Frame} frame */
  constructor(frame) {
    this.frame = frame;
    this.query = EVERYTHING;
    this.order = "newest";
    this.range = { startMs: 0, endMs: 0, last: /** @type {string | null} */ (null) };
    const search = (/** @type {string} */ q) => change({ q: q.trim() === EVERYTHING ? null : q.trim() });
    this.box = new QueryBox(search, () => asked(this.range));
    this.form = new SearchForm(search);
    this.picker = new RangePicker();
    this.facets = new Facets((condition, on) => search(on ? narrowed(this.query, condition) : widened(this.query, condition)));
    this.heatmap = new Heatmap({ keep: (box) => this.#keep(box), compare: (box) => this.#compare(box) });
    this.live = h("input", { type: "checkbox", name: "live", onchange: () => change({ live: this.live.checked ? 1 : null }) });
    this.said = h("p", { class: "said quiet", role: "status" });
    this.found = h("div", { class: "found" });
    this.compared = h("div", { class: "compared" });
    this.drawn = h("div", { class: "search-page" },
      h("header", { class: "search-head" }, this.box.element, h("div", { class: "search-tools" }, this.form.element, this.picker.element, h("label", { title: "Search again every few seconds" }, this.live, " live"))),
      h("div", { class: "search-body" }, this.facets.element, h("div", { class: "search-found" }, this.heatmap.element, this.compared, this.said, this.found)));
    this.keys = {
      "/": { says: "write a query", does: () => this.box.input.focus() },
      r: { says: "search again", does: () => this.#load() },
      l: { says: "search again every few seconds, or stop", does: () => change({ live: this.live.checked ? null : 1 }) },
      s: { says: "slowest first, or newest", does: () => this.#sort(this.order === "slowest" ? "newest" : "slowest") },
    };
    /** @type {AbortController | null} */
    this.asking = null;
  }

  end() {
    this.asking?.abort();
    clearTimeout(this.timer);
    this.heatmap.end();
  }

  /** @param {URLSearchParams} query */
  show(query) {
    this.address = query;
    this.query = query.get("q") ?? EVERYTHING;
    this.order = query.get("order") === "slowest" ? "slowest" : "newest";
    this.live.checked = query.has("live");
    this.box.show(this.query);
    this.form.show(this.query);
    this.#load();
  }

  #load() {
    clearTimeout(this.timer);
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    if (!this.drawn.isConnected) fill(this.frame.main, this.drawn);
    this.range = rangeOf(this.address ?? new URLSearchParams(), Date.now());
    this.picker.show(this.range);
    this.said.textContent = "Searching …";
    this.#asked(asking.signal).catch((error) => asking.signal.aborted || this.#failed(error)).finally(() => {
      if (this.live.checked && !asking.signal.aborted) this.timer = setTimeout(() => (document.hidden ? this.#again() : this.#load()), LIVE_MS);
    });
  }

  /** While nobody looks, nothing is asked. */
  #again() {
    document.addEventListener("visibilitychange", () => this.live.checked && this.#load(), { once: true });
  }

  /** @param {AbortSignal} signal */
  async #asked(signal) {
    const range = asked(this.range);
    const step = Math.max(1, Math.ceil((range.end - range.start) / COLUMNS));
    const search = ask("/api/ui/search", { ...range, q: this.query, order: this.order, limit: LIMIT }, signal).then((answer) => this.#list(answer));
    const heatmap = ask("/api/ui/metrics", { ...range, step, q: `${this.query} | histogram_over_time(duration)` }, signal)
      .then((answer) => this.heatmap.show(cellsOf(answer)), (error) => signal.aborted || this.heatmap.fail(error));
    const facets = ask("/api/ui/facets", { ...range, q: this.query, by: FACETS.map(([field]) => field).join(",") }, signal)
      .then((answer) => this.facets.show(this.query, answer.facets), () => signal.aborted || this.facets.show(this.query, []));
    await Promise.all([search, heatmap, facets, this.#difference(signal)]);
  }

  /** @param {any} answer */
  #list(answer) {
    const { traces, inspected } = answer;
    if (!traces.length) {
      this.said.textContent = "";
      fill(this.found, h("div", { class: "empty" }, h("h2", {}, "No trace matches"), h("p", {}, this.query === EVERYTHING
        ? "Nothing was sent in this time. Point an OpenTelemetry SDK at this address, or choose a longer time."
        : "Take a condition away, or choose a longer time."), h("p", {}, h("a", { href: to(["search"], { last: "1d" }) }, "Everything of the last day"))));
      return;
    }
    this.said.textContent = `${traces.length === LIMIT ? `The ${LIMIT} ${this.order}` : counted(traces.length, "trace")} · read ${counted(inspected.spans, "span")} in ${counted(inspected.blocks, "block")}`;
    fill(this.found, results(traces, Date.now(), (order) => this.#sort(order), this.order));
  }

  /** @param {unknown} error */
  #failed(error) {
    const status = /** @type {any} */ (error).status;
    if (status === 401 || status === 403) return this.frame.failed(error, () => this.#load());
    this.said.textContent = "";
    fill(this.found, h("div", { class: "empty", role: "alert" }, h("h2", {}, status === 400 ? "This cannot be searched for" : "That did not work"),
      h("pre", { class: "wrong" }, error instanceof Error ? error.message : String(error)), h("p", {}, h("button", { onclick: () => this.#load() }, "Try again"))));
  }

  /** @param {string} order */
  #sort(order) {
    change({ order: order === "newest" ? null : order });
  }

  /** @param {import("./heatmap.js").Box} box */
  #keep(box) {
    const longer = narrowed(this.query, { field: "duration", operator: ">=", value: box.longerThan });
    change({ q: narrowed(longer, { field: "duration", operator: "<=", value: box.upTo }), start: box.startMs, end: box.endMs, last: null, compare: null });
  }

  /** @param {import("./heatmap.js").Box} box */
  #compare(box) {
    change({ compare: [box.longerThan, box.upTo, box.startMs, box.endMs].join(" ") });
  }

  /** @param {AbortSignal} signal */
  async #difference(signal) {
    const text = this.address?.get("compare");
    if (!text) return fill(this.compared);
    const [longer, upTo, startMs, endMs] = text.split(" ");
    const chosen = `{ duration >= ${longer} && duration <= ${upTo} }`;
    const answer = await ask("/api/ui/metrics", { ...asked(this.range), q: `${this.query} | compare(${chosen}, 10, ${Number(startMs)}000000, ${Number(endMs)}000000)` }, signal);
    fill(this.compared, difference(answer, chosen, (condition) => change({ q: narrowed(this.query, condition), compare: null }), () => change({ compare: null })));
  }
}
