"""Zipkin's query API, version 2, as Zipkin Lens and Grafana's data source ask it (docs/apis/zipkin.md).

Routes, parameters and the texts of refusals are those of openzipkin/zipkin 878ce2a (ZipkinQueryApiV2.java,
QueryRequest.java, ZipkinUiConfiguration.java). Everything stands below `/zipkin` too, where Lens looks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from spandrel.api.parameters import Parameters
from spandrel.api.question import Endpoint, Question, ReadApi, json_response
from spandrel.api.spans import spans_of_rows
from spandrel.http import refusals
from spandrel.http.refusals import Refusal
from spandrel.http.response import Response
from spandrel.model.errors import NotFound, Rejected, SpandrelError
from spandrel.model.links import MARKED, Link
from spandrel.model.trace_ids import trace_id_of
from spandrel.query import dependencies, names, search, trace

from . import names as zipkin_names
from .parameters import DEFAULT_LIMIT, DEFAULT_LOOKBACK_MS, TRACES_MAX, end_and_lookback_ms
from .search import search_of
from .span_json import Json, zipkin_trace

TEXT = "text/plain; charset=utf-8"
LENS = "/zipkin"  # below which Zipkin's server has its UI, and the UI its API
_MS_NS = 10**6


def services(question: Question) -> Response:
    """GET /api/v2/services: names in small letters, as in all of Zipkin's answers."""
    return json_response(sorted({service.lower() for service in names.services(question.reading)}))


def span_names(question: Question) -> Response:
    """GET /api/v2/spans?serviceName"""
    wanted = _service(question.parameters)
    found = names.operations_in(question.reading, question.reading.live())
    return json_response(sorted({name.lower() for service, name, _ in found if service.lower() == wanted and name}))


def remote_services(question: Question) -> Response:
    """GET /api/v2/remoteServices?serviceName"""
    return json_response(zipkin_names.remote_services(question, _service(question.parameters)))


def autocomplete_keys(question: Question) -> Response:
    """GET /api/v2/autocompleteKeys"""
    return json_response(zipkin_names.keys(question))


def autocomplete_values(question: Question) -> Response:
    """GET /api/v2/autocompleteValues?key"""
    key = question.parameters.text("key")
    if key is None:
        raise Rejected("key is required")
    return json_response(zipkin_names.values(question, key))


def one_trace(question: Question) -> Response:
    """GET /api/v2/trace/{trace_id}"""
    text = question.path["trace_id"].strip()
    try:
        found = _trace(question, trace_id_in(text))
    except NotFound as error:
        raise NotFound(f"{text} not found") from error
    return json_response(found)


def many_traces(question: Question) -> Response:
    """GET /api/v2/traceMany?traceIds=a,b: those of them that are there."""
    return json_response(list(_those_found(question, trace_ids_in(question.parameters))))


def found_traces(question: Question) -> Response:
    """GET /api/v2/traces: whole traces, the newest first."""
    asked = search_of(question.parameters, question.now_ns)
    found = search.search(question.reading, asked.query, asked.start_ns, asked.end_ns, limit=asked.limit)
    if not found.traces:
        return json_response([])
    spans = spans_of_rows(search.spans(question.reading, found))
    traces = groupby(spans, key=lambda span: span.trace_id)
    return json_response([zipkin_trace(trace) for _, trace in traces])


def links(question: Question) -> Response:
    """GET /api/v2/dependencies?endTs&lookback, milliseconds"""
    if question.parameters.text("endTs") is None:
        raise Rejected("endTs is required")
    end_ms, lookback_ms = end_and_lookback_ms(question.parameters, question.now_ns)
    end_ns = end_ms * _MS_NS + 1  # Zipkin's range takes in its end
    found = dependencies.links(question.reading, end_ns - lookback_ms * _MS_NS, end_ns, MARKED)
    return json_response([_link(*pair) for pair in sorted(_in_small_letters(found).items())])


def configuration(_question: Question) -> Response:
    """GET /zipkin/config.json: what Lens offers, and from where it starts."""
    return json_response(
        {
            "environment": "",
            "queryLimit": DEFAULT_LIMIT,
            "defaultLookback": DEFAULT_LOOKBACK_MS,
            "searchEnabled": True,
            "dependency": {"enabled": True, "lowErrorRate": 0.5, "highErrorRate": 0.75},
        }
    )


def _service(parameters: Parameters) -> str:
    service = parameters.text("serviceName")
    if service is None:
        raise Rejected("serviceName is required")
    return service.lower()


def trace_ids_in(parameters: Parameters) -> list[bytes]:
    """Those that `traceIds` lists, in its order; Rejected, in Zipkin's words, for one alone and one twice."""
    texts = [text.strip() for text in (parameters.text("traceIds") or "").split(",")]
    if texts == [""]:
        raise Rejected("traceIds parameter is empty")
    if len(texts) == 1:
        raise Rejected("Use /api/v2/trace/{traceId} endpoint to retrieve a single trace")
    if len(texts) > TRACES_MAX:
        raise Rejected(f"traceIds takes {TRACES_MAX} ids, not {len(texts)}")
    trace_ids: dict[bytes, None] = {}  # in their order
    for text in texts:
        trace_id = trace_id_in(text)
        if trace_id in trace_ids:
            raise Rejected(f"redundant traceId: {text}")
        trace_ids[trace_id] = None
    return list(trace_ids)


def trace_id_in(text: str) -> bytes:
    """In any spelling, of which Zipkin knows one. An id of 64 bits and the same with others above it are two traces, as
    with Zipkin's `STRICT_TRACE_ID`; `lenient` takes them for one.
    """
    try:
        return trace_id_of(text)
    except Rejected as error:
        raise Rejected(f"{text[:80]} should be lower-hex encoded with no prefix") from error


def _trace(question: Question, trace_id: bytes) -> list[Json]:
    return zipkin_trace(spans_of_rows(trace.trace(question.reading, trace_id)))


def _those_found(question: Question, trace_ids: Iterable[bytes]) -> Iterator[list[Json]]:
    for trace_id in trace_ids:
        try:
            yield _trace(question, trace_id)
        except NotFound:
            continue  # as in Zipkin, which leaves them out


def _in_small_letters(found: list[Link]) -> dict[tuple[str, str], tuple[int, int]]:
    """Calls and errors of links whose names differ in nothing else are added up."""
    added: dict[tuple[str, str], tuple[int, int]] = {}
    for link in found:
        pair = link.parent.lower(), link.child.lower()
        calls, errors = added.get(pair, (0, 0))
        added[pair] = calls + link.calls, errors + link.errors
    return added


def _link(pair: tuple[str, str], counts: tuple[int, int]) -> Mapping[str, object]:
    calls, errors = counts
    return {"parent": pair[0], "child": pair[1], "callCount": calls, **({"errorCount": errors} if errors else {})}


def refuse(error: SpandrelError) -> Response:
    def rendered(refusal: Refusal) -> tuple[str, bytes]:
        return TEXT, refusal.message.encode()

    return refusals.refused(error, rendered)


ENDPOINTS: Mapping[str, Endpoint] = {
    "/api/v2/services": services,
    "/api/v2/spans": span_names,
    "/api/v2/remoteServices": remote_services,
    "/api/v2/autocompleteKeys": autocomplete_keys,
    "/api/v2/autocompleteValues": autocomplete_values,
    "/api/v2/traces": found_traces,
    "/api/v2/trace/{trace_id+}": one_trace,
    "/api/v2/traceMany": many_traces,
    "/api/v2/dependencies": links,
}

API = ReadApi(ENDPOINTS, refuse)
OF_LENS = ReadApi(
    {f"{LENS}{path}": endpoint for path, endpoint in ENDPOINTS.items()} | {f"{LENS}/config.json": configuration},
    refuse,
)
