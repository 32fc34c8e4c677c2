"""Zipkin's JSON, version 2 and version 1 -> spans (openzipkin/zipkin: V2SpanReader.java, V1JsonSpanReader.java).

Keys that nobody knows are skipped, and so is null, but for ids. A number may stand as text and a text as number, where
the one can be read as the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from spandrel.model.errors import Undecodable
from spandrel.model.zipkin import KINDS
from spandrel.wire.json_elements import Real, elements

from .span import NOWHERE, Endpoint, Tag, ZipkinSpan, endpoint_of, parent_id_of, span_id_of, trace_id_of
from .v1 import V1Annotation, V1BinaryAnnotation, V1Span

Object = dict[str, Any]
"""A JSON object."""

Known = dict[tuple[Any, ...], Endpoint]
"""The endpoints of a body by their fields: most spans of a service have the same."""

S = TypeVar("S", ZipkinSpan, V1Span)
INT64_MAX = 2**63 - 1
TOLD_CHARACTERS = 80  # of a wrong value, in a refusal

_is_whole = re.compile(r"-?[0-9]{1,20}").fullmatch
_is_number = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?").fullmatch


def v2_spans(body: bytes) -> Iterator[ZipkinSpan]:
    """The spans of a list. Undecodable at the first that is none, with its place in the list."""
    return _spans(body, _v2_span)


def v1_spans(body: bytes) -> Iterator[V1Span]:
    """The spans of a list. Undecodable at the first that is none, with its place in the list."""
    return _spans(body, _v1_span)


def _spans(body: bytes, read: Callable[[Object, Known], S]) -> Iterator[S]:
    known: Known = {}
    for place, found in enumerate(elements(body)):
        try:
            span = read(_object(found, "a span"), known)
        except Undecodable as error:
            raise Undecodable(f"span {place}: {error}") from error
        yield span


def _v2_span(found: Object, known: Known) -> ZipkinSpan:
    get = found.get
    span_id = span_id_of(_text(get("id"), "id"))
    parent_id, kind = get("parentId"), get("kind")
    return ZipkinSpan(
        trace_id_of(_text(get("traceId"), "traceId")),
        span_id,
        b"" if parent_id is None else parent_id_of(_text(parent_id, "parentId"), span_id),
        0 if kind is None else _kind(kind),
        _text_or_none(get("name"), "name"),
        _whole(get("timestamp"), "timestamp"),
        _whole(get("duration"), "duration"),
        _endpoint(get("localEndpoint"), known),
        _endpoint(get("remoteEndpoint"), known),
        [_annotation(item) for item in _list(get("annotations"), "annotations")],
        _tags(get("tags")),
        _flag(get("debug"), "debug"),
        _flag(get("shared"), "shared"),
    )


def _kind(value: Any) -> int:
    kind = KINDS.get(value) if type(value) is str else None
    if kind is None:
        raise _wrong("kind", f"one of {', '.join(KINDS)}", value)
    return kind


def _annotation(found: Any) -> tuple[int, str]:
    item = _object(found, "an annotation")
    if item.get("timestamp") is None or item.get("value") is None:
        raise Undecodable("an annotation has a timestamp and a value")
    return _whole(item["timestamp"], "timestamp"), _text(item["value"], "value")


def _tags(found: Any) -> dict[str, Tag]:
    if found is None:
        return {}
    tags: dict[str, Tag] = _object(found, "tags")
    for key, value in tags.items():
        if type(value) is not str:
            tags[key] = _text(value, f"tag {key[:TOLD_CHARACTERS]!r}")
    return tags


def _endpoint(found: Any, known: Known) -> Endpoint:
    if found is None:
        return NOWHERE
    get = _object(found, "an endpoint").get
    fields = service, ipv4, ipv6, port = get("serviceName"), get("ipv4"), get("ipv6"), get("port")
    try:
        return known[fields]
    except (KeyError, TypeError):  # or a list or an object, which is refused here
        endpoint = known[fields] = endpoint_of(
            _text_or_none(service, "serviceName"),
            _text_or_none(ipv4, "ipv4"),
            _text_or_none(ipv6, "ipv6"),
            _whole(port, "port"),
        )
        return endpoint


def _v1_span(found: Object, known: Known) -> V1Span:
    get = found.get
    span_id = span_id_of(_text(get("id"), "id"))
    parent_id = get("parentId")
    return V1Span(
        trace_id_of(_text(get("traceId"), "traceId")),
        span_id,
        b"" if parent_id is None else parent_id_of(_text(parent_id, "parentId"), span_id),
        _text_or_none(get("name"), "name"),
        _whole(get("timestamp"), "timestamp"),
        _whole(get("duration"), "duration"),
        [_v1_annotation(item, known) for item in _list(get("annotations"), "annotations")],
        _binary_annotations(_list(get("binaryAnnotations"), "binaryAnnotations"), known),
        _flag(get("debug"), "debug"),
    )


def _v1_annotation(found: Any, known: Known) -> V1Annotation:
    return V1Annotation(*_annotation(found), _endpoint(found.get("endpoint"), known))


def _binary_annotations(items: list[Any], known: Known) -> list[V1BinaryAnnotation]:
    found: list[V1BinaryAnnotation] = []
    told, host = None, NOWHERE
    for item in items:
        get = item.get if type(item) is dict else _object(item, "a binary annotation").get
        key, value, endpoint = get("key"), get("value"), get("endpoint")
        if endpoint != told:  # nearly all of a span have the same
            told, host = endpoint, _endpoint(endpoint, known)
        if type(key) is not str:
            key = _key(key)
        found.append((key, value if type(value) is str else _scalar(value), host))
    return found


def _key(key: Any) -> str:
    if key is None:
        raise Undecodable("a binary annotation has a key")
    return _text(key, "key")


def _scalar(value: Any) -> Tag | None:
    """None for what cannot be the value of a binary annotation: Zipkin skips it."""
    if type(value) is Real:
        return float(value)
    return value if isinstance(value, str | bool | int) else None


def _object(found: Any, what: str) -> Object:
    if type(found) is not dict:
        raise _wrong(what, "an object", found)
    return found


def _list(found: Any, what: str) -> list[Any]:
    if found is None:
        return []
    if type(found) is not list:
        raise _wrong(what, "a list", found)
    return found


def _flag(value: Any, what: str) -> bool:
    if value is None:
        return False
    if type(value) is not bool:
        raise _wrong(what, "true or false", value)
    return value


def _text_or_none(value: Any, what: str) -> str:
    return "" if value is None else _text(value, what)


def _text(value: Any, what: str) -> str:
    if type(value) is str:
        return value
    if type(value) is Real or type(value) is int:
        return str(value)
    raise _wrong(what, "text", value)


def _whole(value: Any, what: str) -> int:
    """A whole number of 64 bits, also as 2.0 or as text; 0 for null and for what is not there."""
    if value is None:
        return 0
    number = value if type(value) is int else _whole_of_text(value)
    if number is None or abs(number) > INT64_MAX:
        raise _wrong(what, "a whole number of 64 bits", value)
    return number


def _whole_of_text(value: Any) -> int | None:
    if not isinstance(value, str) or not _is_number(value):
        return None
    if _is_whole(value):
        return int(value)
    number = float(value)
    return int(number) if number.is_integer() else None


def _wrong(what: str, should: str, value: Any) -> Undecodable:
    return Undecodable(f"{what} is {should}, not {str(value)[:TOLD_CHARACTERS]!r}")
