// A program that Zipkin's library for JavaScript traces. Its arguments are where to send, and the library's name of the
// encoding; the key is in the environment.
// It prints the header by which it would hand on its trace.
import { once } from "node:events";
import zipkin from "zipkin";
import { HttpLogger } from "zipkin-transport-http";

const [endpoint, encoding] = process.argv.slice(2);
const headers = { "x-api-key": process.env.SPANDREL_KEY };
const logger = new HttpLogger({ endpoint, jsonEncoder: zipkin.jsonEncoder[encoding], headers, httpInterval: 50 });
const tracer = new zipkin.Tracer({
  ctxImpl: new zipkin.ExplicitContext(),
  recorder: new zipkin.BatchRecorder({ logger }),
  localServiceName: "shop",
  traceId128Bit: true,
});
const server = new zipkin.Instrumentation.HttpServer({ tracer, port: 80 });
const id = tracer.scoped(() => {
  const request = server.recordRequest("GET", "http://shop.example/cart", () => zipkin.option.None);
  tracer.local("query", () => tracer.recordMessage("retry"));
  tracer.setId(request);
  tracer.recordRpc(server.spanNameFromRoute("GET", "/cart", 200));
  server.recordResponse(request, 200);
  return request;
});
const kept = setInterval(() => {}, 1000); // alive, which the library's own timer does not do
await once(logger, "success");
clearInterval(kept);
const handedOn = zipkin.Request.addZipkinHeaders({}, id).headers;
console.log(`X-B3-TraceId: ${handedOn["X-B3-TraceId"]}`);
