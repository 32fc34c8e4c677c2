"""What OTLP's endpoint says of itself."""

from __future__ import annotations

from spandrel.http.described import JSON, Answer, Body, Described, Operation
from spandrel.http.schemas import BYTES, DIGITS, INTEGER, TEXT, named, record

from .schemas import EXAMPLE, SCHEMAS

PROTOBUF = "application/x-protobuf"

OTLP = Described(
    "OTLP",
    "Spans of OpenTelemetry's SDKs and collectors, over HTTP (docs/wire.md)",
    (
        Operation(
            "POST",
            "/v1/traces",
            "Takes spans: a 200 says that they are durably queued",
            Answer(
                "How many spans were refused, and why; nothing where none was",
                {
                    JSON: record({"partialSuccess?": record({"rejectedSpans": DIGITS, "errorMessage": TEXT})}),
                    PROTOBUF: BYTES,
                },
            ),
            body=Body(
                {JSON: named("OtlpTraces"), PROTOBUF: BYTES},
                "An ExportTraceServiceRequest, perhaps compressed by gzip, deflate or zstd",
                EXAMPLE,
            ),
        ),
    ),
    refusal={JSON: record({"code": INTEGER, "message": TEXT}), PROTOBUF: BYTES},
    scope="ingest",
    schemas=SCHEMAS,
)
