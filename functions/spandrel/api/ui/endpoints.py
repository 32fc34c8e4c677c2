"""What the web UI's own pages ask, beside the APIs that it shares with others (docs/ui.md).

Errors are `{"error": {"status", "message"}}`.
"""

from __future__ import annotations

import json
from dataclasses import replace

from spandrel.api.otlp_json import otlp_json
from spandrel.api.parameters import whole_number
from spandrel.api.question import JSON, Question, ReadApi, json_response
from spandrel.http import refusals
from spandrel.http.refusals import Refusal
from spandrel.http.response import Response
from spandrel.model.errors import NotFound, SpandrelError
from spandrel.model.ids import span_id_from_hex
from spandrel.model.trace_ids import trace_id_of
from spandrel.query.trace import Part, Spans, trace

from . import search as ui_search
from . import traffic as ui_traffic
from .bounds import KIND_MAX
from .outline import COLUMNS, outline


def one_trace(question: Question) -> Response:
    """GET /api/ui/traces/{trace_id}: its outline, a column each."""
    trace_id = trace_id_of(question.path["trace_id"])
    return json_response(outline(trace(question.reading, trace_id, part=Part(columns=COLUMNS))))


def one_span(question: Question) -> Response:
    """GET /api/ui/traces/{trace_id}/spans/{span_id}?kind&service: the span, its resource and its scope as OTLP's JSON.

    `kind` (OTLP's number) and `service` tell spans apart that share an id.
    """
    span_id = span_id_from_hex(question.path["span_id"])
    kind = question.parameters.parsed(whole_number(0, KIND_MAX), "kind")
    service = question.parameters.text("service")
    found = trace(question.reading, trace_id_of(question.path["trace_id"]), part=Part(span_id=span_id))
    if not found.rows:
        raise NotFound("span not found")
    (resource,) = json.loads(otlp_json(_nearest(found, kind, service)))["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    return json_response({"resource": resource["resource"], "scope": scope.get("scope", {}), "span": scope["spans"][0]})


def _nearest(spans: Spans, kind: int | None, service: str | None) -> Spans:
    """The one of several spans that fits best."""
    kind_at, service_at = spans.columns.index("kind"), spans.columns.index("service")
    return replace(
        spans, rows=[max(spans.rows, key=lambda row: (row[service_at] == service, (row[kind_at] or 0) == kind))]
    )


def _refuse(error: SpandrelError) -> Response:
    def rendered(refusal: Refusal) -> tuple[str, bytes]:
        return JSON, json.dumps({"error": {"status": refusal.status, "message": refusal.message}}).encode()

    return refusals.refused(error, rendered)


API = ReadApi(
    {
        "/api/ui/search": ui_search.found_traces,
        "/api/ui/metrics": ui_search.metric_series,
        "/api/ui/facets": ui_search.facets,
        "/api/ui/map": ui_traffic.service_map,
        "/api/ui/traffic": ui_traffic.series,
        "/api/ui/tags": ui_search.names_of_tags,
        "/api/ui/values": ui_search.values_of_tag,
        "/api/ui/traces/{trace_id}": one_trace,
        "/api/ui/traces/{trace_id}/spans/{span_id}": one_span,
    },
    _refuse,
)
