"""Jaeger's batches for tests, written by what Thrift generates from Jaeger's own IDL, and told again as its JSON."""

from __future__ import annotations

import base64
import json
from typing import Any

from jaeger_client.thrift_gen.agent.Agent import emitBatch_args
from opencensus.ext.jaeger.trace_exporter.gen.jaeger import jaeger as idl
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TMessageType
from thrift.transport.TTransport import TMemoryBuffer

from spandrel.api.jaeger.trace_json import jaeger_traces
from spandrel.api.spans import spans_of_otlp
from spandrel.http.request import Request, request_of
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


def told_again(otlp: Any) -> list[dict[str, Any]]:
    """The spans as Jaeger's own JSON has them, with their process, and tags and fields by key."""
    traces = json.loads(jaeger_traces(spans_of_otlp(otlp), raw=True))
    return [_told(span, trace["processes"][span["processID"]]) for trace in traces for span in trace["spans"]]


def _told(span: dict[str, Any], process: dict[str, Any]) -> dict[str, Any]:
    logs = [(log["timestamp"], _by_key(log["fields"])) for log in span["logs"]]
    process = {**process, "tags": _by_key(process["tags"])}
    return {**span, "tags": _by_key(span["tags"]), "logs": logs, "process": process}


def _by_key(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: _value(pair["type"], pair["value"]) for pair in pairs}


def _value(kind: str, value: Any) -> Any:
    """The value with its type, which JSON alone does not tell."""
    if kind == "binary":
        return base64.b64decode(value)
    return {"string": str, "bool": bool, "int64": int, "float64": float}[kind](value)


def hexadecimal(*numbers: int) -> str:
    """Halves of an id as Thrift has them, with a sign -> the id as text."""
    return "".join(number.to_bytes(8, "big", signed=True).hex() for number in numbers)
