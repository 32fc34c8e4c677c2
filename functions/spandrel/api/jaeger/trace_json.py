"""Spans -> the JSON of Jaeger's classic API, which Jaeger UI draws (jaeger, internal/uimodel).

What OTLP has a field for and Jaeger has not becomes a tag, as in the translation that Jaeger itself uses
(collector-contrib, pkg/translator/jaeger); what came from a Jaeger client becomes what that client sent
(docs/apis/jaeger.md, "A trace as JSON"). Straight to text, trace by trace: dicts of all spans would be many times as
large.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from spandrel.api.adjusting import adjusted
from spandrel.api.spans import Event, Link, Resource, Span
from spandrel.api.values import Attributes, Value, text_of
from spandrel.blocks.naming import SERVICE_NAME
from spandrel.model import jaeger
from spandrel.model.spans import STATUSES

NO_SERVICE = "OTLPResourceNoServiceName"  # the collector's word for a resource without a name
NS_PER_US = 1000
EXACT_INTEGERS = range(-(2**53) + 1, 2**53)  # beyond, a browser would read another number

_KIND_TAGS = {number: name for name, number in jaeger.KINDS.items()}
_STATUS_TAGS = {STATUSES["ok"]: "OK", STATUSES["error"]: "ERROR"}
_HIGH_HALF_OF_64_BITS = bytes(8)

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Json = dict[str, Any]


def jaeger_traces(spans: Iterable[Span], *, raw: bool) -> str:
    """The text of a list of traces, in the order of their spans, of which those of a trace follow one another.

    `raw`: as they were sent. Else what cannot be drawn so is made drawable, and says so (`spandrel.api.adjusting`).
    """
    traces = (list(trace) for _, trace in groupby(spans, key=lambda span: span.trace_id))
    return f"[{','.join(_trace(trace if raw else adjusted(trace)) for trace in traces)}]"


def trace_id_text(trace_id: bytes) -> str:
    """64 bits where the id has no more, as Jaeger writes it."""
    return trace_id.removeprefix(_HIGH_HALF_OF_64_BITS).hex()


def _trace(spans: list[Span]) -> str:
    processes: dict[Resource, str] = {}
    texts = []
    for span in spans:
        process_id = processes.setdefault(span.resource, f"p{len(processes) + 1}")
        texts.append(_encode(_span(span, process_id)))
    told = _encode({process_id: _process(resource) for resource, process_id in processes.items()})
    trace_id = trace_id_text(spans[0].trace_id)
    return f'{{"traceID":"{trace_id}","spans":[{",".join(texts)}],"processes":{told},"warnings":null}}'


def _span(span: Span, process_id: str) -> Json:
    attributes = dict(span.attributes)
    flags = attributes.pop(jaeger.FLAGS, span.flags & jaeger.SAMPLED)
    warnings = attributes.pop(jaeger.WARNINGS, None)
    return {
        "traceID": trace_id_text(span.trace_id),
        "spanID": span.span_id.hex(),
        **({"flags": flags} if flags else {}),
        "operationName": span.name,
        "references": list(_references(span)),
        "startTime": span.start_ns // NS_PER_US,
        "duration": _duration_us(span),
        "tags": _pairs(_tags(span, _as_sent(attributes))),
        "logs": [_log(event) for event in span.events],
        "processID": process_id,
        "warnings": warnings,
    }


def _duration_us(span: Span) -> int:
    """Cut towards zero, as the start is. A span that has no end yet lasts 0."""
    if not span.end_ns:
        return 0
    length_ns = span.end_ns - span.start_ns
    return length_ns // NS_PER_US if length_ns >= 0 else -(-length_ns // NS_PER_US)


def _process(resource: Resource) -> Json:
    tags = {key: value for key, value in resource.attributes.items() if key != SERVICE_NAME}
    version = tags.get(jaeger.CLIENT_VERSION)
    if isinstance(version, str) and version.startswith(jaeger.CLIENT_PREFIX):
        tags["jaeger.version"] = tags.pop(jaeger.CLIENT_VERSION).removeprefix(jaeger.CLIENT_PREFIX)
        if "host.name" in tags:
            tags["hostname"] = tags.pop("host.name")
    return {"serviceName": resource.service or NO_SERVICE, "tags": _pairs(tags)}


def _references(span: Span) -> Iterator[Json]:
    """The parent first, unless a link to it says in which way it is referred to."""
    parent = (span.trace_id, span.parent_id)
    links = [(link, link.attributes.get(jaeger.REFERENCE_TYPE)) for link in span.links]
    if span.parent_id and not any(kind and (link.trace_id, link.span_id) == parent for link, kind in links):
        yield _reference("CHILD_OF", *parent)
    for link, kind in links:
        yield _link(link, "CHILD_OF" if kind == jaeger.CHILD_OF else "FOLLOWS_FROM")


def _link(link: Link, kind: str) -> Json:
    return _reference(kind, link.trace_id, link.span_id)


def _reference(kind: str, trace_id: bytes, span_id: bytes) -> Json:
    return {"refType": kind, "traceID": trace_id_text(trace_id), "spanID": span_id.hex()}


def _tags(span: Span, attributes: Attributes) -> Attributes:
    """The attributes between what the translation puts before and after them; an attribute of that name stands."""
    before = {jaeger.SCOPE_NAME_TAG: span.scope.name, jaeger.SCOPE_VERSION_TAG: span.scope.version}
    after = {
        jaeger.KIND_TAG: _KIND_TAGS.get(span.kind),
        jaeger.STATUS_CODE_TAG: _STATUS_TAGS.get(span.status),
        jaeger.ERROR_TAG: span.status == STATUSES["error"],
        jaeger.STATUS_MESSAGE_TAG: span.status_message,
        jaeger.TRACE_STATE_TAG: span.trace_state,
    }
    return _said(before, attributes) | attributes | _said(after, attributes)


def _said(tags: Mapping[str, Value], attributes: Attributes) -> Attributes:
    return {key: value for key, value in tags.items() if value and key not in attributes}


def _as_sent(attributes: Attributes) -> Attributes:
    """Without what was put beside the tags of a Jaeger client."""
    added = attributes.get(jaeger.ADDED)
    if not isinstance(added, list):
        return attributes
    return {key: value for key, value in attributes.items() if key != jaeger.ADDED and key not in added}


def _log(event: Event) -> Json:
    name = {jaeger.EVENT_FIELD: event.name} if event.name and jaeger.EVENT_FIELD not in event.attributes else {}
    return {"timestamp": event.time_ns // NS_PER_US, "fields": _pairs(name | _as_sent(event.attributes))}


def _pairs(values: Attributes) -> list[Json]:
    return [{"key": key, **_typed(value)} for key, value in values.items()]


def _typed(value: Value) -> Json:
    match value:
        case bool():
            return {"type": "bool", "value": value}
        case int():
            return {"type": "int64", "value": value if value in EXACT_INTEGERS else str(value)}
        case float():
            return {"type": "float64", "value": value if _is_finite(value) else text_of(value)}
        case bytes():
            return {"type": "binary", "value": base64.b64encode(value).decode()}
        case _:
            return {"type": "string", "value": text_of(value)}


def _is_finite(value: float) -> bool:
    return value - value == 0  # neither infinite nor not a number, of which JSON has none
