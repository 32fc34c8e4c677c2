"""What Zipkin's clients take for an answer: JSON Schemas, by path.

They are written from what Zipkin's OpenAPI document (openzipkin/zipkin-api, zipkin2-api.yaml) says of its messages, not
from the code that is tested. They are closed, and narrower where this project promises more: ids have all their digits,
names are small, what is nothing is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.asking import Asking
from tests.contract.held_to_schemas import held_to
from tests.contract.tempo_answers import TEXT, Schema, closed, listed

SMALL: Schema = {"type": "string", "minLength": 1, "pattern": "^[^A-Z]*$"}
TRACE_ID: Schema = {"type": "string", "pattern": "^([0-9a-f]{32}|[0-9a-f]{16})$", "not": {"pattern": "^0+$"}}
SPAN_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$", "not": {"const": "0" * 16}}
MICROSECONDS: Schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
TRUE: Schema = {"const": True}
ENDPOINT = closed(
    serviceName=SMALL,
    ipv4={"type": "string", "pattern": r"^([0-9]{1,3}\.){3}[0-9]{1,3}$"},
    ipv6={"type": "string", "pattern": "^[0-9a-f:]+(:[0-9.]+)?$"},
    port={"type": "integer", "minimum": 1, "maximum": 65535},
) | {"minProperties": 1}
ANNOTATION = closed("timestamp value", timestamp={"type": "integer", "minimum": 0}, value=TEXT)
SPAN = closed(
    "traceId id",
    traceId=TRACE_ID,
    parentId=SPAN_ID,
    id=SPAN_ID,
    kind={"enum": ["CLIENT", "SERVER", "PRODUCER", "CONSUMER"]},
    name=SMALL,
    timestamp=MICROSECONDS,
    duration=MICROSECONDS,
    localEndpoint=ENDPOINT,
    remoteEndpoint=ENDPOINT,
    annotations=listed(ANNOTATION) | {"minItems": 1, "uniqueItems": True},
    tags={"type": "object", "additionalProperties": TEXT, "minProperties": 1},
    debug=TRUE,
    shared=TRUE,
)
TRACE = listed(SPAN) | {"minItems": 1}
TRACES = listed(TRACE)
NAMES = listed(SMALL) | {"uniqueItems": True}
TEXTS = listed(TEXT) | {"uniqueItems": True}
COUNT: Schema = {"type": "integer", "minimum": 1}
LINKS = listed(closed("parent child callCount", parent=SMALL, child=SMALL, callCount=COUNT, errorCount=COUNT))
_RATE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
CONFIGURATION = closed(
    "environment queryLimit defaultLookback searchEnabled dependency",
    environment=TEXT,
    queryLimit=COUNT,
    defaultLookback=COUNT,
    searchEnabled={"type": "boolean"},
    dependency=closed(
        "enabled lowErrorRate highErrorRate", enabled={"type": "boolean"}, lowErrorRate=_RATE, highErrorRate=_RATE
    ),
)

_V2: dict[str, Schema] = {
    "/api/v2/services": NAMES,
    "/api/v2/spans": NAMES,
    "/api/v2/remoteServices": NAMES,
    "/api/v2/autocompleteKeys": TEXTS,
    "/api/v2/autocompleteValues": TEXTS,
    "/api/v2/traces": TRACES,
    "/api/v2/trace/{id}": TRACE,
    "/api/v2/traceMany": TRACES,
    "/api/v2/dependencies": LINKS,
}
_OF_LENS = {**_V2, "/config.json": CONFIGURATION}
SCHEMAS: Mapping[str, Schema] = _V2 | {
    f"{base}{path}": schema for base in ("/zipkin", "/zipkin/lenient") for path, schema in _OF_LENS.items()
}


def asking_zipkin(handle: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Asking:
    """A client of the function that holds all answers to their schemas."""
    return held_to(SCHEMAS, handle)
