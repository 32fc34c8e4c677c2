// A program that Jaeger's library for Node traces; it reads from JAEGER_… variables where to send, and with which key.
// It prints the header by which it would hand on its trace.
import jaeger from "jaeger-client";
import { FORMAT_HTTP_HEADERS, Tags } from "opentracing";

const logger = { info() {}, error: console.error };
const tracer = jaeger.initTracerFromEnv({ serviceName: "shop", sampler: { type: "const", param: 1 } }, { logger });
const request = tracer.startSpan("GET /cart", { tags: { [Tags.SPAN_KIND]: "server", "http.status_code": 200 } });
const query = tracer.startSpan("query", { childOf: request, tags: { [Tags.ERROR]: true, share: 0.5 } });
query.log({ event: "retry", attempt: 2 });
query.finish();
request.finish();
const headers = {};
tracer.inject(request, FORMAT_HTTP_HEADERS, headers);
await new Promise((closed) => tracer.close(closed));
console.log(`uber-trace-id: ${headers["uber-trace-id"]}`);
