"""The descriptions of all read APIs, by which `/openapi.json` is made (docs/openapi.md), and that of `/health`."""

from __future__ import annotations

from spandrel.http.described import Described, Operation, json_answer
from spandrel.http.schemas import one_of, record

from .cloudtrace.described import CLOUD_TRACE
from .jaeger.described import V3
from .jaeger.described_classic import CLASSIC
from .tempo.described import TEMPO
from .ui.described import UI
from .xray.described import XRAY
from .zipkin.described import V2

_WORD = one_of("up", "down")
_STATE = record({"status": _WORD, "catalogue": _WORD, "bucket": _WORD})

HEALTH = Described(
    "Health",
    "Whether questions can be answered",
    (
        Operation(
            "GET",
            "/health",
            "Whether catalogue and bucket can be read",
            json_answer("All is up", _STATE),
            others=(json_answer("Something is down", _STATE, 503),),
        ),
    ),
    refusal=CLASSIC.refusal,
    scope=None,
    answers_head=True,
)

APIS = (V3, CLASSIC, V2, TEMPO, XRAY, CLOUD_TRACE, UI, HEALTH)
