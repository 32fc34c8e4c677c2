"""What Zipkin's API says of its endpoints (docs/apis/zipkin.md). All of them stand below `/zipkin` too, for Lens."""

from __future__ import annotations

from dataclasses import replace

from spandrel.api.asked import CALLEE, END_S, OPERATION, SERVICE, TAG, TAG_VALUE, TRACE, TRACE_ID, answered, limit
from spandrel.http.described import PLAIN, Described, Operation, Parameter
from spandrel.http.schemas import BOOLEAN, INTEGER, NUMBER, TEXT, hex_id, list_of, map_of, named, one_of, record, whole

from .parameters import DEFAULT_LIMIT, DEFAULT_LOOKBACK_MS, TRACES_MAX

_BIGGEST = 10**19 - 1
_LENS = "/zipkin"


_SPAN = record(
    {
        "traceId": hex_id(16, 32),
        "parentId?": hex_id(16),
        "id": hex_id(16),
        "kind?": one_of("CLIENT", "SERVER", "PRODUCER", "CONSUMER"),
        "name?": TEXT,
        "timestamp?": INTEGER,
        "duration?": INTEGER,
        "localEndpoint?": named("ZipkinEndpoint"),
        "remoteEndpoint?": named("ZipkinEndpoint"),
        "annotations?": list_of(record({"timestamp": INTEGER, "value": TEXT})),
        "tags?": map_of(TEXT),
        "debug?": BOOLEAN,
        "shared?": BOOLEAN,
    }
)
SCHEMAS = {
    "ZipkinEndpoint": record({"serviceName?": TEXT, "ipv4?": TEXT, "ipv6?": TEXT, "port?": INTEGER}),
    "ZipkinSpan": _SPAN,
}
_LINK = record({"parent": TEXT, "child": TEXT, "callCount": INTEGER, "errorCount?": INTEGER})
_NAMES = answered("Names, in small letters", list_of(TEXT))
_TRACE = list_of(named("ZipkinSpan"))
_SERVICE = Parameter("serviceName", "The service", required=True, example=SERVICE)
_END = Parameter("endTs", "Unix milliseconds; now", whole(1, _BIGGEST), example=END_S * 1000)
_LOOKBACK = Parameter("lookback", "Milliseconds before `endTs`", whole(1, _BIGGEST, DEFAULT_LOOKBACK_MS))
_SEARCH = (
    replace(_SERVICE, required=False),
    Parameter("spanName", "The span's name", example=OPERATION.lower()),
    Parameter("remoteServiceName", "The service at the other end", example=CALLEE),
    Parameter("annotationQuery", "`key=value` and `key`, joined by ` and `", example=f"{TAG}={TAG_VALUE}"),
    Parameter("minDuration", "Microseconds", whole(1, _BIGGEST)),
    Parameter("maxDuration", "Microseconds; only with `minDuration`", whole(1, _BIGGEST)),
    _END,
    _LOOKBACK,
    limit("limit", DEFAULT_LIMIT),
)

_OPERATIONS = (
    Operation("GET", "/api/v2/services", "The services of all spans kept", _NAMES),
    Operation("GET", "/api/v2/spans", "The names of a service's spans", _NAMES, (_SERVICE,)),
    Operation(
        "GET", "/api/v2/remoteServices", "The services at the other end of a service's spans", _NAMES, (_SERVICE,)
    ),
    Operation("GET", "/api/v2/autocompleteKeys", "The tags that can be searched for", answered("Tags", list_of(TEXT))),
    Operation(
        "GET",
        "/api/v2/autocompleteValues",
        "The values of a tag",
        answered("Values", list_of(TEXT)),
        (Parameter("key", "The tag", required=True, example=TAG),),
    ),
    Operation(
        "GET", "/api/v2/traces", "Traces that match, the newest first", answered("Traces", list_of(_TRACE)), _SEARCH
    ),
    Operation(
        "GET", "/api/v2/trace/{trace_id+}", "One trace", answered("Its spans", _TRACE), (TRACE_ID,), refuses=(404,)
    ),
    Operation(
        "GET",
        "/api/v2/traceMany",
        "Traces by their ids",
        answered("Those that there are", list_of(_TRACE)),
        (
            Parameter(
                "traceIds", f"Two ids and up to {TRACES_MAX}, with commas", required=True, example=f"{TRACE},{1:032x}"
            ),
        ),
    ),
    Operation(
        "GET",
        "/api/v2/dependencies",
        "Who calls whom, and how often",
        answered("Links", list_of(_LINK)),
        (replace(_END, required=True, about="Unix milliseconds"), _LOOKBACK),
    ),
)
_CONFIGURATION = Operation(
    "GET",
    "/config.json",
    "What Lens offers, and from where it starts",
    answered(
        "Its settings",
        record(
            {
                "environment": TEXT,
                "queryLimit": INTEGER,
                "defaultLookback": INTEGER,
                "searchEnabled": BOOLEAN,
                "dependency": record({"enabled": BOOLEAN, "lowErrorRate": NUMBER, "highErrorRate": NUMBER}),
            }
        ),
    ),
)

_BY_ID = ("/api/v2/trace/{trace_id+}", "/api/v2/traceMany")
# Below /lenient an id of 64 bits may stand for several traces, so that times say where to look.
_LENIENT = tuple(
    replace(one, parameters=(*one.parameters, _END, _LOOKBACK)) if one.path in _BY_ID else one for one in _OPERATIONS
)


def _below(base: str, operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    return tuple(replace(one, path=f"{base}{one.path}") for one in (*operations, _CONFIGURATION))


V2 = Described(
    "Zipkin",
    "Zipkin's query API, version 2, as Zipkin Lens and Grafana's data source ask it",
    (*_OPERATIONS, *_below(_LENS, _OPERATIONS), *_below(f"{_LENS}/lenient", _LENIENT)),
    refusal={PLAIN: TEXT},
    scope="query",
    schemas=SCHEMAS,
    answers_head=True,
    large_answers=True,
)
