// @ts-check
/** A trace out of a file: OTLP's, Jaeger's or Zipkin's JSON, whichever it is, as the columns that a page draws. */

import { Trace, MISSING, ROOT } from "./model.js";

/**
 * A span as the three formats have it in common; times in microseconds since 1970.
 * @typedef {object} Span
 * @property {string} traceId
 * @property {string} id
 * @property {string} parent
 * @property {string} service
 * @property {string} name
 * @property {number} kind
 * @property {number} start
 * @property {number} duration
 * @property {boolean} error
 * @property {number[]} events
 * @property {number} links
 * @property {import("./source.js").Detail} detail
 */

const JAEGER_KINDS = /** @type {Record<string, number>} */ ({ internal: 1, server: 2, client: 3, producer: 4, consumer: 5 });
const OTLP_KINDS = ["SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"];

/**
 * The largest trace of a file. An Error says what is wrong with it.
 * @param {string} text
 * @returns {import("./source.js").Source}
 */
export function read(text) {
  let json;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`The file is no JSON: ${error instanceof Error ? error.message : error}`);
  }
  const spans = spansOf(json);
  if (!spans.length) throw new Error("There is no span in the file. Traces are read as JSON of OTLP, Jaeger or Zipkin.");
  /** @type {Map<string, Span[]>} */
  const traces = new Map();
  for (const span of spans) traces.set(span.traceId, [...(traces.get(span.traceId) ?? []), span]);
  const [largest] = [...traces.values()].sort((a, b) => b.length - a.length);
  return sourceOf(largest.sort((a, b) => a.start - b.start));
}

/**
 * @param {any} json
 * @returns {Span[]}
 */
function spansOf(json) {
  const otlp = json.resourceSpans ?? json.batches ?? json.result?.resourceSpans;
  if (Array.isArray(otlp)) return otlp.flatMap(ofResource);
  if (Array.isArray(json.data)) return json.data.flatMap(ofJaeger);
  if (Array.isArray(json.spans) && json.processes) return ofJaeger(json);
  if (Array.isArray(json)) return json.flat().filter((span) => span?.traceId).map(ofZipkin);
  return [];
}

/** @param {any} resourceSpans */
function ofResource(resourceSpans) {
  const resource = resourceSpans.resource ?? {};
  const service = (resource.attributes ?? []).find((/** @type {any} */ one) => one.key === "service.name")?.value?.stringValue ?? "";
  return (resourceSpans.scopeSpans ?? resourceSpans.instrumentationLibrarySpans ?? []).flatMap((/** @type {any} */ scopeSpans) =>
    (scopeSpans.spans ?? []).map((/** @type {any} */ span) => {
      const start = us(span.startTimeUnixNano);
      return {
        traceId: span.traceId, id: String(span.spanId).toLowerCase().padStart(16, "0"), parent: span.parentSpanId ?? "", service, name: span.name ?? "",
        kind: typeof span.kind === "string" ? Math.max(0, OTLP_KINDS.indexOf(span.kind)) : span.kind ?? 0, start, duration: us(span.endTimeUnixNano) - start,
        error: span.status?.code === 2 || span.status?.code === "STATUS_CODE_ERROR", events: (span.events ?? []).map((/** @type {any} */ event) => us(event.timeUnixNano)),
        links: (span.links ?? []).length, detail: { span, resource, scope: scopeSpans.scope ?? {} },
      };
    }));
}

/** @param {any} trace */
function ofJaeger(trace) {
  return (trace.spans ?? []).map((/** @type {any} */ span) => {
    const process = trace.processes?.[span.processID] ?? span.process ?? {};
    const tag = (/** @type {string} */ key) => (span.tags ?? []).find((/** @type {any} */ one) => one.key === key)?.value;
    const references = span.references ?? [];
    const above = references.find((/** @type {any} */ one) => one.traceID === span.traceID && one.refType === "CHILD_OF") ?? references.find((/** @type {any} */ one) => one.traceID === span.traceID);
    return {
      traceId: span.traceID, id: String(span.spanID).padStart(16, "0"), parent: above?.spanID ?? "", service: process.serviceName ?? "", name: span.operationName ?? "",
      kind: JAEGER_KINDS[tag("span.kind")] ?? 0, start: span.startTime, duration: span.duration, error: tag("error") === true || tag("error") === "true",
      events: (span.logs ?? []).map((/** @type {any} */ log) => log.timestamp), links: references.filter((/** @type {any} */ one) => one !== above).length,
      detail: {
        span: { name: span.operationName, attributes: attributes(span.tags), events: (span.logs ?? []).map((/** @type {any} */ log) => ({ timeUnixNano: `${log.timestamp}000`, name: log.fields?.find((/** @type {any} */ one) => one.key === "event")?.value ?? "", attributes: attributes(log.fields) })) },
        resource: { attributes: attributes([{ key: "service.name", value: process.serviceName }, ...(process.tags ?? [])]) }, scope: {},
      },
    };
  });
}

/** @param {any} span */
function ofZipkin(span) {
  const service = span.localEndpoint?.serviceName ?? "";
  const tags = Object.entries(span.tags ?? {}).map(([key, value]) => ({ key, value }));
  return {
    traceId: span.traceId, id: String(span.id).padStart(16, "0"), parent: span.parentId ?? "", service, name: span.name ?? "",
    kind: JAEGER_KINDS[String(span.kind ?? "").toLowerCase()] ?? 0, start: span.timestamp ?? 0, duration: span.duration ?? 0, error: "error" in (span.tags ?? {}),
    events: (span.annotations ?? []).map((/** @type {any} */ one) => one.timestamp), links: 0,
    detail: {
      span: { name: span.name, attributes: attributes(tags), events: (span.annotations ?? []).map((/** @type {any} */ one) => ({ timeUnixNano: `${one.timestamp}000`, name: one.value })) },
      resource: { attributes: attributes([{ key: "service.name", value: service }]) }, scope: {},
    },
  };
}

/** @param {any[] | undefined} tags */
function attributes(tags) {
  return (tags ?? []).map(({ key, value }) => ({ key, value: { stringValue: String(value) } }));
}

/** Nanoseconds as text or number -> microseconds. @param {string | number | undefined} ns */
function us(ns) {
  return Number(BigInt(ns ?? 0)) / 1000;
}

/**
 * @param {Span[]} spans of one trace, in the order of their starts
 * @returns {import("./source.js").Source}
 */
function sourceOf(spans) {
  const begin = spans.find((span) => span.start)?.start ?? 0;
  const coded = (/** @type {string[]} */ values) => {
    const names = [...new Set(values)];
    const places = new Map(names.map((name, at) => [name, at]));
    return { names, codes: values.map((value) => places.get(value) ?? 0) };
  };
  const [services, names] = [coded(spans.map((span) => span.service)), coded(spans.map((span) => span.name))];
  /** @type {Map<string, number>} */
  const rows = new Map();
  spans.forEach((span, row) => rows.has(span.id) || rows.set(span.id, row));
  const parent = spans.map((span, row) => {
    const first = /** @type {number} */ (rows.get(span.id));
    if (first !== row) return first; // Zipkin's server joins its client's span: they share an id
    return span.parent ? rows.get(span.parent.toLowerCase().padStart(16, "0")) ?? MISSING : ROOT;
  });
  const trace = new Trace({
    trace_id: spans[0].traceId, start_unix_nano: String(BigInt(Math.round(begin)) * 1000n), services: services.names, names: names.names,
    ids: spans.map((span) => span.id).join(""), parent,
    service: services.codes, name: names.codes, kind: spans.map((span) => span.kind), start: spans.map((span) => Math.max(0, span.start - begin)), duration: spans.map((span) => span.duration),
    errors: spans.flatMap((span, row) => (span.error ? [row] : [])), events: spans.flatMap((span, row) => (span.events.length ? [/** @type {[number, number[]]} */ ([row, span.events.map((at) => at - begin)])] : [])),
    links: spans.flatMap((span, row) => (span.links ? [/** @type {[number, number]} */ ([row, span.links])] : [])),
  });
  return { trace, stored: false, detail: async (row) => spans[row].detail };
}
