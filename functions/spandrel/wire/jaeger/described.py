"""What the endpoint of Jaeger's clients says of itself."""

from __future__ import annotations

from spandrel.http.described import PLAIN, Answer, Body, Described, Operation
from spandrel.http.schemas import BYTES, TEXT

THRIFT = "application/x-thrift"
_TYPES = (THRIFT, "application/vnd.apache.thrift.binary", "application/vnd.apache.thrift.compact")

JAEGER = Described(
    "Jaeger's clients",
    "Jaeger's Thrift over HTTP, as its clients send it to a collector (docs/wire/jaeger.md)",
    (
        Operation(
            "POST",
            "/api/traces",
            "Takes a batch of spans, or a call with several batches",
            Answer("Nothing for a batch; the reply to a call", {THRIFT: BYTES}, 202),
            body=Body(dict.fromkeys(_TYPES, BYTES), "Thrift's binary or compact protocol"),
        ),
    ),
    refusal={PLAIN: TEXT},
    scope="ingest",
)
