"""Spans as the evaluator reads them, made of OTLP."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan

from .values import Value, attributes

ROOTS_PARENT = -1  # what nestedSetParent is for a root, as in Tempo


@dataclass(frozen=True)
class Event:
    name: str
    since_start_ns: int
    attributes: dict[str, Value]


@dataclass(frozen=True)
class Link:
    trace_id: bytes
    span_id: bytes
    attributes: dict[str, Value]


@dataclass(frozen=True)
class NestedSet:
    """0 for spans that no root leads to."""

    left: int = 0
    right: int = 0
    parent: int = 0


@dataclass(eq=False)
class Span:
    """Identity is the object's."""

    span_id: bytes
    parent_id: bytes
    name: str = ""
    kind: int = 0
    start_ns: int = 0
    duration_ns: int = 0
    status: int = 0
    status_message: str = ""
    attributes: dict[str, Value] = field(default_factory=dict)
    resource: dict[str, Value] = field(default_factory=dict)
    scope_name: str = ""
    scope_version: str = ""
    scope: dict[str, Value] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    trace: Trace = field(init=False, repr=False)


class Trace:
    """The spans of one trace and how they hang together."""

    def __init__(self, trace_id: bytes, spans: Iterable[Span]) -> None:
        self.trace_id = trace_id
        self.spans = sorted(spans, key=lambda span: (span.start_ns, span.span_id))
        self._by_id: dict[bytes, list[Span]] = defaultdict(list)
        self._children: dict[bytes, list[Span]] = defaultdict(list)
        for span in self.spans:
            span.trace = self
            self._by_id[span.span_id].append(span)
            if span.parent_id:
                self._children[span.parent_id].append(span)
        self.roots = [span for span in self.spans if not span.parent_id]
        self.nested_sets = dict(_numbered(self))

    @property
    def duration_ns(self) -> int:
        return max(span.start_ns + span.duration_ns for span in self.spans) - self.spans[0].start_ns

    def parents(self, span: Span) -> list[Span]:
        """One, or none, or as many as share the id. A span is not its own parent, whatever it says."""
        return [parent for parent in self._by_id.get(span.parent_id, []) if parent is not span]

    def children(self, span: Span) -> list[Span]:
        return [child for child in self._children.get(span.span_id, []) if child is not span]

    def ancestors(self, span: Span) -> set[Span]:
        """Parents, theirs, and so on, without the span itself where its parents go in a circle."""
        found: set[Span] = set()
        wanted = self.parents(span)
        while wanted:
            ancestor = wanted.pop()
            if ancestor not in found:
                found.add(ancestor)
                wanted += self.parents(ancestor)
        return found - {span}


def _numbered(trace: Trace) -> Iterator[tuple[Span, NestedSet]]:
    """Depth first from the roots, counting on the way down and on the way up; siblings by their start."""
    bound = 1
    seen: set[Span] = set()
    for root in trace.roots:
        stack: list[tuple[Span, int, int | None]] = [(root, ROOTS_PARENT, None)]
        while stack:
            span, parent, left = stack.pop()
            if left is not None:
                yield span, NestedSet(left, bound, parent)
            elif span in seen:
                continue
            else:
                seen.add(span)
                stack.append((span, parent, bound))
                stack += [(child, bound, None) for child in reversed(trace.children(span))]
            bound += 1


def traces_of(request: ExportTraceServiceRequest) -> list[Trace]:
    """The traces of a request, in the order of their ids."""
    found: dict[bytes, list[Span]] = defaultdict(list)
    for resource_spans in request.resource_spans:
        resource = attributes(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for sent in scope_spans.spans:
                found[sent.trace_id].append(_span(sent, resource, scope_spans.scope))
    return [Trace(trace_id, spans) for trace_id, spans in sorted(found.items())]


def _span(sent: OtlpSpan, resource: dict[str, Value], scope: InstrumentationScope) -> Span:
    start_ns = sent.start_time_unix_nano
    return Span(
        span_id=sent.span_id,
        parent_id=sent.parent_span_id if any(sent.parent_span_id) else b"",
        name=sent.name,
        kind=sent.kind,
        start_ns=start_ns,
        duration_ns=_signed(sent.end_time_unix_nano - start_ns),
        status=sent.status.code,
        status_message=sent.status.message,
        attributes=attributes(sent.attributes),
        resource=resource,
        scope_name=scope.name,
        scope_version=scope.version,
        scope=attributes(scope.attributes),
        events=tuple(
            Event(event.name, _signed(event.time_unix_nano - start_ns), attributes(event.attributes))
            for event in sent.events
        ),
        links=tuple(Link(link.trace_id, link.span_id, attributes(link.attributes)) for link in sent.links),
    )


def _signed(difference_ns: int) -> int:
    """A difference of two times, modulo 2^64, as blocks keep it."""
    return (difference_ns + 2**63) % 2**64 - 2**63
