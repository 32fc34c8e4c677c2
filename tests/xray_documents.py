"""X-Ray's segment documents made again from OTLP, so that tests see whether anything of them is lost."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandrel.api.spans import spans_of_otlp
from spandrel.api.xray.documents import documents_of as documents_of_trace
from spandrel.api.xray.documents import segments_of

Document = dict[str, Any]


def documents_of(request: ExportTraceServiceRequest) -> list[Document]:
    """The documents of all traces, as BatchGetTraces tells them, without what is inferred."""
    traces = defaultdict(list)
    for span in spans_of_otlp(request):
        traces[span.trace_id].append(span)
    found = [document for spans in traces.values() for document in documents_of_trace(segments_of(spans))]
    documents = [json.loads(document.text) for document in found]
    return [document for document in documents if not document.get("inferred")]


def apart(found: list[Document]) -> dict[str, Document]:
    """Each segment and subsegment by itself, by its id, whether it came in another one or alone."""
    told: dict[str, Document] = {}
    for document in found:
        for inner in document.get("subsegments", []):
            told |= apart(
                [{"trace_id": document["trace_id"], "parent_id": document["id"], "type": "subsegment", **inner}]
            )
        told[document["id"]] = {key: value for key, value in document.items() if key != "subsegments"}
    return told


def without_the_obvious(document: Document, parent: Document | None = None, trace_id: str = "") -> Document:
    """A document without what follows from its place or says nothing: `in_progress: false`, an embedded `trace_id`."""
    trace_id = trace_id or document["trace_id"]
    told = {key: value for key, value in document.items() if value not in (None, {})}
    if told.get("in_progress") is False:
        del told["in_progress"]
    if parent is not None:
        known = {"trace_id": trace_id, "parent_id": parent["id"], "type": "subsegment"}
        told = {key: value for key, value in told.items() if known.get(key) != value}
    if "subsegments" in told:
        told["subsegments"] = [without_the_obvious(inner, document, trace_id) for inner in told["subsegments"]]
    return told
