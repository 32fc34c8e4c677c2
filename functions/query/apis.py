"""The read APIs by the paths that are theirs, each imported when it is first asked: a cold start pays for one."""

from __future__ import annotations

from collections.abc import Callable

from spandrel.api.question import ReadApi
from spandrel.model.routes import XRAY_NOT_OFFERED, XRAY_QUESTIONS


def _jaeger_v3() -> ReadApi:
    from spandrel.api.jaeger import v3

    return v3.API


def _jaeger_classic() -> ReadApi:
    from spandrel.api.jaeger import classic

    return classic.API


def _zipkin() -> ReadApi:
    from spandrel.api.zipkin import v2

    return v2.API


def _zipkin_of_lens() -> ReadApi:
    from spandrel.api.zipkin import v2

    return v2.OF_LENS


def _zipkin_lenient() -> ReadApi:
    from spandrel.api.zipkin import lenient

    return lenient.API


def _cloudtrace() -> ReadApi:
    from spandrel.api.cloudtrace import v1

    return v1.API


def _tempo() -> ReadApi:
    from spandrel.api.tempo import endpoints

    return endpoints.API


def _ui() -> ReadApi:
    from spandrel.api.ui import endpoints

    return endpoints.API


def _xray() -> ReadApi:
    from spandrel.api.xray import endpoints

    return endpoints.API


APIS: tuple[tuple[tuple[str, ...], Callable[[], ReadApi]], ...] = (
    (("/api/v3/",), _jaeger_v3),
    (("/api/v2/",), _zipkin),
    (("/zipkin/lenient/",), _zipkin_lenient),
    (("/zipkin/",), _zipkin_of_lens),
    (("/v1/projects/",), _cloudtrace),
    (("/tempo/",), _tempo),
    (("/api/ui/",), _ui),
    ((*XRAY_QUESTIONS, *XRAY_NOT_OFFERED), _xray),
    (("/",), _jaeger_classic),
)
"""How the paths of each API begin; of two, the first. The last one's errors are those of paths that belong to none."""


def api_of(path: str) -> ReadApi:
    """The API that a path belongs to."""
    return next(load for prefixes, load in APIS if path.startswith(prefixes))()
