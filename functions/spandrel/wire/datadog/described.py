"""What the endpoints of Datadog's tracers say of themselves: with the key in a header, and with the key in the path."""

from __future__ import annotations

from dataclasses import replace

from spandrel.http.described import PLAIN, Body, Described, Method, Operation, in_path, json_answer
from spandrel.http.schemas import BOOLEAN, BYTES, NUMBER, TEXT, list_of, map_of, record

_METHODS: tuple[Method, ...] = ("POST", "PUT")
_BODY = Body({"application/msgpack": BYTES}, "Traces as Datadog's tracers pack them")
_RATES = json_answer(
    "Which share of a service's traces to keep: all of them", record({"rate_by_service": map_of(NUMBER)})
)
_ABLE = json_answer(
    "What can be sent",
    record(
        {
            "endpoints": list_of(TEXT),
            "client_drop_p0s": BOOLEAN,
            "span_events": BOOLEAN,
            "span_meta_structs": BOOLEAN,
        }
    ),
)
_OPERATIONS = (
    *(
        Operation(method, path, "Takes traces", _RATES, body=_BODY)
        for path in ("/v0.4/traces", "/v0.5/traces")
        for method in _METHODS
    ),
    Operation("GET", "/info", "What this agent can do", _ABLE),
)
_KEY = in_path("key", "The API key, for tracers that can be told a URL and nothing else", "sp_0123456789abcdef")

DATADOG = Described(
    "Datadog's tracers",
    "What Datadog's tracers say to their agent (docs/wire/datadog.md)",
    _OPERATIONS,
    refusal={PLAIN: TEXT},
    scope="ingest",
)
DATADOG_BY_URL = replace(
    DATADOG,
    name="Datadog's tracers, by URL",
    about="The same, the key in the path",
    operations=tuple(
        replace(one, path=f"/datadog/{{key}}{one.path}", parameters=(_KEY, *one.parameters)) for one in _OPERATIONS
    ),
    schemes=(),
)
