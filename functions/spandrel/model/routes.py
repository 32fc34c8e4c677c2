"""The routes: which function answers them and which scope a key needs.

The template and the local gateway are made from this list; refusals and README's table are held to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Function = Literal["receive", "query", "show"]
Scope = Literal["ingest", "query", "admin"]
SCOPES: tuple[Scope, ...] = ("ingest", "query", "admin")


@dataclass(frozen=True, slots=True)
class Route:
    """`method` and `path` as API Gateway writes them (`{id}`, `{proxy+}`); `scope` None is open to everybody."""

    method: str
    path: str
    function: Function
    scope: Scope | None

    @property
    def key(self) -> str:
        """API Gateway's route key, as it stands in the template and in each event."""
        return f"{self.method} {self.path}"


# Every method, so that a wrong one is refused by the function in its API's own format (405), not by the gateway's 404.
# Every one but OPTIONS, and never `ANY`, which takes OPTIONS too: then a browser's preflight asks the authorizer and
# the function, where API Gateway answers it itself and free of charge if no route takes it ("CORS for HTTP APIs").
METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


def _every_method(path: str, function: Function, scope: Scope | None, but: tuple[str, ...] = ()) -> tuple[Route, ...]:
    return tuple(Route(method, path, function, scope) for method in METHODS if method not in but)


# Datadog's tracers know their agent by its URL alone: they send no header that one could choose, but they keep a path
# that the URL has, so the key may stand there (spandrel.http.credentials).
DATADOG_ROUTES: tuple[Route, ...] = tuple(
    Route(method, f"{agent}{path}", "receive", "ingest")
    for agent in ("", "/datadog/{key}")
    for path, methods in {"/v0.4/traces": ("POST", "PUT"), "/v0.5/traces": ("POST", "PUT"), "/info": ("GET",)}.items()
    for method in methods
)

# Only POST: GET /api/v2/spans asks for the names of spans, and Zipkin's server has both.
ZIPKIN_ROUTES: tuple[Route, ...] = tuple(
    Route("POST", path, "receive", "ingest") for path in ("/api/v2/spans", "/zipkin/api/v2/spans", "/api/v1/spans")
)

# All that X-Ray's clients can ask for, so that an operation which is not offered is refused in words that they
# understand. Only POST: there is no other method in its service model (xray-2016-04-12).
XRAY_QUESTIONS: tuple[str, ...] = (
    "/Traces",
    "/TraceSummaries",
    "/TraceGraph",
    "/ServiceGraph",
    "/TimeSeriesServiceStatistics",
    *("/Groups", "/GetGroup", "/CreateGroup", "/UpdateGroup", "/DeleteGroup"),
)
XRAY_NOT_OFFERED: tuple[str, ...] = (
    *("/GetSamplingRules", "/SamplingTargets", "/SamplingStatisticSummaries"),
    *("/CreateSamplingRule", "/UpdateSamplingRule", "/DeleteSamplingRule"),
    *("/EncryptionConfig", "/PutEncryptionConfig"),
    *("/Insight", "/InsightEvents", "/InsightImpactGraph", "/InsightSummaries"),
    *("/ListResourcePolicies", "/PutResourcePolicy", "/DeleteResourcePolicy"),
    *("/ListTagsForResource", "/TagResource", "/UntagResource"),
    *("/GetIndexingRules", "/UpdateIndexingRule"),
    *("/GetTraceSegmentDestination", "/UpdateTraceSegmentDestination"),
    *("/StartTraceRetrieval", "/ListRetrievedTraces", "/GetRetrievedTracesGraph", "/CancelTraceRetrieval"),
)

ROUTES: tuple[Route, ...] = (
    *_every_method("/v1/traces", "receive", "ingest"),
    *DATADOG_ROUTES,
    *_every_method("/TraceSegments", "receive", "ingest"),
    *_every_method("/TelemetryRecords", "receive", "ingest"),
    Route("POST", "/api/traces", "receive", "ingest"),  # Jaeger; the other methods of this path ask for traces
    *ZIPKIN_ROUTES,
    # Google Cloud Trace, whose version 1 is written and read at the same path. `traces:batchWrite` is in {proxy+}.
    *_every_method("/v1/projects/{project}/traces", "receive", "ingest", but=("GET", "HEAD")),
    *_every_method("/v2/projects/{project}/{proxy+}", "receive", "ingest"),
    *(Route(method, "/v1/projects/{project}/traces", "query", "query") for method in ("GET", "HEAD")),
    *_every_method("/v1/projects/{project}/traces/{proxy+}", "query", "query"),
    *_every_method("/api/{proxy+}", "query", "query"),
    *_every_method("/zipkin/{proxy+}", "query", "query"),  # below which Zipkin Lens looks for its API
    *_every_method("/tempo/{proxy+}", "query", "query"),  # below which Grafana's data source of Tempo looks for its
    *(Route("POST", path, "query", "query") for path in (*XRAY_QUESTIONS, *XRAY_NOT_OFFERED)),
    *_every_method("/health", "query", None),
    *_every_method("/openapi.json", "show", None),
    # The web UI: pages and their files, which are the same for everybody. What they show, they ask for with a key.
    *_every_method("/", "show", None),
    *_every_method("/ui/{proxy+}", "show", None),
)


def route_of(key: str) -> Route:
    """The route whose key an event carries; KeyError for one that is not in the list."""
    return _BY_KEY[key]


_BY_KEY = {route.key: route for route in ROUTES}
