"""Zipkin's version 1 -> version 2.

A span of version 1 may hold what several services saw of it: each annotation says by which host it was made, and what
happened is said by annotations too (`cs` client send, `sr` server receive …). It becomes one span for each service,
with what that service saw. The rules are those of openzipkin/zipkin's V1SpanConverter.java.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from .span import CLIENT, CONSUMER, NOWHERE, PRODUCER, SERVER, Endpoint, Tag, ZipkinSpan

# What a core annotation says of the kind of the span whose host made it. The wire annotations say nothing of it.
KIND_OF = {
    "cs": CLIENT,
    "cr": CLIENT,
    "sr": SERVER,
    "ss": SERVER,
    "ms": PRODUCER,
    "mr": CONSUMER,
    "ws": 0,
    "wr": 0,
}
RPC = ("cs", "cr", "sr", "ss")
ADDRESSES = ("ca", "sa", "ma")  # binary annotations whose host is the other side: client, server, broker
_IS_ADDRESS = frozenset(ADDRESSES)
LOCAL_COMPONENT = "lc"


class V1Annotation(NamedTuple):
    """`host` is who made it, NOWHERE if that is not said."""

    timestamp_us: int
    value: str
    host: Endpoint


V1BinaryAnnotation = tuple[str, Tag | None, Endpoint]
"""Key, value and host. A value of None is one that version 1 has no word for: the annotation is skipped.

A plain tuple, because there are many of them.
"""


@dataclass(slots=True)
class V1Span:
    """Version 1. As in `ZipkinSpan`, 0 and empty are what is not said."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes = b""
    name: str = ""
    timestamp_us: int = 0
    duration_us: int = 0
    annotations: list[V1Annotation] = field(default_factory=list)
    binary_annotations: list[V1BinaryAnnotation] = field(default_factory=list)
    debug: bool = False


def v2_of(source: V1Span) -> list[ZipkinSpan]:
    """One span for each service that had a part in it, at least one; the first has what no service claims."""
    return _Conversion(source).spans


class _Conversion:
    def __init__(self, source: V1Span) -> None:
        self.source = source
        self.spans: list[ZipkinSpan] = []
        self.of_service: dict[str, ZipkinSpan] = {}
        self.core: dict[str, V1Annotation] = {}
        self.first = self._new(NOWHERE)
        self._take_annotations()
        self._time_rpc()
        self._time_messaging()
        self._take_binary_annotations()
        for span in self.spans:
            span.annotations.sort()

    def _new(self, local: Endpoint) -> ZipkinSpan:
        source = self.source
        span = ZipkinSpan(source.trace_id, source.span_id, source.parent_id, name=source.name, debug=source.debug)
        self.spans.append(span)
        self._place(span, local)
        return span

    def _place(self, span: ZipkinSpan, local: Endpoint) -> None:
        span.local = local
        if local is not NOWHERE:
            self.of_service.setdefault(local.service.lower(), span)

    def _of(self, host: Endpoint) -> ZipkinSpan:
        """The span of the host's service. The first host that is named at all gets the first span."""
        if self.first.local is NOWHERE and host is not NOWHERE:
            self._place(self.first, host)
        if host is NOWHERE or host is self.first.local:
            return self.first
        return self.of_service.get(host.service.lower()) or self._new(host)

    def _of_two(self, host: Endpoint, other: Endpoint, kinds: tuple[int, int]) -> tuple[ZipkinSpan, ZipkinSpan]:
        """The spans of both sides of a call; of two kinds, also where a service calls itself."""
        span = self._of(host)
        if not _same_service(host, other):
            return span, self._of(other)
        span.kind, called = kinds[0], self._new(other)
        called.kind = kinds[1]
        return span, called

    def _take_annotations(self) -> None:
        for annotation in sorted(self.source.annotations):
            span = self._of(annotation.host)
            if annotation.value in KIND_OF and annotation.host is not NOWHERE:
                self.core[annotation.value] = annotation
                span.kind = KIND_OF[annotation.value] or span.kind
            else:
                _annotate(span, annotation)

    def _time_rpc(self) -> None:
        cs, cr, sr, ss = map(self.core.get, RPC)
        cs = self._core_start("cs", cs, cr)
        sr = self._core_start("sr", sr, ss)
        if cs and sr:
            self._time(cs, cr)
            client, server = self._of_two(cs.host, sr.host, (CLIENT, SERVER))
            server.shared, server.timestamp_us = True, sr.timestamp_us
            server.duration_us = _between(sr, ss)
            if not cr and not self.source.duration_us:
                client.duration_us = 0  # one way: nobody knows how long
        elif cs and cr:
            self._time(cs, cr)
        elif sr and ss:
            self._time(sr, ss)
        else:
            self._time_unfinished(cs, cr, sr, ss)
        if sr and not cs and self._was_joined(ss):
            self._of(sr.host).shared = True

    def _core_start(self, value: str, start: V1Annotation | None, end: V1Annotation | None) -> V1Annotation | None:
        """The annotation that begins a call; made from the span's own times if they end where `end` is."""
        source = self.source
        if start or not end or not source.timestamp_us or not source.duration_us:
            return start
        if source.timestamp_us + source.duration_us != end.timestamp_us:
            return None
        made = self.core[value] = V1Annotation(source.timestamp_us, value, end.host)
        return made

    def _was_joined(self, ss: V1Annotation | None) -> bool:
        """Version 1 cannot say that a server shares its client's span; a span without times of its own implies it."""
        return not self.source.timestamp_us or (ss is not None and not self.source.duration_us)

    def _time_unfinished(self, *core: V1Annotation | None) -> None:
        """Of a call of which one end is not known, the start is the span's; the end stays an annotation."""
        cs, cr, sr, ss = core
        for span in self.spans:
            start, end = {CLIENT: (cs, cr), SERVER: (sr, ss)}.get(span.kind, (None, None))
            if start:
                span.timestamp_us = start.timestamp_us
            if end:
                _annotate(span, end)
        if self.source.timestamp_us:
            self.first.timestamp_us = self.source.timestamp_us
            self.first.duration_us = self.source.duration_us

    def _time_messaging(self) -> None:
        ms, mr, ws, wr = map(self.core.get, ("ms", "mr", "ws", "wr"))
        if ms and mr:
            producer, consumer = self._of_two(ms.host, mr.host, (PRODUCER, CONSUMER))
            consumer.shared, consumer.timestamp_us = True, (wr or mr).timestamp_us
            consumer.duration_us = _between(wr, mr)
            producer.timestamp_us, producer.duration_us = ms.timestamp_us, _between(ms, ws)
        elif ms:
            self._time(ms, ws)
        elif mr:
            self._time(wr or mr, mr)
        else:
            for annotation in filter(None, (ws, wr)):
                _annotate(self._of(annotation.host), annotation)

    def _time(self, start: V1Annotation, end: V1Annotation | None) -> None:
        """The span's own times if it has both, else those of the annotations."""
        span, source = self._of(start.host), self.source
        if source.timestamp_us and source.duration_us:
            span.timestamp_us, span.duration_us = source.timestamp_us, source.duration_us
        else:
            span.timestamp_us = start.timestamp_us
            span.duration_us = _between(start, end) or span.duration_us

    def _take_binary_annotations(self) -> None:
        addresses: dict[str, Endpoint] = {}
        others = []
        span, span_host = self.first, NOWHERE
        for annotation in self.source.binary_annotations:
            key, value, host = annotation
            if key in _IS_ADDRESS and (value is True or type(value) is str):
                addresses[key] = host
            elif type(value) is str:
                if host is not span_host:
                    span, span_host = self._of(host), host
                if value or key != LOCAL_COMPONENT:
                    span.tags[key] = value
            else:
                others.append(annotation)
        self._put_addresses(*(addresses.get(key, NOWHERE) for key in ADDRESSES))
        self._put_others(others)

    def _put_others(self, others: list[V1BinaryAnnotation]) -> None:
        """Values that are no text. Zipkin skips them, so they come last and make no span that it would not make."""
        for key, value, host in others:
            if value is not None:
                span = self.of_service.get(host.service.lower(), self.first)
                span.tags[key] = value
                if span.local is NOWHERE:
                    self._place(span, host)

    def _put_addresses(self, client: Endpoint, server: Endpoint, broker: Endpoint) -> None:
        if any(value in self.core for value in RPC):
            self._put_rpc_addresses(client, server)
        elif client is not NOWHERE or server is not NOWHERE:
            self._put_addresses_alone(client, server)
            return
        if broker is not NOWHERE:
            for value in {"ms", "mr"} & self.core.keys():
                self._of(self.core[value].host).remote = broker

    def _put_addresses_alone(self, client: Endpoint, server: Endpoint) -> None:
        """Of a span that does not say what it is. A server's address does not make a client of it."""
        if client is not NOWHERE and server is not NOWHERE:
            self._of(client).remote = server
        elif server is not NOWHERE:
            self.first.remote = server
        else:
            self.first.kind, self.first.remote = SERVER, client

    def _put_rpc_addresses(self, client: Endpoint, server: Endpoint) -> None:
        serving = self.core.get("sr") or self.core.get("ss")
        if serving and client is not NOWHERE and _lower(client) != _lower(serving.host):
            if _same_service(client, serving.host):
                client = client._replace(service="")  # Finagle's: the client's port under the server's name
            self._of(serving.host).remote = client
        calling = self.core.get("cs") or self.core.get("cr")
        if calling and server is not NOWHERE:
            self._of(calling.host).remote = server


def _annotate(span: ZipkinSpan, annotation: V1Annotation) -> None:
    span.annotations.append((annotation.timestamp_us, annotation.value))


def _between(start: V1Annotation | None, end: V1Annotation | None) -> int:
    """µs, 0 where one of them is not known or they stand the wrong way round."""
    return max(end.timestamp_us - start.timestamp_us, 0) if start and end else 0


def _same_service(left: Endpoint, right: Endpoint) -> bool:
    return left.service == right.service or left.service.lower() == right.service.lower()


def _lower(endpoint: Endpoint) -> Endpoint:
    return endpoint._replace(service=endpoint.service.lower())
