"""Search against a filter in plain Python over the same spans."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from spandrel.model.search import Search
from spandrel.query.search import find, spans
from spandrel.query.text_values import double_text
from tests.archive import Archive
from tests.builders import RECEIVED_NS
from tests.otlp import RESOURCE_SPANS

TRACE_IDS = [bytes(15) + bytes([number]) for number in range(1, 6)]
SPAN_IDS = [bytes(7) + bytes([number]) for number in range(1, 6)]
SECOND_NS = 10**9


@dataclass(frozen=True)
class Whole:
    """A span with all that it stands under."""

    span: Span
    scope: ScopeSpans
    resource: ResourceSpans

    @property
    def service(self) -> str | None:
        texts = [
            pair.value.string_value
            for pair in self.resource.resource.attributes
            if pair.key == "service.name" and pair.value.HasField("string_value")
        ]
        return texts[0] if len(texts) == 1 and self._once("service.name") else None

    def _once(self, key: str) -> bool:
        return sum(pair.key == key for pair in self.resource.resource.attributes) == 1

    @property
    def identity(self) -> tuple[bytes, bytes, int, str | None, int]:
        span = self.span
        return (span.trace_id, span.span_id, span.kind, self.service, span.start_time_unix_nano)

    def attributes(self) -> Iterator[KeyValue]:
        yield from self.span.attributes
        yield from self.scope.scope.attributes
        yield from self.resource.resource.attributes
        for event in self.span.events:
            yield from event.attributes
        for link in self.span.links:
            yield from link.attributes


def as_text(value: AnyValue) -> str | None:
    """A scalar as Jaeger compares it; None for the others, about which this test does not ask."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return str(value.bool_value).lower()
        case "int_value":
            return str(value.int_value)
        case "double_value" if abs(value.double_value) < float("inf"):
            return double_text(value.double_value)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case _:
            return None


def matches(one: Whole, search: Search) -> bool:
    span = one.span
    return (
        search.start_ns <= span.start_time_unix_nano < search.end_ns
        and search.service in (None, one.service)
        and search.operation in (None, span.name)
        and search.kind in (None, span.kind)
        and (search.min_duration_ns is None or duration_ns(span) >= search.min_duration_ns)
        and (search.max_duration_ns is None or duration_ns(span) <= search.max_duration_ns)
        and all(has(one, key, text) for key, text in search.attributes)
    )


def has(one: Whole, key: str, text: str) -> bool:
    if key == "error":
        return (one.span.status.code == 2) == (text == "true")
    return any(pair.key == key and as_text(pair.value) == text for pair in one.attributes())


def all_spans(requests: Iterable[ExportTraceServiceRequest]) -> list[Whole]:
    return [
        Whole(span, scope, resource)
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def one_copy(copies: Sequence[Whole]) -> list[Whole]:
    """The copy of each span that lasts longest; gives up where two of them last equally long."""
    by_identity = defaultdict(list)
    for copy in copies:
        by_identity[copy.identity].append(copy)
    for same in by_identity.values():
        assume(len({duration_ns(copy.span) for copy in same}) == len(same))
    return [max(same, key=lambda copy: duration_ns(copy.span)) for same in by_identity.values()]


def duration_ns(span: Span) -> int:
    return (span.end_time_unix_nano - span.start_time_unix_nano + 2**63) % 2**64 - 2**63


def expected(wholes: Sequence[Whole], search: Search) -> list[bytes]:
    """Ids of the traces found, newest first, up to the limit."""
    newest: dict[bytes, int] = {}
    for one in one_copy(wholes):
        if matches(one, search):
            trace_id = one.span.trace_id
            newest[trace_id] = max(newest.get(trace_id, 0), one.span.start_time_unix_nano)
    return sorted(newest, key=lambda trace_id: (-newest[trace_id], trace_id))[: search.limit]


@st.composite
def stored(draw: st.DrawFn) -> list[ExportTraceServiceRequest]:
    """Requests of few traces within some seconds, with copies of spans among them."""
    requests = []
    for resource_spans in draw(st.lists(RESOURCE_SPANS, min_size=1, max_size=4)):
        for scope in resource_spans.scope_spans:
            for span in scope.spans:
                span.trace_id = draw(st.sampled_from(TRACE_IDS))
                span.span_id = draw(st.sampled_from(SPAN_IDS))
                span.start_time_unix_nano = RECEIVED_NS - draw(st.integers(0, 20)) * SECOND_NS
                span.end_time_unix_nano = span.start_time_unix_nano + draw(st.integers(-2, 1000))
        requests.append(ExportTraceServiceRequest(resource_spans=[resource_spans]))
    return requests


@st.composite
def searches(draw: st.DrawFn, wholes: Sequence[Whole]) -> Search:
    """A search for something that one of the spans has, or nearly."""
    one = draw(st.sampled_from(wholes))
    texts = [(pair.key, as_text(pair.value)) for pair in one.attributes()]
    pairs = [(key, text) for key, text in texts if text is not None and not special(key)]
    pairs += [("error", "true"), ("error", "false"), ("a", "nothing has this")]
    start_ns = RECEIVED_NS - draw(st.integers(0, 20)) * SECOND_NS
    optional: dict[str, Any] = {
        "service": st.just(one.service),
        "operation": st.just(one.span.name),
        "kind": st.just(one.span.kind),
        "min_duration_ns": st.integers(-2, 1000),
        "max_duration_ns": st.integers(-2, 1000),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(optional)), max_size=2))
    return Search(
        start_ns=start_ns,
        end_ns=start_ns + draw(st.integers(1, 21)) * SECOND_NS,
        limit=draw(st.integers(1, 6)),
        attributes=tuple(draw(st.lists(st.sampled_from(pairs), max_size=2))),
        **{name: draw(optional[name]) for name in chosen},
    )


def special(key: str) -> bool:
    return key in ("error", "span.kind", "span.status", "scope.name", "scope.version") or key.startswith("resource.")


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_search_finds_what_a_filter_over_all_spans_finds(archive: Archive, data: st.DataObject) -> None:
    requests = data.draw(stored())
    wholes = all_spans(requests)
    tenant = f"tenant-{len(archive.catalogue.kept)}"
    for request in requests:
        archive.add(request, tenant=tenant)
    for _ in range(3):
        search = data.draw(searches(wholes))
        found = find(archive.reading(tenant), search)
        ids = expected(wholes, search)
        assert [summary.trace_id for summary in found.summaries] == ids
        kept = [one for one in one_copy(wholes) if one.span.trace_id in ids]
        assert sum(summary.spans for summary in found.summaries) == len(kept)
        assert len(spans(archive.reading(tenant), found).rows) == len(kept)
