"""What Tempo's clients take for an answer: JSON Schemas, and the protobuf messages that Grafana decodes.

Both are written from Tempo's documentation and its published messages (pkg/tempopb/tempo.proto), not from the code that
is tested. Schemas are closed: a field that Tempo does not have is none of its answers'.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.asking import Reply
from tests.builders import RECEIVED_NS

START_S = RECEIVED_NS // 10**9
NOW_NS = RECEIVED_NS + 10 * 10**9
PLAIN = "text/plain; charset=utf-8"

Schema = dict[str, Any]


def closed(required: str = "", **properties: Schema) -> Schema:
    """An object of these properties and no other ones; names of required ones with spaces between."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def listed(of: Schema) -> Schema:
    return {"type": "array", "items": of}


TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 1, "maximum": 2**32 - 1}  # what is 0 is left out
LONG: Schema = {"type": "string", "pattern": "^-?[0-9]{1,20}$"}
BYTES: Schema = {"type": "string", "pattern": "^[A-Za-z0-9+/]*={0,2}$"}
ANY_VALUE: Schema = {"$ref": "#/$defs/anyValue"}
PAIR = closed("key value", key=TEXT, value=ANY_VALUE)
PAIRS = listed(PAIR)
DEFINITIONS = {
    "anyValue": closed(
        stringValue=TEXT,
        intValue=LONG,
        doubleValue={"anyOf": [NUMBER, {"enum": ["NaN", "Infinity", "-Infinity"]}]},
        boolValue={"type": "boolean"},
        bytesValue=BYTES,
        arrayValue=closed(values=listed(ANY_VALUE)),
        kvlistValue=closed(values=PAIRS),
    )
    | {"maxProperties": 1}
}

_EVENT = closed("timeUnixNano", timeUnixNano=LONG, name=TEXT, attributes=PAIRS, droppedAttributesCount=COUNT)
_LINK = closed(
    "traceId spanId",
    traceId=BYTES,
    spanId=BYTES,
    traceState=TEXT,
    flags=COUNT,
    attributes=PAIRS,
    droppedAttributesCount=COUNT,
)
_KINDS = ["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
_SPAN = closed(
    "traceId spanId status",
    traceId=BYTES | {"minLength": 24, "maxLength": 24},
    spanId=BYTES | {"minLength": 12, "maxLength": 12},
    parentSpanId=BYTES | {"minLength": 12, "maxLength": 12},
    traceState=TEXT,
    flags=COUNT,
    name=TEXT,
    kind={"anyOf": [{"enum": [f"SPAN_KIND_{kind}" for kind in _KINDS]}, COUNT]},
    startTimeUnixNano=LONG,
    endTimeUnixNano=LONG,
    attributes=PAIRS,
    droppedAttributesCount=COUNT,
    events=listed(_EVENT),
    droppedEventsCount=COUNT,
    links=listed(_LINK),
    droppedLinksCount=COUNT,
    status=closed(code={"enum": ["STATUS_CODE_OK", "STATUS_CODE_ERROR"]}, message=TEXT),
)
_RESOURCE_SPANS = closed(
    "resource scopeSpans",
    resource=closed(attributes=PAIRS, droppedAttributesCount=COUNT, entityRefs=listed({"type": "object"})),
    scopeSpans=listed(
        closed(
            "scope spans",
            scope=closed(name=TEXT, version=TEXT, attributes=PAIRS, droppedAttributesCount=COUNT),
            spans=listed(_SPAN),
            schemaUrl=TEXT,
        )
    ),
    schemaUrl=TEXT,
)
_PARTIAL = {"status": {"const": "PARTIAL"}, "message": TEXT}
_NO_METRICS = closed()
_SPAN_SET = closed(
    "spans matched",
    spans=listed(
        closed(
            "spanID startTimeUnixNano",
            spanID={"type": "string", "pattern": "^[0-9a-f]{16}$"},
            name=TEXT,
            startTimeUnixNano=LONG,
            durationNanos=LONG,
            attributes=PAIRS,
        )
    ),
    matched=COUNT,
    attributes=PAIRS,
)
_TRACE_FOUND = closed(
    "traceID startTimeUnixNano serviceStats",
    traceID={"type": "string", "pattern": "^[1-9a-f][0-9a-f]{0,31}$"},
    rootServiceName=TEXT,
    rootTraceName=TEXT,
    startTimeUnixNano=LONG,
    durationMs=COUNT,
    spanSet=_SPAN_SET,
    spanSets=listed(_SPAN_SET) | {"minItems": 1},
    serviceStats={
        "type": "object",
        "additionalProperties": closed("spanCount", spanCount=COUNT, errorCount=COUNT),
    },
) | {"dependentRequired": {"spanSet": ["spanSets"], "spanSets": ["spanSet"]}}

TRACE = closed("batches", batches=listed(_RESOURCE_SPANS))
TRACE_V2 = closed("trace metrics", trace=closed(resourceSpans=listed(_RESOURCE_SPANS)), metrics=_NO_METRICS, **_PARTIAL)
SEARCH = closed(
    "traces metrics",
    traces=listed(_TRACE_FOUND),
    metrics=closed(
        inspectedBytes=LONG,
        totalBlocks=COUNT,
        completedJobs=COUNT,
        totalJobs=COUNT,
        totalBlockBytes=LONG,
        inspectedSpans=LONG,
    ),
)
TAGS = closed("tagNames metrics", tagNames=listed(TEXT), metrics=_NO_METRICS)
_SCOPES = ["event", "instrumentation", "intrinsic", "link", "resource", "span"]
TAGS_V2 = closed(
    "scopes metrics",
    scopes=listed(closed("name tags", name={"enum": _SCOPES}, tags=listed(TEXT))),
    metrics=_NO_METRICS,
)
VALUES = closed("tagValues metrics", tagValues=listed(TEXT), metrics=_NO_METRICS)
_TYPES = ["string", "int", "float", "bool", "duration", "keyword"]
VALUES_V2 = closed(
    "tagValues metrics",
    tagValues=listed(closed("type value", type={"enum": _TYPES}, value=TEXT)),
    metrics=_NO_METRICS,
)
_LABELS = PAIRS | {"minItems": 1}
_EXEMPLAR = closed("labels timestampMs", labels=_LABELS, value=NUMBER, timestampMs=LONG)
SERIES = closed(
    "series metrics",
    series=listed(
        closed(
            "labels samples",
            labels=_LABELS,
            samples=listed(closed("timestampMs", timestampMs=LONG, value=NUMBER)) | {"minItems": 1},
            exemplars=listed(_EXEMPLAR) | {"minItems": 1},
        )
    ),
    metrics=_NO_METRICS,
    **_PARTIAL,
)
INSTANT = closed(
    "series metrics", series=listed(closed("labels", labels=_LABELS, value=NUMBER)), metrics=_NO_METRICS, **_PARTIAL
)
_BUILD = ("version", "revision", "branch", "buildDate", "buildUser", "goVersion")
BUILD = closed(" ".join(_BUILD), **dict.fromkeys(_BUILD, TEXT))


def refusal(reply: Reply, status: int = 400) -> str:
    """Tempo's errors are their message, as text."""
    assert (reply.status, reply.headers["content-type"]) == (status, PLAIN)
    return reply.body.decode()


def assert_fits(document: Any, schema: Schema) -> None:
    """Raises jsonschema's ValidationError, which says where a document departs from its schema."""
    jsonschema.Draft202012Validator({**schema, "$defs": DEFINITIONS}).validate(document)


@cache
def trace_by_id_response() -> type[Any]:
    """tempopb.TraceByIDResponse, whose trace is made of OTLP's own messages."""
    file = descriptor_pb2.FileDescriptorProto(
        name="tests/tempo.proto", package="tests.tempopb", syntax="proto3", dependency=[trace_pb2.DESCRIPTOR.name]
    )
    field = descriptor_pb2.FieldDescriptorProto
    status = file.enum_type.add(name="PartialStatus")
    status.value.add(name="COMPLETE", number=0)
    status.value.add(name="PARTIAL", number=1)
    trace = file.message_type.add(name="Trace")
    resource_spans = ".opentelemetry.proto.trace.v1.ResourceSpans"
    trace.field.add(
        name="resourceSpans", number=1, label=field.LABEL_REPEATED, type=field.TYPE_MESSAGE, type_name=resource_spans
    )
    metrics = file.message_type.add(name="TraceByIDMetrics")
    metrics.field.add(name="inspectedBytes", number=1, label=field.LABEL_OPTIONAL, type=field.TYPE_UINT64)
    response = file.message_type.add(name="TraceByIDResponse")
    for name, number, kind, type_name in (
        ("trace", 1, field.TYPE_MESSAGE, ".tests.tempopb.Trace"),
        ("metrics", 2, field.TYPE_MESSAGE, ".tests.tempopb.TraceByIDMetrics"),
        ("status", 3, field.TYPE_ENUM, ".tests.tempopb.PartialStatus"),
        ("message", 4, field.TYPE_STRING, None),
    ):
        response.field.add(name=name, number=number, label=field.LABEL_OPTIONAL, type=kind, type_name=type_name)
    pool = descriptor_pool.DescriptorPool()
    for needed in (*_with_dependencies(trace_pb2.DESCRIPTOR), file):
        pool.AddSerializedFile(needed.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tests.tempopb.TraceByIDResponse"))


def _with_dependencies(descriptor: Any) -> list[descriptor_pb2.FileDescriptorProto]:
    found: list[descriptor_pb2.FileDescriptorProto] = []
    for needed in descriptor.dependencies:
        found += _with_dependencies(needed)
    proto = descriptor_pb2.FileDescriptorProto()
    descriptor.CopyToProto(proto)
    return [*found, proto]
