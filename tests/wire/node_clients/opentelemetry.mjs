// A program that OpenTelemetry traces. Its argument is the package of its exporter; the exporter reads from OTEL_…
// variables where to send, and with which key.
// It prints the header by which it would hand on its trace.
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, defaultTextMapSetter, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

const { OTLPTraceExporter } = await import(process.argv[2]);
const provider = new TracerProvider({
  resource: resourceFromAttributes({ "service.name": "shop" }),
  spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
});
const tracer = provider.getTracer("tests", "1.0");
const request = tracer.startSpan("GET /cart", { kind: SpanKind.SERVER, attributes: { "url.path": "/cart", zones: ["a", "b"] } });
const within = trace.setSpan(ROOT_CONTEXT, request);
const query = tracer.startSpan("query", { kind: SpanKind.CLIENT, attributes: { rows: 3, share: 0.5 } }, within);
query.addEvent("retry", { attempt: 2 });
query.setStatus({ code: SpanStatusCode.ERROR, message: "no such cart" });
query.end();
request.end();
const headers = {};
new W3CTraceContextPropagator().inject(within, headers, defaultTextMapSetter);
await provider.shutdown();
console.log(`traceparent: ${headers.traceparent}`);
