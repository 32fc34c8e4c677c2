"""The names under which what Jaeger says is kept where OTLP has no field for it: `wire` writes them, `api` reads them.

docs/wire/jaeger.md has the mapping and the way back.
"""

from __future__ import annotations

from collections.abc import Mapping

# Of a span.
FLAGS = "jaeger.flags"  # only where they say more than SAMPLED
SAMPLED, DEBUG, FIREHOSE = 1, 2, 8  # jaeger-idl, model/v1/flags.go
WARNINGS = "@jaeger@warnings"  # jaeger, internal/jptrace/attributes.go: a list of texts

# Attributes that `wire` put beside tags, for a search in today's words: those who ask for the tags get none of them.
ADDED = "jaeger.added"

# Of a link (OpenTelemetry's semantic conventions, "OpenTracing").
REFERENCE_TYPE = "opentracing.ref_type"
CHILD_OF, FOLLOWS_FROM = "child_of", "follows_from"

# Of a resource. A Jaeger client calls itself `jaeger.version`, which is kept as the collector keeps it.
CLIENT_VERSION = "opencensus.exporterversion"
CLIENT_PREFIX = "Jaeger-"

# Tags that stand for fields of OTLP.
KIND_TAG, ERROR_TAG = "span.kind", "error"
STATUS_CODE_TAG, STATUS_MESSAGE_TAG = "otel.status_code", "otel.status_description"
SCOPE_NAME_TAG, SCOPE_VERSION_TAG = "otel.scope.name", "otel.scope.version"
TRACE_STATE_TAG = "w3c.tracestate"
EVENT_FIELD = "event"
KINDS: Mapping[str, int] = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
