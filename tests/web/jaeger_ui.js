// What Jaeger UI 2.20 asks on its pages, in its order, and of the answers what it cannot do without: for each page what
// it would show. Fails as it would: on a status that is no success, and where a field is read of what is not there.
async ({ base, key, service, start, end, otlp }) => {
  const ask = async (path, query = {}, body) => {
    const address = `${base}${path}?${new URLSearchParams(query)}`;
    const headers = { ...(key && { "x-api-key": key }), ...(body && { "content-type": "application/json" }) };
    const answer = await fetch(address, { method: body === undefined ? "GET" : "POST", headers, body });
    if (!answer.ok) throw new Error(`${answer.status} ${path}: ${await answer.text()}`);
    return answer.json();
  };

  const drawn = ({ data: [trace] }) => ({
    id: trace.traceID.padStart(32, "0"),
    spans: trace.spans.map((span) => ({
      id: span.spanID,
      name: span.operationName,
      service: trace.processes[span.processID].serviceName,
      start_us: span.startTime,
      duration_us: span.duration,
      parents: span.references.filter(({ traceID }) => traceID === trace.traceID).map(({ spanID }) => spanID),
      failed: Boolean(span.tags.find((tag) => tag.key === "error")?.value),
    })),
  });

  const search = async () => {
    const { services } = await ask("/api/v3/services");
    const { operations } = service ? await ask("/api/v3/operations", { service }) : { operations: [] };
    const { summaries } = await ask("/api/v3/trace-summaries", {
      ...(service && { "query.serviceName": service }),
      "query.startTimeMin": new Date(start).toISOString(),
      "query.startTimeMax": new Date(end).toISOString(),
      "query.searchDepth": "20",
    });
    return {
      services,
      operations: operations.map(({ name, spanKind }) => [name, spanKind]),
      traces: summaries.map((one) => ({
        id: one.traceId,
        services: one.services.map(({ name }) => name),
        start_ns: one.minStartTimeUnixNano,
      })),
    };
  };

  const monitor = async () => {
    const of = { service, endTs: end, lookback: end - start, ratePer: 600000, spanKind: "server", step: 60000 };
    const asked = [
      ["latencies", { quantile: 0.5 }],
      ["latencies", { quantile: 0.75 }],
      ["latencies", { quantile: 0.95 }],
      ["calls", {}],
      ["errors", {}],
      ["latencies", { quantile: 0.95, groupByOperation: true }],
      ["calls", { groupByOperation: true }],
      ["errors", { groupByOperation: true }],
    ];
    return Promise.all(
      asked.map(async ([path, more]) => {
        const { name, metrics } = await ask(`/api/metrics/${path}`, { ...of, ...more });
        const points = metrics.flatMap(({ labels, metricPoints }) =>
          metricPoints.map((point) => [labels[0].value, Date.parse(point.timestamp), point.gaugeValue.doubleValue]),
        );
        return [name, points.filter(([, , value]) => !Number.isNaN(value)).length];
      }),
    );
  };

  const found = await search();
  const ids = found.traces.map(({ id }) => id);
  const links = await ask("/api/dependencies", { endTs: end, lookback: 604800000 });
  return {
    ...found,
    drawn: await Promise.all(ids.map(async (id) => drawn(await ask(`/api/traces/${id}`)))),
    raw: (await ask(`/api/traces/${ids[0]}`, { raw: true, prettyPrint: true })).data[0].spans.length,
    calls: (links.data ?? links).map(({ parent, child, callCount }) => [parent, child, callCount]),
    monitor: service ? await monitor() : [],
    archived: (await ask(`/api/archive/${ids[0]}`, {}, "")) !== undefined,
    uploaded: otlp ? (await ask("/api/transform", {}, otlp)).data.length : 0,
  };
};
