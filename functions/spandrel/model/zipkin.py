"""The names under which what Zipkin says is kept where OTLP has no field for it: `wire` writes them, `api` reads them.

docs/wire/zipkin.md has the mapping and the way back.
"""

from __future__ import annotations

from collections.abc import Mapping

# Of a span. RENAMED lists the tags that were renamed in it: others may have been sent under today's name.
DEBUG, SHARED, RENAMED = "zipkin.debug", "zipkin.shared", "zipkin.renamed"
TIMESTAMP, DURATION = "zipkin.timestamp", "zipkin.duration"  # µs, where OTLP's ns do not reach; the first of events too
LOCAL_ENDPOINT, REMOTE_ENDPOINT = (
    "zipkin.localEndpoint",
    "zipkin.remoteEndpoint",
)  # and `.port`, where a tag has its name

# Of an event: the text of the annotation, where that is an event with attributes.
ANNOTATION = "zipkin.annotation"

# The attributes for address and port of an endpoint. The service of the local one is that of the resource.
LOCAL = ("network.local.address", "network.local.port")
REMOTE = ("network.peer.address", "network.peer.port")
SERVICE_PEER = "service.peer.name"

KINDS: Mapping[str, int] = {"CLIENT": 3, "SERVER": 2, "PRODUCER": 4, "CONSUMER": 5}  # OTLP's numbers

# Tag -> the attribute that says the same in today's conventions.
TODAY: Mapping[str, str] = {
    "http.method": "http.request.method",
    "http.status_code": "http.response.status_code",
    "http.path": "url.path",
    "http.url": "url.full",
    "http.request.size": "http.request.body.size",
    "http.response.size": "http.response.body.size",
    "sql.query": "db.query.text",
    "kafka.topic": "messaging.destination.name",
    "jms.queue": "messaging.destination.name",
    "jms.topic": "messaging.destination.name",
}

ERROR_TAG = "error"

# Tags in which OpenTelemetry's exporters write what Zipkin has no field for.
STATUS_CODE, TRACE_STATE = "otel.status_code", "w3c.tracestate"
SCOPE_NAME, OLD_SCOPE_NAME = "otel.scope.name", "otel.library.name"
SCOPE_VERSION, OLD_SCOPE_VERSION = "otel.scope.version", "otel.library.version"
DROPPED: Mapping[str, str] = {
    "otel.dropped_attributes_count": "dropped_attributes_count",
    "otel.dropped_events_count": "dropped_events_count",
    "otel.dropped_links_count": "dropped_links_count",
}
