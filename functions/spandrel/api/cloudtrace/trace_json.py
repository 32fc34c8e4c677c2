"""Spans -> the Trace and TraceSpan of Cloud Trace v1 as JSON (docs/apis/cloudtrace.md, "A trace as JSON").

What came by Cloud Trace goes back as it came, as far as version 1 can say it. Straight to text, span by span: dicts of
all spans would be many times as large.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from spandrel.api.adjusting import with_own_ids, with_starts
from spandrel.api.spans import Span
from spandrel.api.time_text import time_text
from spandrel.api.values import Attributes, Value, text_of
from spandrel.blocks.naming import SERVICE_NAME
from spandrel.model import cloudtrace, jaeger
from spandrel.model.spans import STATUSES

WARNINGS = "spandrel/warnings"  # the label that says what was changed in a span so that it can be drawn
_OTHERS_OWN = ("zipkin.", "jaeger.")  # attributes that keep what only those systems give back

_KIND_NAMES = {number: name for name, number in cloudtrace.KINDS.items() if number}
_LABELS = {attribute: label for label, attribute in cloudtrace.TODAY.items()}
_FRAME_FIELDS = {"lineNumber": "line_number", "columnNumber": "column_number"}
_FRAME_TEXTS = {"functionName": "method_name", "fileName": "file_name"}

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Json = dict[str, Any]


def trace_text(trace: Iterable[Span], project: str, *, numbered: bool, only_root: bool = False) -> str:
    """A trace, whose spans are in order of their starts, as the text of a Trace. `project` is that of traces which say
    none. `numbered`: kinds are numbers. `only_root`: of its spans the root, or the first where that is not there.
    """
    spans = list(with_starts(with_own_ids(list(trace))))
    told = [_root_of(spans)] if only_root else spans
    texts = ",".join(_encode(_span(span, numbered=numbered)) for span in told)
    head = _encode({"projectId": _project_of(spans) or project, "traceId": spans[0].trace_id.hex()})
    return f'{head[:-1]},"spans":[{texts}]}}'


def _root_of(spans: list[Span]) -> Span:
    return next((span for span in spans if not span.parent_id), spans[0])


def _project_of(spans: Iterable[Span]) -> str:
    named = (span.resource.attributes.get(cloudtrace.PROJECT) for span in spans)
    return next((name for name in named if isinstance(name, str) and name), "")


def _span(span: Span, *, numbered: bool) -> Json:
    """A TraceSpan, without what is empty."""
    kind = _KIND_NAMES.get(span.kind)
    found = {
        "spanId": str(int.from_bytes(span.span_id)),
        "kind": cloudtrace.KIND_NUMBERS[kind] if kind and numbered else kind,
        "name": span.name,
        "startTime": time_text(span.start_ns),
        "endTime": time_text(span.end_ns) if span.end_ns else None,
        "parentSpanId": str(int.from_bytes(span.parent_id)) if span.parent_id else None,
        "labels": _labels(span),
    }
    return {name: value for name, value in found.items() if value}


def _labels(span: Span) -> Mapping[str, str]:
    """Attributes of the span, then those of its resource, and its failure; all as text."""
    attributes = {key: value for key, value in span.attributes.items() if not key.startswith(_OTHERS_OWN)}
    warnings = attributes.pop(jaeger.WARNINGS, None)
    labels = {_label(key, attributes): text_of(value) for key, value in attributes.items()}
    for key, value in _of_resource(span).items():
        labels.setdefault(_label(key, attributes), text_of(value))
    if span.status == STATUSES["error"]:
        labels.setdefault(cloudtrace.ERROR_MESSAGE, span.status_message)
    if cloudtrace.STACK_TRACE in labels:
        _say_stack_trace(labels)
    if warnings is not None:
        labels[WARNINGS] = text_of(warnings)
    return labels


def _label(key: str, attributes: Attributes) -> str:
    """Cloud Trace's name, unless the span has a label of that name too."""
    label = _LABELS.get(key, key)
    return key if label in attributes else label


def _of_resource(span: Span) -> Attributes:
    """What the resource says, without copies of what the span does and without the project, which is the trace's."""
    service = span.resource.service
    copied = any(span.attributes.get(key) == service for key in cloudtrace.SERVICE_NAMES)
    left_out = {cloudtrace.PROJECT, *([SERVICE_NAME] if copied else [])}
    return {key: value for key, value in span.resource.attributes.items() if key not in left_out}


def _say_stack_trace(labels: dict[str, str]) -> None:
    """Version 2's stack trace as version 1 has it. One without frames stays as it is: there is no other word for it."""
    said: Value = json.loads(labels[cloudtrace.STACK_TRACE])
    frames = said.get("stackFrames", {}).get("frame", [])
    if frames and cloudtrace.STACKTRACE not in labels:
        labels[cloudtrace.STACKTRACE] = _encode({"stack_frame": [_frame(frame) for frame in frames]})
        del labels[cloudtrace.STACK_TRACE]


def _frame(frame: Json) -> Json:
    texts = {name: frame[field].get("value", "") for field, name in _FRAME_TEXTS.items() if field in frame}
    return texts | {name: int(frame[field]) for field, name in _FRAME_FIELDS.items() if field in frame}
