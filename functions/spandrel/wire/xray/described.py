"""What the endpoints of X-Ray's clients say of themselves."""

from __future__ import annotations

from spandrel.http.described import JSON, KEY_SCHEMES, Body, Described, Operation, json_answer
from spandrel.http.schemas import ANYTHING, TEXT, list_of, record

SCHEMES = ("awsSignature", *KEY_SCHEMES)
REFUSAL = {JSON: record({"Message": TEXT})}
UNKNOWN_KEY = 403  # AWS has no 401

_SEGMENT = (
    '{"trace_id":"1-0af76519-16cd43dd8448eb211c80319c","id":"b7ad6b7169203331","name":"web",'
    '"start_time":1790000000,"end_time":1790000000.25}'
)

XRAY = Described(
    "X-Ray's clients",
    "AWS X-Ray's calls that bring segments (docs/wire/xray.md)",
    (
        Operation(
            "POST",
            "/TraceSegments",
            "PutTraceSegments",
            json_answer(
                "Which documents were not taken, and why",
                record(
                    {"UnprocessedTraceSegments": list_of(record({"Id?": TEXT, "ErrorCode": TEXT, "Message": TEXT}))}
                ),
            ),
            body=Body(
                {JSON: record({"TraceSegmentDocuments": list_of(TEXT)}, others=True)},
                "Segment documents, each a text of JSON",
                {"TraceSegmentDocuments": [_SEGMENT]},
            ),
        ),
        Operation(
            "POST",
            "/TelemetryRecords",
            "PutTelemetryRecords: what the daemon counts of itself, which nobody can ask for",
            json_answer("Nothing", record({})),
            body=Body(
                {
                    JSON: record(
                        {"TelemetryRecords": list_of(record({"Timestamp": ANYTHING}, others=True))}, others=True
                    )
                },
                example={"TelemetryRecords": [{"Timestamp": 1_790_000_000, "SegmentsReceivedCount": 1}]},
            ),
        ),
    ),
    refusal=REFUSAL,
    scope="ingest",
    schemes=SCHEMES,
    unknown_key=UNKNOWN_KEY,
)
