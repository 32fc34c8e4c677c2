"""Tempo's routes as Grafana's data source, Kiali and people ask them (docs/apis/tempo.md).

Routes, parameters and answers are those of grafana/tempo ad33aa8f (pkg/api, pkg/tempopb, modules/frontend).
"""

from __future__ import annotations

from collections.abc import Mapping

from spandrel.api.question import Endpoint, Question, ReadApi, json_response
from spandrel.http import refusals
from spandrel.http.refusals import Refusal
from spandrel.http.response import Response
from spandrel.model.errors import Forbidden, SpandrelError
from spandrel.model.version import VERSION
from spandrel.traceql.errors import InvalidQuery, UnparsableQuery

from . import metrics, search, tags, traces

PREFIX = "/tempo/"
TENANT_HEADER = "x-scope-orgid"


def echo(_question: Question) -> Response:
    """GET /api/echo, by which Grafana tests whether there is a Tempo."""
    return Response(200, traces.TEXT, b"echo\n")


def ready(_question: Question) -> Response:
    """GET /ready"""
    return Response(200, traces.TEXT, b"ready\n")


def build(_question: Question) -> Response:
    """GET /api/status/buildinfo. From a version before 2.2 Grafana knows that nothing streams: it asks over HTTP."""
    others = dict.fromkeys(("revision", "branch", "buildUser", "buildDate", "goVersion"), "")
    return json_response({"version": VERSION, **others})


def _of_its_tenant(endpoint: Endpoint) -> Endpoint:
    """The endpoint for keys of the tenant that the request names, if it names one: another one's traces would look
    like those that were asked for.
    """

    def checked(question: Question) -> Response:
        named, tenant = question.request.header(TENANT_HEADER), question.reading.tenant
        if named not in ("", tenant):
            raise Forbidden(f"X-Scope-OrgID names the tenant {named[:80]!r}, and this key is of {tenant!r}")
        return endpoint(question)

    return checked


def _refuse(error: SpandrelError) -> Response:
    """The message alone, as text."""

    def rendered(refusal: Refusal) -> tuple[str, bytes]:
        return traces.TEXT, _said(error, refusal.message).encode()

    return refusals.refused(error, rendered)


def _said(error: SpandrelError, message: str) -> str:
    match error:
        case UnparsableQuery():
            told = message.partition(": ")[2]
            return f"invalid TraceQL query: parse error at line {error.line}, col {error.column}: {told}"
        case InvalidQuery():
            return f"invalid TraceQL query: {message}"
    return message


_ENDPOINTS: Mapping[str, Endpoint] = {
    "ready": ready,
    "api/echo": echo,
    "api/status/buildinfo": build,
    "api/traces/{trace_id+}": traces.one_trace,  # some spellings of an id have a slash
    "api/v2/traces/{trace_id+}": traces.one_trace_v2,
    "api/search": search.found_traces,
    "api/search/tags": tags.names,
    "api/v2/search/tags": tags.names_by_scope,
    "api/search/tag/{tag+}/values": tags.values,
    "api/v2/search/tag/{tag+}/values": tags.typed_values,
    "api/metrics/query": metrics.numbers,
    "api/metrics/query_range": metrics.series_by_step,
}

API = ReadApi(
    {PREFIX + path: _of_its_tenant(endpoint) for path, endpoint in _ENDPOINTS.items()},
    _refuse,
)
