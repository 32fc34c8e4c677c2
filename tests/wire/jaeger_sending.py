"""Jaeger's batches for tests, written by what Thrift generates from Jaeger's own IDL, and told again from OTLP."""

from __future__ import annotations

from typing import Any

from jaeger_client.thrift_gen.agent.Agent import emitBatch_args
from opencensus.ext.jaeger.trace_exporter.gen.jaeger import jaeger as idl
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TMessageType
from thrift.transport.TTransport import TMemoryBuffer

from spandrel.http.request import Request, request_of
from spandrel.model import jaeger
from tests.events import http_event

PATH = "/api/traces"
THRIFT = "application/x-thrift"
TYPES = {"binary": "application/vnd.apache.thrift.binary", "compact": "application/vnd.apache.thrift.compact"}
PROTOCOLS = {"binary": TBinaryProtocol, "compact": TCompactProtocol}
START_US = 1_790_000_000 * 10**6


def tag(key: str, value: Any) -> Any:
    kind, field = {
        str: (0, "vStr"),
        float: (1, "vDouble"),
        bool: (2, "vBool"),
        int: (3, "vLong"),
        bytes: (4, "vBinary"),
    }[type(value)]
    return idl.Tag(key=key, vType=kind, **{field: value})


def tags(values: dict[str, Any]) -> list[Any]:
    return [tag(key, value) for key, value in values.items()]


def log(time_us: int = START_US, **fields: Any) -> Any:
    return idl.Log(timestamp=time_us, fields=tags({key.replace("_", "."): value for key, value in fields.items()}))


def reference(kind: int, trace_id: int, span_id: int, trace_id_high: int = 0) -> Any:
    return idl.SpanRef(refType=kind, traceIdLow=trace_id, traceIdHigh=trace_id_high, spanId=span_id)


def span(said: dict[str, Any] | None = None, **fields: Any) -> Any:
    """A sound span with these tags, and fields under the IDL's names."""
    sound = {
        "traceIdLow": 3,
        "traceIdHigh": 0,
        "spanId": 7,
        "parentSpanId": 0,
        "operationName": "GET /cart",
        "flags": 1,
        "startTime": START_US,
        "duration": 1500,
        "tags": tags(said or {}),
    }
    return idl.Span(**sound | fields)


def batch(*spans: Any, service: str = "shop", process: dict[str, Any] | None = None) -> Any:
    return idl.Batch(process=idl.Process(service, tags(process or {})), spans=list(spans))


def encoded(thrift: Any, encoding: str = "binary") -> bytes:
    written = TMemoryBuffer()
    thrift.write(PROTOCOLS[encoding](written))
    found: bytes = written.getvalue()
    return found


def call(*batches: Any, encoding: str = "binary", name: str = "submitBatches", kind: int = TMessageType.CALL) -> bytes:
    """The message of a call of a collector, or of an agent (`emitBatch`)."""
    written = TMemoryBuffer()
    protocol = PROTOCOLS[encoding](written)
    protocol.writeMessageBegin(name, kind, 42)
    args = emitBatch_args(batches[0]) if name == "emitBatch" else idl.submitBatches_args(list(batches))
    args.write(protocol)
    found: bytes = written.getvalue()
    return found


def outcomes(body: bytes, encoding: str) -> list[bool]:
    """What the reply to a call of a collector says, read as its client does."""
    protocol = PROTOCOLS[encoding](TMemoryBuffer(body))
    assert protocol.readMessageBegin() == ("submitBatches", TMessageType.REPLY, 42)
    result = idl.submitBatches_result()
    result.read(protocol)
    return [outcome.ok for outcome in result.success]


def sent(body: bytes, content_type: str = THRIFT, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request_of(http_event("POST", PATH, headers={"content-type": content_type, **named}, body=body))


# The way back, as Jaeger's own JSON has it: every tag of a span that came in this way.


def spans_again(otlp: Any) -> list[dict[str, Any]]:
    """Spans with their process, in Jaeger's words; ids are integers with a sign, as in Thrift."""
    return [
        span_again(span, scope.scope) | {"process": process_again(resource.resource)}
        for resource in otlp.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def process_again(resource: Any) -> dict[str, Any]:
    said = attributes(resource)
    version = said.pop(jaeger.CLIENT_VERSION, "")
    if version.startswith(jaeger.CLIENT_PREFIX):
        said["jaeger.version"] = version.removeprefix(jaeger.CLIENT_PREFIX)
        said |= {"hostname": said.pop("host.name")} if "host.name" in said else {}
    return {"serviceName": said.pop("service.name", ""), "tags": said}


def span_again(span: Any, scope: Any) -> dict[str, Any]:
    said = attributes(span)
    flags = said.pop(jaeger.FLAGS, span.flags)
    fields = {
        jaeger.KIND_TAG: next((name for name, number in jaeger.KINDS.items() if number == span.kind), ""),
        jaeger.SCOPE_NAME_TAG: scope.name,
        jaeger.SCOPE_VERSION_TAG: scope.version,
        jaeger.TRACE_STATE_TAG: span.trace_state,
        jaeger.STATUS_CODE_TAG: {Status.STATUS_CODE_OK: "OK", Status.STATUS_CODE_ERROR: "ERROR"}.get(span.status.code),
        jaeger.STATUS_MESSAGE_TAG: span.status.message,
        jaeger.ERROR_TAG: span.status.code == Status.STATUS_CODE_ERROR,
    }
    return {
        "trace_id": (number(span.trace_id[:8]), number(span.trace_id[8:])),
        "span_id": number(span.span_id),
        "name": span.name,
        "references": references_again(span),
        "flags": flags,
        "start_us": span.start_time_unix_nano // 1000,
        "duration_us": (span.end_time_unix_nano - span.start_time_unix_nano) // 1000,
        "warnings": said.pop(jaeger.WARNINGS, []),
        "tags": {key: value for key, value in fields.items() if value} | said,
        "logs": [
            (event.time_unix_nano // 1000, attributes(event) | ({jaeger.EVENT_FIELD: event.name} if event.name else {}))
            for event in span.events
        ],
    }


def references_again(span: Any) -> list[tuple[str, bytes, int]]:
    """Kind, trace and span. The parent is one of them, CHILD_OF unless a link to it says otherwise."""
    links = [(attributes(link)[jaeger.REFERENCE_TYPE], link.trace_id, number(link.span_id)) for link in span.links]
    parent = (span.trace_id, number(span.parent_span_id))
    is_said = not span.parent_span_id or any(link[1:] == parent for link in links)
    return links if is_said else [(jaeger.CHILD_OF, *parent), *links]


def number(id_bytes: bytes) -> int:
    return int.from_bytes(id_bytes, "big", signed=True)


def attributes(message: Any) -> dict[str, Any]:
    return {pair.key: value_of(pair.value) for pair in message.attributes}


def value_of(value: Any) -> Any:
    found = getattr(value, value.WhichOneof("value"))
    return [value_of(element) for element in found.values] if value.HasField("array_value") else found
