"""What UIs and clients ask of each read API, about all hours that are stored: a line a question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from spandrel.api.time_text import time_text
from spandrel.model.levels import HOUR_NS

from .stored import FIRST_HOUR_NS

HOURS = 10
TRACE = "0" * 31 + "1"
"""Stands for the id of a trace that is stored."""

_END_NS = FIRST_HOUR_NS + HOURS * HOUR_NS
_START_S, _END_S = FIRST_HOUR_NS // 10**9, _END_NS // 10**9
_START_MS, _END_MS, _LENGTH_MS = _START_S * 1000, _END_S * 1000, (_END_S - _START_S) * 1000
_START, _END = time_text(FIRST_HOUR_NS), time_text(_END_NS)
_SERVICE, _QUERY = "service-3", '{ resource.service.name = "service-3" && duration > 100ms }'
_RATE = "{ } | rate() by (resource.service.name)"

_V3 = {"query.startTimeMin": _START, "query.startTimeMax": _END, "query.searchDepth": 20}
_CLASSIC = {"start": _START_S * 10**6, "end": _END_S * 10**6, "limit": 20}
_MONITOR = {"service": _SERVICE, "endTs": _END_MS, "lookback": _LENGTH_MS, "groupByOperation": "true"}
_ZIPKIN = {"endTs": _END_MS, "lookback": _LENGTH_MS}
_UI = {"start": _START_MS, "end": _END_MS}
_TEMPO = {"start": _START_S, "end": _END_S}
_XRAY = {"StartTime": _START_S, "EndTime": _END_S}
_XRAY_ID = f"1-{TRACE[:8]}-{TRACE[8:]}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. A body is sent by POST."""

    api: str
    path: str
    query: Mapping[str, object] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def name(self) -> str:
        return f"{self.api}, {self.path.replace(TRACE, '{id}')}{self.note and f', {self.note}'}"

    def of(self, trace_id: str) -> tuple[str, str, bytes]:
        """Path, query and body of the request for a trace that there is."""
        body = b"" if self.body is None else json.dumps(self.body).encode()
        xray_id = f"1-{trace_id[:8]}-{trace_id[8:]}"
        told = body.replace(_XRAY_ID.encode(), xray_id.encode())
        return self.path.replace(TRACE, trace_id), urlencode(self.query), told


CALLS = (
    Asked("Jaeger 3", "/api/v3/services"),
    Asked("Jaeger 3", "/api/v3/operations", {"service": _SERVICE}),
    Asked("Jaeger 3", f"/api/v3/traces/{TRACE}"),
    Asked("Jaeger 3", "/api/v3/traces", _V3 | {"query.serviceName": _SERVICE}, note="20 traces"),
    Asked("Jaeger 3", "/api/v3/trace-summaries", _V3 | {"query.serviceName": _SERVICE}, note="20 traces"),
    Asked("Jaeger", "/api/services"),
    Asked("Jaeger", f"/api/traces/{TRACE}"),
    Asked("Jaeger", "/api/traces", _CLASSIC | {"service": _SERVICE}, note="20 traces"),
    Asked("Jaeger", "/api/dependencies", {"endTs": _END_MS, "lookback": _LENGTH_MS}),
    Asked("Jaeger", "/api/metrics/calls", _MONITOR),
    Asked("Jaeger", "/api/metrics/latencies", _MONITOR | {"quantile": 0.95}),
    Asked("Zipkin", "/api/v2/services"),
    Asked("Zipkin", "/api/v2/spans", {"serviceName": _SERVICE}),
    Asked("Zipkin", "/api/v2/remoteServices", {"serviceName": _SERVICE}),
    Asked("Zipkin", f"/api/v2/trace/{TRACE}"),
    Asked("Zipkin", "/api/v2/traces", _ZIPKIN | {"serviceName": _SERVICE, "limit": 20}, note="20 traces"),
    Asked("Zipkin", "/api/v2/dependencies", _ZIPKIN),
    Asked("Zipkin", "/api/v2/autocompleteValues", {"key": "http.request.method"}),
    Asked("Tempo", f"/tempo/api/v2/traces/{TRACE}", headers={"accept": "application/protobuf"}, note="protobuf"),
    Asked("Tempo", f"/tempo/api/traces/{TRACE}"),
    Asked("Tempo", "/tempo/api/search", _TEMPO | {"q": _QUERY}, note="20 traces"),
    Asked("Tempo", "/tempo/api/v2/search/tags", _TEMPO),
    Asked("Tempo", "/tempo/api/v2/search/tag/span.http.request.method/values", _TEMPO),
    Asked("Tempo", "/tempo/api/metrics/query_range", _TEMPO | {"q": _RATE, "step": "60s"}),
    Asked("X-Ray", "/TraceSummaries", body=_XRAY | {"FilterExpression": f'service("{_SERVICE}")'}, note="100 traces"),
    Asked("X-Ray", "/Traces", body={"TraceIds": [_XRAY_ID]}),
    Asked("X-Ray", "/TraceGraph", body={"TraceIds": [_XRAY_ID]}),
    Asked("X-Ray", "/ServiceGraph", body=_XRAY),
    Asked("X-Ray", "/TimeSeriesServiceStatistics", body=_XRAY | {"Period": 300}),
    Asked("Cloud Trace", "/v1/projects/shop/traces", {"startTime": _START, "endTime": _END}, note="100 traces"),
    Asked(
        "Cloud Trace",
        "/v1/projects/shop/traces",
        {"startTime": _START, "endTime": _END, "view": "COMPLETE", "pageSize": 20},
        note="20 whole traces",
    ),
    Asked("Cloud Trace", f"/v1/projects/shop/traces/{TRACE}"),
    Asked("Web UI", "/api/ui/search", _UI | {"q": _QUERY}, note="20 traces"),
    Asked("Web UI", "/api/ui/metrics", _UI | {"q": _RATE, "step": 60_000}),
    Asked("Web UI", "/api/ui/facets", _UI | {"by": "name,span.http.request.method"}),
    Asked("Web UI", "/api/ui/map", _UI),
    Asked("Web UI", "/api/ui/traffic", _UI | {"step": 600_000}),
    Asked("Web UI", f"/api/ui/traces/{TRACE}"),
)
