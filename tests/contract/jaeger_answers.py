"""What Jaeger's clients take for an answer: JSON Schemas, by path, of version 3 and of the classic API.

They are written from what jaeger-idl (api_v3, OTLP's messages) and the models of Jaeger UI say of messages, not from
the code that is tested. They are closed: a field that these do not have is none of its answers'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.asking import Asking
from tests.contract.held_to_schemas import held_to
from tests.contract.tempo_answers import DEFINITIONS, LONG, PAIRS, TEXT, Schema, closed, listed

COUNT: Schema = {"type": "integer", "minimum": 0}
DROPPED: Schema = {"type": "integer", "minimum": 1, "maximum": 2**32 - 1}  # what is 0 is left out
TRACE_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
SPAN_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
KIND: Schema = {"enum": ["internal", "server", "client", "producer", "consumer"]}
OPERATIONS = listed(closed("name spanKind", name=TEXT, spanKind=KIND))

# OTLP, as opentelemetry-proto's JSON has it.
_EVENT = closed("timeUnixNano name", timeUnixNano=LONG, name=TEXT, attributes=PAIRS, droppedAttributesCount=DROPPED)
_LINK = closed(
    "traceId spanId",
    traceId=TRACE_ID,
    spanId=SPAN_ID,
    traceState=TEXT,
    flags=COUNT,
    attributes=PAIRS,
    droppedAttributesCount=DROPPED,
)
_SPAN = closed(
    "traceId spanId name startTimeUnixNano endTimeUnixNano status",
    traceId=TRACE_ID,
    spanId=SPAN_ID,
    parentSpanId=SPAN_ID,
    traceState=TEXT,
    flags=COUNT,
    name=TEXT,
    kind={"enum": [1, 2, 3, 4, 5]},
    startTimeUnixNano=LONG,
    endTimeUnixNano=LONG,
    attributes=PAIRS,
    droppedAttributesCount=DROPPED,
    events=listed(_EVENT),
    droppedEventsCount=DROPPED,
    links=listed(_LINK),
    droppedLinksCount=DROPPED,
    status=closed(message=TEXT, code={"enum": [1, 2]}),
)
_SCOPE = closed(name=TEXT, version=TEXT, attributes=PAIRS, droppedAttributesCount=DROPPED)
_ENTITY = closed("type", schemaUrl=TEXT, type=TEXT, idKeys=listed(TEXT), descriptionKeys=listed(TEXT))
_RESOURCE = closed(attributes=PAIRS, droppedAttributesCount=DROPPED, entityRefs=listed(_ENTITY))
_SCOPE_SPANS = closed("scope spans", scope=_SCOPE, spans=listed(_SPAN) | {"minItems": 1}, schemaUrl=TEXT)
_RESOURCE_SPANS = closed("resource scopeSpans", resource=_RESOURCE, scopeSpans=listed(_SCOPE_SPANS), schemaUrl=TEXT)
TRACES_DATA = closed("result", result=closed("resourceSpans", resourceSpans=listed(_RESOURCE_SPANS)))

_SERVICE = closed("name spanCount errorSpanCount", name=TEXT, spanCount=COUNT, errorSpanCount=COUNT)
_SUMMARY = {
    "traceId": TRACE_ID,
    "rootServiceName": TEXT,
    "rootOperationName": TEXT,
    "minStartTimeUnixNano": LONG,
    "maxEndTimeUnixNano": LONG,
    "spanCount": COUNT,
    "errorSpanCount": COUNT,
    "orphanSpanCount": COUNT,
    "services": listed(_SERVICE),
}

# The classic API, as Jaeger UI's types have it.
_CLASSIC_ID: Schema = {"type": "string", "pattern": "^([0-9a-f]{16}|[0-9a-f]{32})$"}
_TYPES: Mapping[str, Schema] = {
    "string": TEXT,
    "bool": {"type": "boolean"},
    "int64": {"anyOf": [{"type": "integer"}, LONG]},
    "float64": {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]},
    "binary": {"type": "string", "pattern": "^[A-Za-z0-9+/]*={0,2}$"},
}
_TAG: Schema = {
    "anyOf": [closed("key type value", key=TEXT, type={"const": name}, value=of) for name, of in _TYPES.items()]
}
_WARNINGS: Schema = {"anyOf": [{"type": "null"}, listed(TEXT)]}
_REFERENCE = closed(
    "refType traceID spanID", refType={"enum": ["CHILD_OF", "FOLLOWS_FROM"]}, traceID=_CLASSIC_ID, spanID=SPAN_ID
)
_CLASSIC_SPAN = closed(
    "traceID spanID operationName references startTime duration tags logs processID warnings",
    traceID=_CLASSIC_ID,
    spanID=SPAN_ID,
    flags=COUNT,
    operationName=TEXT,
    references=listed(_REFERENCE),
    startTime=COUNT,
    duration={"type": "integer"},
    tags=listed(_TAG),
    logs=listed(closed("timestamp fields", timestamp=COUNT, fields=listed(_TAG))),
    processID={"type": "string", "pattern": "^p[1-9][0-9]*$"},
    warnings=_WARNINGS,
)
_PROCESS = closed("serviceName tags", serviceName=TEXT, tags=listed(_TAG))
TRACE = closed(
    "traceID spans processes warnings",
    traceID=_CLASSIC_ID,
    spans=listed(_CLASSIC_SPAN) | {"minItems": 1},
    processes={"type": "object", "additionalProperties": _PROCESS, "minProperties": 1},
    warnings=_WARNINGS,
)
_ERROR = closed("msg", code=COUNT, msg=TEXT, traceID=TEXT)
_CALLS: Schema = {"type": "integer", "minimum": 1}
_LINK_OF_SERVICES = closed("parent child callCount", parent=TEXT, child=TEXT, callCount=_CALLS, errorCount=_CALLS)


def _enveloped(data: Schema) -> Schema:
    errors: Schema = {"anyOf": [{"type": "null"}, listed(_ERROR)]}
    return closed(
        "data total limit offset errors", data=data, total=COUNT, limit={"const": 0}, offset={"const": 0}, errors=errors
    )


_BY_PATH: Mapping[str, Schema] = {
    "/api/v3/services": closed("services", services=listed(TEXT) | {"uniqueItems": True}),
    "/api/v3/operations": closed("operations", operations=OPERATIONS),
    "/api/v3/traces": TRACES_DATA,
    "/api/v3/traces/{id}": TRACES_DATA,
    "/api/v3/trace-summaries": closed("summaries", summaries=listed(closed(" ".join(_SUMMARY), **_SUMMARY))),
    "/api/services": _enveloped(listed(TEXT)),
    "/api/services/{id}/operations": _enveloped(listed(TEXT)),
    "/api/operations": _enveloped(OPERATIONS),
    "/api/traces": _enveloped(listed(TRACE)),
    "/api/traces/{id}": _enveloped(listed(TRACE) | {"minItems": 1, "maxItems": 1}),
    "/api/dependencies": _enveloped(listed(_LINK_OF_SERVICES)),
    "/api/transform": _enveloped(listed(TRACE)),
}
SCHEMAS = {path: {**schema, "$defs": DEFINITIONS} for path, schema in _BY_PATH.items()}


def asking_jaeger(handle: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Asking:
    """A client of the function that holds all answers to their schemas."""
    return held_to(SCHEMAS, handle)
