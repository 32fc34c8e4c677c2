"""What the endpoints of Zipkin's clients say of themselves."""

from __future__ import annotations

from spandrel.http.described import JSON, PLAIN, Answer, Body, Described, Operation
from spandrel.http.schemas import BOOLEAN, BYTES, INTEGER, TEXT, list_of, map_of, named, one_of, record, whole

_TIME_US = whole(0, 2**53)
_ID = {"type": "string", "pattern": "^[0-9a-f]{1,16}$"}
_TRACE_ID = {"type": "string", "pattern": "^[0-9a-f]{1,32}$"}
_ENDPOINT = record({"serviceName?": TEXT, "ipv4?": TEXT, "ipv6?": TEXT, "port?": whole(0, 65535)}, others=True)
_ANNOTATION = {"timestamp": _TIME_US, "value": TEXT}

_SCHEMAS = {
    "ZipkinSentSpan": record(
        {
            "traceId": _TRACE_ID,
            "id": _ID,
            "parentId?": _ID,
            "name?": TEXT,
            "kind?": one_of("CLIENT", "SERVER", "PRODUCER", "CONSUMER"),
            "timestamp?": _TIME_US,
            "duration?": _TIME_US,
            "localEndpoint?": _ENDPOINT,
            "remoteEndpoint?": _ENDPOINT,
            "annotations?": list_of(record(_ANNOTATION, others=True)),
            "tags?": map_of(TEXT),
            "debug?": BOOLEAN,
            "shared?": BOOLEAN,
        }
    ),
    "ZipkinSentSpanV1": record(
        {
            "traceId": _TRACE_ID,
            "id": _ID,
            "parentId?": _ID,
            "name?": TEXT,
            "timestamp?": _TIME_US,
            "duration?": _TIME_US,
            "annotations?": list_of(record({**_ANNOTATION, "endpoint?": _ENDPOINT}, others=True)),
            "binaryAnnotations?": list_of(
                record({"key": TEXT, "value": {"type": ["string", "boolean"]}, "endpoint?": _ENDPOINT}, others=True)
            ),
            "debug?": BOOLEAN,
            "version?": INTEGER,
        },
        others=True,
    ),
}
_EXAMPLE = {
    "traceId": "0af7651916cd43dd8448eb211c80319c",
    "id": "b7ad6b7169203331",
    "name": "post /checkout",
    "timestamp": 1_790_000_000_000_000,
}
_V2 = Body(
    {JSON: list_of(named("ZipkinSentSpan")), "application/x-protobuf": BYTES},
    "Spans of version 2",
    [_EXAMPLE | {"kind": "SERVER", "duration": 250_000, "localEndpoint": {"serviceName": "web"}}],
)
_V1 = Body(
    {JSON: list_of(named("ZipkinSentSpanV1")), "application/x-thrift": BYTES},
    "Spans of version 1",
    [
        _EXAMPLE
        | {
            "annotations": [
                {"timestamp": 1_790_000_000_000_000, "value": "sr", "endpoint": {"serviceName": "web"}},
                {"timestamp": 1_790_000_000_250_000, "value": "ss", "endpoint": {"serviceName": "web"}},
            ]
        }
    ],
)
_BODY_OF = {"/api/v2/spans": _V2, "/zipkin/api/v2/spans": _V2, "/api/v1/spans": _V1}
_TAKEN = Answer("They are durably queued", {PLAIN: TEXT}, 202)

ZIPKIN = Described(
    "Zipkin's clients",
    "Zipkin's spans, versions 1 and 2 (docs/wire/zipkin.md)",
    tuple(Operation("POST", path, "Takes spans", _TAKEN, body=body) for path, body in _BODY_OF.items()),
    refusal={PLAIN: TEXT},
    scope="ingest",
    schemas=_SCHEMAS,
)
