"""Google's own library, as users run it, writing traces and reading them back over REST."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from google.api_core import exceptions
from google.cloud import trace_v1, trace_v2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from local.routes import RouteKey, by_precedence, find_route
from query.answering import Answering
from receive.receiver import Receiver
from spandrel.model.routes import ROUTES, Function
from tests.archive import Archive, archive_in
from tests.builders import RECEIVED_NS
from tests.events import http_event
from tests.serving import served
from tests.wire.cloudtrace_sending import TRACE
from tests.wire.gateway import Routed

START = datetime.fromtimestamp(RECEIVED_NS // 10**9, UTC)
ROUTED = by_precedence(Routed(RouteKey.parse(route.key)) for route in ROUTES)
FUNCTIONS: Mapping[str, Function] = {route.key: route.function for route in ROUTES}


class Stored:
    """A queue from which everything is stored at once."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def send(self, tenant: str, bodies: Iterable[bytes], received_ns: int) -> None:
        requests = [ExportTraceServiceRequest.FromString(body) for body in bodies]
        self._archive.add(*requests, tenant=tenant, received_ns=received_ns)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Where `receive` and `query` answer, each the routes that it has."""
    with archive_in(tmp_path) as archive:
        now_ns = RECEIVED_NS + 60 * 10**9
        functions = {
            "receive": Receiver(Stored(archive), lambda: now_ns).answer,
            "query": Answering(archive.store, archive.objects, lambda: now_ns).answer,
        }

        def answered(method: str, target: str, headers: dict[str, str], body: bytes) -> Mapping[str, Any]:
            path, _, query = target.partition("?")
            found = find_route(ROUTED, method, unquote(path))
            assert found, path
            key = found[0].key.text
            event = http_event(method, unquote(path), route_key=key, headers=headers, query=query, body=body)
            return functions[FUNCTIONS[key]](event)

        with served(answered) as url:
            yield url


@pytest.fixture
def reader(url: str) -> trace_v1.TraceServiceClient:
    return trace_v1.TraceServiceClient(transport="rest", client_options=options(url))


def options(url: str) -> dict[str, Any]:
    return {"api_endpoint": url, "api_key": "sp_" + "0" * 64}


def v1_trace(number: int, **labels: str) -> trace_v1.Trace:
    """A trace of two spans, the later the larger its number."""
    start = START + timedelta(seconds=number, microseconds=5)
    root = trace_v1.TraceSpan(
        span_id=2**64 - number,
        name=f"/checkout/{number}",
        kind="RPC_SERVER",
        start_time=start,
        end_time=start + timedelta(milliseconds=10 * number),
        labels=labels,
    )
    child = trace_v1.TraceSpan(
        span_id=5, parent_span_id=root.span_id, name="db", start_time=start, end_time=start + timedelta(milliseconds=1)
    )
    return trace_v1.Trace(project_id="shop-1", trace_id=f"{number:032x}", spans=[child, root])


def put(reader: trace_v1.TraceServiceClient, *traces: trace_v1.Trace) -> None:
    reader.patch_traces(project_id="shop-1", traces=trace_v1.Traces(traces=traces))


def test_a_trace_that_the_library_wrote_is_what_it_reads(reader: trace_v1.TraceServiceClient) -> None:
    sent = v1_trace(1, **{"/http/status_code": "200", "/http/url": "https://shop/", "g.co/agent": "me", "own": "é"})
    put(reader, sent)
    assert reader.get_trace(project_id="shop-1", trace_id=sent.trace_id) == sent


def test_a_list_is_paged_through_by_the_library(reader: trace_v1.TraceServiceClient) -> None:
    traces = [v1_trace(number) for number in range(1, 6)]
    put(reader, *traces)
    request = {"project_id": "shop-1", "view": "COMPLETE", "page_size": 2, "order_by": "duration desc"}
    pages = list(reader.list_traces(request=request).pages)
    assert [len(page.traces) for page in pages] == [2, 2, 1]
    assert [trace for page in pages for trace in page.traces] == traces[::-1]


def test_a_list_takes_times_filters_and_views_as_the_library_sends_them(reader: trace_v1.TraceServiceClient) -> None:
    put(reader, v1_trace(1, **{"/http/method": "GET"}), v1_trace(2, **{"/http/method": "POST"}), v1_trace(3))
    times = {"start_time": START + timedelta(seconds=1), "end_time": START + timedelta(seconds=2, microseconds=5)}
    found = reader.list_traces(request={"project_id": "shop-1", **times, "filter": "method:POST latency:20ms"})
    assert [(trace.project_id, trace.trace_id, list(trace.spans)) for trace in found] == [("shop-1", f"{2:032x}", [])]
    (trace,) = reader.list_traces(request={"project_id": "shop-1", "view": "ROOTSPAN", "filter": "+root:/checkout/3"})
    assert [span.name for span in trace.spans] == ["/checkout/3"]


def test_what_version_2_wrote_is_read_by_version_1(url: str, reader: trace_v1.TraceServiceClient) -> None:
    span = trace_v2.Span(
        name=f"projects/shop-1/traces/{TRACE}/spans/1e9abfdb5c1f4a94",
        span_id="1e9abfdb5c1f4a94",
        display_name={"value": "GET /checkout"},
        start_time=START,
        end_time=START + timedelta(seconds=1),
        attributes={"attribute_map": {"/http/status_code": {"int_value": 503}}},
        span_kind="SERVER",
    )
    writer = trace_v2.TraceServiceClient(transport="rest", client_options=options(url))
    writer.batch_write_spans(name="projects/shop-1", spans=[span])
    (told,) = reader.get_trace(project_id="shop-1", trace_id=TRACE).spans
    assert (told.span_id, told.name, told.kind.name) == (0x1E9ABFDB5C1F4A94, "GET /checkout", "RPC_SERVER")
    assert told.labels == {"/http/status_code": "503"}
    assert told.end_time - told.start_time == timedelta(seconds=1)


def test_refusals_are_the_exceptions_that_the_library_has_for_them(reader: trace_v1.TraceServiceClient) -> None:
    with pytest.raises(exceptions.NotFound, match="not found"):
        reader.get_trace(project_id="shop-1", trace_id=TRACE)
    with pytest.raises(exceptions.BadRequest, match="the term 'latency:long' cannot be answered"):
        reader.list_traces(request={"project_id": "shop-1", "filter": "latency:long"})
