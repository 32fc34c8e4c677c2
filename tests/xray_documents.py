"""X-Ray's segment documents made again from OTLP, so that tests see whether anything of them is lost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spandrel.model import xray
from spandrel.model.ids import xray_trace_id

Document = dict[str, Any]

SERVER = Span.SPAN_KIND_SERVER
SPAN_PATHS = {name: path for path, name in xray.SPAN_ATTRIBUTES.items() if path not in xray.LISTS}
RESOURCE_PATHS = {name: path for path, name in xray.RESOURCE_ATTRIBUTES.items()}
EXCEPTION_PATHS = {name: path for path, name in xray.EXCEPTION_ATTRIBUTES.items()}
MADE_UP = {xray.PEER, xray.STACKTRACE, "service.name"}  # for others than X-Ray; they say nothing more


def documents_of(request: ExportTraceServiceRequest) -> list[Document]:
    """The documents: subsegments stand in their parents, where these have the same resource."""
    found = []
    for resource_spans in request.resource_spans:
        resource = _members(resource_spans.resource.attributes, RESOURCE_PATHS, xray.PREFIX)
        spans = [span for scope_spans in resource_spans.scope_spans for span in scope_spans.spans]
        segments = {(span.trace_id, span.span_id): _segment(span) for span in spans}
        for span in spans:
            segment = segments[span.trace_id, span.span_id]
            parent = segments.get((span.trace_id, span.parent_span_id)) if span.kind != SERVER else None
            if parent is None:
                found.append(_merged(_standing_alone(span, segment), resource))
            else:
                parent.setdefault("subsegments", []).append(segment)
    return found


def _standing_alone(span: Span, segment: Document) -> Document:
    segment["trace_id"] = xray_trace_id(span.trace_id)
    if span.parent_span_id:
        segment["parent_id"] = span.parent_span_id.hex()
    if span.kind != SERVER:
        segment["type"] = "subsegment"
    return segment


def _segment(span: Span) -> Document:
    segment: Document = {"id": span.span_id.hex(), "name": span.name, "start_time": span.start_time_unix_nano / 10**9}
    if span.end_time_unix_nano:
        segment["end_time"] = span.end_time_unix_nano / 10**9
    listed: list[str] = next((_value(pair.value) for pair in span.attributes if pair.key == xray.ANNOTATIONS), [])
    annotations = {pair.key: _value(pair.value) for pair in span.attributes if pair.key in listed}
    others = [pair for pair in span.attributes if pair.key not in listed and pair.key != xray.ANNOTATIONS]
    _merged(segment, _members(others, SPAN_PATHS, xray.PREFIX))
    named = {key.removeprefix(xray.ANNOTATION_PREFIX): value for key, value in annotations.items()}
    _merged(segment, {"annotations": named} if named else {})
    if span.events:
        exceptions = [_members(event.attributes, EXCEPTION_PATHS, xray.EXCEPTION_PREFIX) for event in span.events]
        _merged(segment, {"cause": {"exceptions": exceptions}})
    if span.links:
        segment["links"] = [_link(link) for link in span.links]
    return segment


def _members(attributes: Iterable[KeyValue], paths: Mapping[str, str], prefix: str) -> Document:
    found: Document = {}
    for pair in attributes:
        key, value = pair.key, _value(pair.value)
        if key in MADE_UP:
            continue
        if key == prefix + "other":
            _merged(found, json.loads(value))
        elif key == prefix + "stack":
            found["stack"] = json.loads(value)
        elif key.startswith(xray.METADATA_PREFIX):
            namespace = key.removeprefix(xray.METADATA_PREFIX)
            found.setdefault("metadata", {})[namespace] = json.loads(value)
        elif key in paths:
            path, value = _table_names(value) if key == "aws.dynamodb.table_names" else (paths[key], value)
            _merged(found, _at(path, value))
        else:
            assert key.startswith(prefix), f"{key} is no attribute of a segment"
            _merged(found, _at(key.removeprefix(prefix), value))
    return found


def _table_names(names: list[str]) -> tuple[str, Any]:
    return ("aws.table_name", names[0]) if len(names) == 1 else ("aws.table_names", names)


def _at(path: str, value: Any) -> Document:
    first, _, rest = path.partition(".")
    return {first: _at(rest, value) if rest else value}


def _merged(into: Document, what: Document) -> Document:
    for key, value in what.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merged(into[key], value)
        else:
            assert key not in into, f"{key} comes twice"
            into[key] = value
    return into


def _link(link: Span.Link) -> Document:
    attributes = {pair.key: _value(pair.value) for pair in link.attributes}
    return {"trace_id": xray_trace_id(link.trace_id), "id": link.span_id.hex()} | (
        {"attributes": attributes} if attributes else {}
    )


def _value(value: AnyValue) -> Any:
    if value.WhichOneof("value") == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, value.WhichOneof("value") or "")


def without_the_obvious(document: Document, parent: Document | None = None, trace_id: str = "") -> Document:
    """A document without what follows from its place or says nothing: `in_progress: false`, an embedded `trace_id`."""
    trace_id = trace_id or document["trace_id"]
    told = {key: value for key, value in document.items() if value not in (None, {})}
    if told.get("in_progress") is False:
        del told["in_progress"]
    if parent is not None:
        known = {"trace_id": trace_id, "parent_id": parent["id"], "type": "subsegment"}
        told = {key: value for key, value in told.items() if known.get(key) != value}
    if "subsegments" in told:
        told["subsegments"] = [without_the_obvious(inner, document, trace_id) for inner in told["subsegments"]]
    return told
