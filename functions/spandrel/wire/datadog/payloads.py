"""The msgpack that Datadog's tracers send to their agent -> its spans.

Two encodings of the same (datadog-agent, pkg/trace/api/version.go). v0.4: a list of traces, each a list of spans, each
a map. v0.5: all texts once, then the traces, in which a span is a list of twelve fields and a text is its number.

Spans are read one by one, each within limits, so that no length or depth that a body only claims is made room for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from msgpack import Unpacker
from msgpack.exceptions import UnpackException

from spandrel.model.errors import TooLarge, Undecodable
from spandrel.wire.span_ids import refuse_too_many

TEXTS_MAX = 500_000  # of one v0.5 body: a text takes two bytes in it and fifty in memory
UINT64 = 2**64 - 1
ELEMENTS_MAX = 16_384  # of one list or map in a span; lists may be 512 deep, and msgpack makes room for each at once

T = TypeVar("T")


class DatadogSpan(NamedTuple):
    """datadog-agent, pkg/proto/datadog/trace/span.proto. Times are in nanoseconds; ids are 64 bits without a sign.

    `links` and `events` are those of v0.4; v0.5 has them as JSON in `meta`.
    """

    service: str
    name: str
    resource: str
    trace_id: int
    span_id: int
    parent_id: int
    start_ns: int
    duration_ns: int
    error: int
    meta: dict[str, str]
    metrics: dict[str, float]
    type: str
    links: list[Any]
    events: list[Any]
    meta_struct: dict[str, bytes]


_NAMES = (
    *("service", "name", "resource", "trace_id", "span_id", "parent_id", "start", "duration", "error"),
    *("meta", "metrics", "type", "span_links", "span_events", "meta_struct"),
)
_V04_TYPES = (*[str] * 3, *[int] * 6, *[dict] * 2, str, *[list] * 2, dict)
_V05_TYPES = (*[int] * 9, *[list] * 2, int)
_TYPES: Mapping[str, type] = dict(zip(_NAMES, _V04_TYPES, strict=True))


def traces_of_v04(body: bytes) -> Iterator[list[DatadogSpan]]:
    """Undecodable when the body is no such msgpack; what follows it is ignored, as the agent does."""
    unpacker = _unpacker(body)
    for spans in _traces(unpacker):
        yield [_span_of_v04(_read(unpacker.unpack)) for _ in range(spans)]


def traces_of_v05(body: bytes) -> Iterator[list[DatadogSpan]]:
    """The same."""
    unpacker = _unpacker(body, object_pairs_hook=list, strict_map_key=False)
    if _read(unpacker.read_array_header) != 2:
        raise Undecodable("a v0.5 body is a list of two, texts and traces")
    texts = _texts(unpacker)
    for spans in _traces(unpacker):
        yield [_span_of_v05(_read(unpacker.unpack), texts) for _ in range(spans)]


def _traces(unpacker: Unpacker) -> Iterator[int]:
    """How many spans each trace says that it has; the caller reads them before the next. TooLarge for too many."""
    traces, found = _read(unpacker.read_array_header), 0
    refuse_too_many(traces)
    for _ in range(traces):
        spans = _read(unpacker.read_array_header)
        found += spans
        refuse_too_many(found)
        yield spans


def _unpacker(body: bytes, **options: Any) -> Unpacker:
    """Text that is no UTF-8 is mended with U+FFFD, as the agent does."""
    unpacker = Unpacker(
        max_buffer_size=len(body),
        max_array_len=ELEMENTS_MAX,
        max_map_len=ELEMENTS_MAX,
        unicode_errors="replace",
        **options,
    )
    unpacker.feed(body)
    return unpacker


def _read(what: Callable[[], T]) -> T:
    try:
        return what()
    except (UnpackException, ValueError) as error:  # all that msgpack raises of a body
        raise Undecodable(f"the body is no msgpack: {error or type(error).__name__}") from error


def _texts(unpacker: Unpacker) -> dict[int, str]:
    """Number -> text. A map, because a list would take negative numbers."""
    count = _read(unpacker.read_array_header)
    if count > TEXTS_MAX:
        raise TooLarge(f"the body has {count:,} texts; {TEXTS_MAX:,} is the limit")
    texts = {number: _read(unpacker.unpack) for number in range(count)}
    if not all(type(text) is str for text in texts.values()):
        raise Undecodable("a text of the body is something else")
    return texts


def _span_of_v04(found: Any) -> DatadogSpan:
    if type(found) is not dict:
        raise Undecodable(f"a span is a map, not {type(found).__name__}")
    for name, value in found.items():
        wanted = _TYPES.get(name)
        if wanted and type(value) is not wanted and value is not None:
            raise Undecodable(f"{name} of a span is {wanted.__name__}, not {type(value).__name__}")
    span = DatadogSpan._make([found.get(name) or _TYPES[name]() for name in _NAMES])
    _check(span.meta, (str,), "meta")
    _check(span.metrics, (float, int), "metrics")
    _check(span.meta_struct, (bytes,), "meta_struct")
    return span


def _span_of_v05(found: Any, texts: dict[int, str]) -> DatadogSpan:
    if type(found) is not list or tuple(map(type, found)) != _V05_TYPES:
        raise Undecodable(f"a span is a list of {len(_V05_TYPES)} numbers and maps")
    service, name, resource, *numbers, meta, metrics, span_type = found
    try:
        tags = {texts[key]: texts[value] for key, value in meta}
        measured = {texts[key]: value for key, value in metrics}
        texts_of_span = texts[service], texts[name], texts[resource]
        span = DatadogSpan._make((*texts_of_span, *numbers, tags, measured, texts[span_type], [], [], {}))
    except (KeyError, TypeError) as error:  # TypeError: a list or map in the place of a number
        raise Undecodable(f"a span refers to {error}, which is none of {len(texts):,} texts") from error
    _check(span.metrics, (float, int), "metrics")
    return span


def _check(found: Mapping[Any, Any], types: tuple[type, ...], what: str) -> None:
    if not set(map(type, found.values())).issubset(types) or not set(map(type, found)).issubset({str}):
        raise Undecodable(f"{what} of a span is a map from str to {types[0].__name__}")
