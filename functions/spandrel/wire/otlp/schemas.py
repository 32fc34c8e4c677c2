"""OTLP's messages as JSON has them (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding")."""

from __future__ import annotations

from collections.abc import Mapping

from spandrel.http.schemas import (
    BOOLEAN,
    DIGITS,
    INTEGER,
    NUMBER,
    TEXT,
    Schema,
    hex_id,
    list_of,
    named,
    one_of,
    record,
    whole,
)

TRACE_ID, SPAN_ID = hex_id(32), hex_id(16)
_COUNT = whole(0, 2**32 - 1)
_ATTRIBUTES = list_of(named("OtlpKeyValue"))
_DROPPED: Mapping[str, Schema] = {"attributes?": _ATTRIBUTES, "droppedAttributesCount?": _COUNT}

SCHEMAS: Mapping[str, Schema] = {
    "OtlpKeyValue": record({"key": TEXT, "value?": named("OtlpAnyValue")}),
    "OtlpAnyValue": record(
        {
            "stringValue?": TEXT,
            "boolValue?": BOOLEAN,
            "intValue?": {"type": "string", "pattern": "^-?[0-9]+$"},
            "doubleValue?": {"anyOf": [NUMBER, one_of("NaN", "Infinity", "-Infinity")]},
            "arrayValue?": record({"values?": list_of(named("OtlpAnyValue"))}),
            "kvlistValue?": record({"values?": _ATTRIBUTES}),
            "bytesValue?": {"type": "string", "contentEncoding": "base64"},
        }
    ),
    "OtlpSpan": record(
        {
            "traceId": TRACE_ID,
            "spanId": SPAN_ID,
            "traceState?": TEXT,
            "parentSpanId?": SPAN_ID,
            "flags?": _COUNT,
            "name": TEXT,
            "kind?": INTEGER,
            "startTimeUnixNano": DIGITS,
            "endTimeUnixNano": DIGITS,
            **_DROPPED,
            "events?": list_of(record({"timeUnixNano": DIGITS, "name": TEXT, **_DROPPED})),
            "droppedEventsCount?": _COUNT,
            "links?": list_of(
                record({"traceId": TRACE_ID, "spanId": SPAN_ID, "traceState?": TEXT, "flags?": _COUNT, **_DROPPED})
            ),
            "droppedLinksCount?": _COUNT,
            "status": record({"message?": TEXT, "code?": INTEGER}),
        }
    ),
    "OtlpResource": record({**_DROPPED, "entityRefs?": list_of(record({}, others=True))}),
    "OtlpScope": record({"name?": TEXT, "version?": TEXT, **_DROPPED}),
    "OtlpTraces": record(
        {
            "resourceSpans": list_of(
                record(
                    {
                        "resource": named("OtlpResource"),
                        "scopeSpans": list_of(
                            record(
                                {
                                    "scope": named("OtlpScope"),
                                    "spans": list_of(named("OtlpSpan")),
                                    "schemaUrl?": TEXT,
                                }
                            )
                        ),
                        "schemaUrl?": TEXT,
                    }
                )
            )
        }
    ),
}
"""As answers have them. What is sent may also have what OTLP allows besides: numbers for digits, unknown fields."""

EXAMPLE = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "web"}}]},
            "scopeSpans": [
                {
                    "scope": {"name": "checkout"},
                    "spans": [
                        {
                            "traceId": "0af7651916cd43dd8448eb211c80319c",
                            "spanId": "b7ad6b7169203331",
                            "name": "POST /checkout",
                            "kind": 2,
                            "startTimeUnixNano": "1790000000000000000",
                            "endTimeUnixNano": "1790000000250000000",
                            "attributes": [{"key": "user.id", "value": {"stringValue": "7"}}],
                            "status": {"code": 1},
                        }
                    ],
                }
            ],
        }
    ]
}
