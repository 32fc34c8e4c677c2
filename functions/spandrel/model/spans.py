"""The words for OTLP's numbers (opentelemetry/proto/trace/v1: Span.SpanKind, Status.StatusCode)."""

from __future__ import annotations

KINDS = {"unspecified": 0, "internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
STATUSES = {"unset": 0, "ok": 1, "error": 2}
KIND_NAMES = {number: name for name, number in KINDS.items()}
