"""The names under which what Cloud Trace says is kept in OTLP: `wire` writes them, `api` reads them.

docs/wire/cloudtrace.md has the mapping and the way back.
"""

from __future__ import annotations

from collections.abc import Mapping

# Label -> the attribute that says the same in OpenTelemetry's conventions. Which values do, `wire` knows.
TODAY: Mapping[str, str] = {
    "/error/name": "error.type",
    "/http/client_protocol": "url.scheme",
    "/http/host": "server.address",
    "/http/method": "http.request.method",
    "/http/path": "url.path",
    "/http/request/size": "http.request.body.size",
    "/http/response/size": "http.response.body.size",
    "/http/route": "http.route",
    "/http/status_code": "http.response.status_code",
    "/http/url": "url.full",
    "/http/user_agent": "user_agent.original",
}
ERROR_MESSAGE = "/error/message"  # the label that stands for OTLP's status
STACKTRACE = "/stacktrace"  # the label that version 1 has for a stack trace, as JSON

# Where spans carry the name of their service, best first. The attribute stays; the resource gets a copy.
SERVICE_NAMES = (
    "service.name",
    "g.co/r/generic_task/job",
    "g.co/r/gae_instance/module_id",
    "g.co/gae/app/module",
)
PROJECT = "gcp.project_id"  # of the resource, as Google's own OTLP endpoint reads it

# What v2 has and OTLP has not.
CHILD_SPAN_COUNT = "cloudtrace.child_span_count"
DISPLAY_NAME_CUT = "cloudtrace.display_name.truncated_byte_count"
DROPPED_MESSAGE_EVENTS = "cloudtrace.time_events.dropped_message_events_count"
STACK_TRACE = "cloudtrace.stack_trace"  # as JSON text
STATUS_CODE = "cloudtrace.status.code"  # a google.rpc.Code other than OK and UNKNOWN
STATUS_DETAILS = "cloudtrace.status.details"  # as JSON text
VALUES_CUT = "cloudtrace.attributes.truncated_byte_count"  # key -> bytes, beside the attributes that were cut
LINK_TYPE = "cloudtrace.link.type"
DESCRIPTION_CUT = "cloudtrace.annotation.description.truncated_byte_count"
MESSAGE_TYPE = "cloudtrace.message_event.type"
MESSAGE_ID = "cloudtrace.message_event.id"
MESSAGE_SIZE = "cloudtrace.message_event.uncompressed_size_bytes"
MESSAGE_COMPRESSED_SIZE = "cloudtrace.message_event.compressed_size_bytes"

# The kinds of version 1: names, their numbers, and OTLP's.
KIND_NUMBERS: Mapping[str, int] = {"SPAN_KIND_UNSPECIFIED": 0, "RPC_SERVER": 1, "RPC_CLIENT": 2}
KINDS: Mapping[str, int] = {"SPAN_KIND_UNSPECIFIED": 0, "RPC_SERVER": 2, "RPC_CLIENT": 3}
