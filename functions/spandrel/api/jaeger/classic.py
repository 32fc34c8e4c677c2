"""Jaeger's query API from before version 3, as its UI and Grafana's data source ask it (docs/apis/jaeger.md).

All answers stand in one envelope: data, errors, total. Routes and rules are those of jaegertracing/jaeger 83f31216
(cmd/query/app/http_handler.go, query_parser.go). Unlike there, what cannot be answered as asked is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from spandrel.api.parameters import Parameters, whole_number
from spandrel.api.question import JSON, Question, ReadApi, json_response
from spandrel.api.spans import spans_of_otlp, spans_of_rows
from spandrel.api.time_text import duration_ns, lookback_ns
from spandrel.http import refusals
from spandrel.http.refusals import Refusal
from spandrel.http.response import Response
from spandrel.model.errors import NotFound, Rejected, SpandrelError, TooLarge, Unsupported
from spandrel.model.limits import BODY_BYTES, SEARCH_LIMIT_MAX
from spandrel.model.links import Link
from spandrel.model.search import Search
from spandrel.model.trace_ids import trace_id_of
from spandrel.query import dependencies, names, search, trace
from spandrel.query.archive import archive
from spandrel.query.reading import FOREVER_NS
from spandrel.query.trace import Spans

from . import metrics as jaeger_metrics
from .bounds import (
    ATTRIBUTES_MAX,
    DEFAULT_DEPENDENCIES_LOOKBACK_MS,
    DEFAULT_LOOKBACK_NS,
    DEFAULT_SEARCH_LIMIT,
    MS_MAX,
    MS_NS,
    TRACE_IDS_MAX,
    US_MAX,
    US_NS,
)
from .trace_json import jaeger_traces
from .v3 import attributes_of, operations_of

_MS_BELOW = 10**14  # as a hint's microseconds this is 1973, as milliseconds the year 5138
_NOT_FOUND = "trace not found"


def services(question: Question) -> Response:
    """GET /api/services"""
    return _listed(names.services(question.reading))


def operations(question: Question) -> Response:
    """GET /api/operations?service&spanKind"""
    return _listed(operations_of(question, _service(question.parameters)))


def operation_names(question: Question) -> Response:
    """GET /api/services/{service}/operations"""
    found = names.operations(question.reading, question.path["service"])
    return _listed(sorted({name for name, _ in found}))


def found_traces(question: Question) -> Response:
    """GET /api/traces, by conditions or, where there is any `traceID`, by ids alone."""
    trace_ids = question.parameters.texts("traceID")
    if trace_ids:
        return _by_ids(question, trace_ids)
    found = search.find(question.reading, search_of(question.parameters, question.now_ns))
    return _traces(question, [search.spans(question.reading, found)] if found.summaries else [])


def one_trace(question: Question) -> Response:
    """GET /api/traces/{trace_id}?start&end&raw; start and end are a hint when it was."""
    trace_id = trace_id_of(question.path["trace_id"])
    start_ns, end_ns = _hint(question.parameters)
    if start_ns is not None and end_ns is not None and start_ns > end_ns:
        raise Rejected("'start' must not be after 'end'")
    found = trace.trace(question.reading, trace_id, start_ns or 0, FOREVER_NS if end_ns is None else end_ns + US_NS)
    return _traces(question, [found])


def links(question: Question) -> Response:
    """GET /api/dependencies?endTs&lookback&service, times in milliseconds; by default the day until now."""
    end_ms = question.parameters.parsed(whole_number(0, MS_MAX), "endTs")
    lookback_ms = question.parameters.parsed(whole_number(1, MS_MAX), "lookback") or DEFAULT_DEPENDENCIES_LOOKBACK_MS
    service = question.parameters.text("service")
    end_ns = question.now_ns if end_ms is None else end_ms * MS_NS
    found = dependencies.links(question.reading, end_ns - lookback_ms * MS_NS, end_ns)
    return _listed([_link(link) for link in found if service in (None, link.parent, link.child)])


def archived(question: Question) -> Response:
    """POST /api/archive/{trace_id}: from now on the trace is kept, whatever becomes of its blocks."""
    archive(question.reading, trace_id_of(question.path["trace_id"]), question.now_ns)
    return json_response(_envelope([], 0, []))


def transformed(question: Question) -> Response:
    """POST /api/transform: OTLP's JSON -> the traces in it as Jaeger's JSON. Nothing is stored."""
    from spandrel.wire.otlp.json_encoding import request_from_json  # brings protobuf, which no other question needs
    from spandrel.wire.span_ids import refuse_bad_spans

    if question.request.header("content-encoding"):
        raise Unsupported("the body must come without a Content-Encoding")
    if len(question.request.body) > BODY_BYTES:
        raise TooLarge(f"the body has {len(question.request.body):,} bytes; {BODY_BYTES:,} is the limit")
    request, _ = request_from_json(question.request.body)
    refused, reason = refuse_bad_spans(request)
    if refused:
        raise Rejected(reason)
    spans = sorted(spans_of_otlp(request), key=lambda span: (span.trace_id, span.start_ns))
    return _enveloped(question, jaeger_traces(spans, raw=_is_set(question.parameters, "raw")))


def search_of(parameters: Parameters, now_ns: int) -> Search:
    """The search that the parameters ask for; Rejected names the parameter that does not do.

    Where Jaeger takes a missing start for now, and so finds nothing, it is `lookback` before the end, or an hour.
    """
    service = _service(parameters)
    start_ns, end_ns = _start_and_end(parameters)
    end_ns = now_ns if end_ns is None else end_ns
    if start_ns is None:
        start_ns = end_ns - (parameters.parsed(lookback_ns, "lookback") or DEFAULT_LOOKBACK_NS)
    shortest_ns = parameters.parsed(duration_ns, "minDuration") or None
    longest_ns = parameters.parsed(duration_ns, "maxDuration") or None
    if shortest_ns and longest_ns and shortest_ns > longest_ns:
        raise Rejected("'maxDuration' should be greater than 'minDuration'")
    return Search(
        start_ns=start_ns,
        end_ns=end_ns + US_NS,  # Jaeger's range takes in the microsecond that ends it
        limit=parameters.parsed(whole_number(1, SEARCH_LIMIT_MAX), "limit") or DEFAULT_SEARCH_LIMIT,
        service=service,
        operation=parameters.text("operation"),
        min_duration_ns=shortest_ns,
        max_duration_ns=longest_ns,
        attributes=_tags(parameters),
    )


def _service(parameters: Parameters) -> str:
    service = parameters.text("service")
    if service is None:
        raise Rejected("parameter 'service' is required")
    return service


def _start_and_end(parameters: Parameters) -> tuple[int | None, int | None]:
    micros = whole_number(0, US_MAX)
    start_us, end_us = parameters.parsed(micros, "start"), parameters.parsed(micros, "end")
    return start_us and start_us * US_NS, end_us and end_us * US_NS


def _hint(parameters: Parameters) -> tuple[int | None, int | None]:
    """Microseconds, as Jaeger has them, or milliseconds, as Grafana's data source sends them."""
    start_ns, end_ns = _start_and_end(parameters)
    if max(start_ns or 0, end_ns or 0) >= _MS_BELOW * US_NS:
        return start_ns, end_ns
    return start_ns and start_ns * MS_NS // US_NS, end_ns and end_ns * MS_NS // US_NS


def _tags(parameters: Parameters) -> tuple[tuple[str, str], ...]:
    """Those of `tag=key:value`, which may be repeated, and those of `tags`, a JSON object."""
    found = [*map(_tag, parameters.texts("tag")), *(parameters.parsed(attributes_of, "tags") or ())]
    if len(found) > ATTRIBUTES_MAX:
        raise Rejected(f"a search takes {ATTRIBUTES_MAX} tags, not {len(found)}")
    return tuple(found)


def _tag(text: str) -> tuple[str, str]:
    key, colon, value = text.partition(":")
    if not colon:
        raise Rejected(f"malformed 'tag' parameter, expecting key:value, received: {text[:80]}")
    return key, value


def _by_ids(question: Question, texts: list[str]) -> Response:
    """Each of the traces once, and an error for each that is not there."""
    if len(texts) > TRACE_IDS_MAX:
        raise Rejected(f"a request takes {TRACE_IDS_MAX} trace ids, not {len(texts)}")
    wanted = {trace_id_of(text): text for text in texts}
    found, errors = [], []
    for trace_id, text in wanted.items():
        try:
            found.append(trace.trace(question.reading, trace_id))
        except NotFound:
            errors.append({"msg": _NOT_FOUND, "traceID": text})
    return _traces(question, found, errors or None)


def _traces(question: Question, found: Iterable[Spans], errors: object = None) -> Response:
    spans = chain.from_iterable(map(spans_of_rows, found))
    return _enveloped(question, jaeger_traces(spans, raw=_is_set(question.parameters, "raw")), errors)


def _is_set(parameters: Parameters, name: str) -> bool:
    """As Jaeger reads `raw` and `prettyPrint`: anything but `false` is yes."""
    return parameters.text(name) not in (None, "false")


def _enveloped(question: Question, traces: str, errors: object = None) -> Response:
    """A text of traces in the envelope. As in Jaeger, `total` counts no traces."""
    text = f'{{"data":{traces},"total":0,"limit":0,"offset":0,"errors":{json.dumps(errors)}}}'
    if _is_set(question.parameters, "prettyPrint"):
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=4)
    return Response(200, JSON, text.encode())


def _listed(found: Sequence[object]) -> Response:
    return json_response(_envelope(found, len(found)))


def _envelope(data: object, total: int, errors: object = None) -> Mapping[str, object]:
    return {"data": data, "total": total, "limit": 0, "offset": 0, "errors": errors}


def _link(link: Link) -> Mapping[str, object]:
    return {"parent": link.parent, "child": link.child, "callCount": link.calls, "errorCount": link.errors}


def _refuse(error: SpandrelError) -> Response:
    def rendered(refusal: Refusal) -> tuple[str, bytes]:
        return JSON, json_response(_envelope(None, 0, [{"code": refusal.status, "msg": refusal.message}])).body

    return refusals.refused(error, rendered)


API = ReadApi(
    {
        "/api/services": services,
        "/api/services/{service+}/operations": operation_names,
        "/api/operations": operations,
        "/api/traces": found_traces,
        "/api/traces/{trace_id+}": one_trace,
        "/api/dependencies": links,
        **jaeger_metrics.ENDPOINTS,
    },
    _refuse,
    posted={"/api/transform": transformed, "/api/archive/{trace_id+}": archived},
)
