"""BatchGetTraces: traces by their ids."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from spandrel.api.spans import Span, spans_of_rows
from spandrel.model.errors import NotFound, Rejected
from spandrel.model.ids import trace_id_from_xray, xray_trace_id
from spandrel.model.limits import MIB
from spandrel.query import trace
from spandrel.query.reading import Reading

from .call import Call, Result
from .documents import Document, documents_of, segments_of

TRACES_MAX = 5  # in one call, as X-Ray takes them
ID_CHARACTERS = 35  # the service model's limit
# Of documents in a trace, and in a page without its last trace: together they are less than a function can answer.
TRACE_BYTES = 2 * MIB
PAGE_BYTES = 1 * MIB
TRACE_SPANS = 10_000  # of which documents are made, the first of a trace; more hardly fit TRACE_BYTES


def batch_get_traces(call: Call) -> Result:
    """TraceIds -> Traces, and UnprocessedTraceIds. What there is no trace of is in neither."""
    texts = ids_of(call)
    traces: list[Any] = []
    unprocessed: list[str] = []
    page_bytes = 0
    for place in range(_first(call, len(texts)), len(texts)):
        if page_bytes > PAGE_BYTES:
            return _result(traces, unprocessed) | {"NextToken": call.token(place)}
        try:
            spans = list(spans_of_trace(call.reading, texts[place]))
        except Rejected:
            unprocessed.append(texts[place])
            continue
        if spans:
            told, size_bytes = _trace(spans)
            traces.append(told)
            page_bytes += size_bytes
    return _result(traces, unprocessed)


def ids_of(call: Call) -> list[str]:
    """The member TraceIds, each text once."""
    return list(dict.fromkeys(call.members.required_texts("TraceIds", TRACES_MAX, ID_CHARACTERS)))


def spans_of_trace(reading: Reading, text: str) -> Iterator[Span]:
    """The spans of a trace, none of one that is not there. Rejected for what is no id, QueryTooBroad as `trace` is."""
    trace_id = trace_id_from_xray(text)
    try:
        yield from spans_of_rows(trace.trace(reading, trace_id))
    except NotFound:
        return


def _first(call: Call, count: int) -> int:
    position = call.position()
    return position if type(position) is int and 0 <= position < count else 0


def _result(traces: list[Any], unprocessed: list[str]) -> dict[str, Any]:
    return {"Traces": traces, "UnprocessedTraceIds": unprocessed}


def _trace(spans: list[Span]) -> tuple[Result, int]:
    """A trace, and the bytes of its documents in the answer."""
    documents, size_bytes, whole = _fitting(documents_of(segments_of(spans[:TRACE_SPANS])))
    first_ns = min(span.start_ns for span in spans)
    last_ns = max(max(span.start_ns, span.end_ns) for span in spans)
    told = {
        "Id": xray_trace_id(spans[0].trace_id),
        "Duration": (last_ns - first_ns) / 10**9,
        "LimitExceeded": not whole or len(spans) > TRACE_SPANS,
        "Segments": [{"Id": document.id, "Document": document.text} for document in documents],
    }
    return told, size_bytes


def _fitting(documents: Iterable[Document]) -> tuple[list[Document], int, bool]:
    """As many of the documents as a trace may have, their bytes, and whether these are all."""
    fitting: list[Document] = []
    size_bytes = 0
    for document in documents:
        needed_bytes = len(json.dumps(document.text)) + len(document.id)
        if size_bytes + needed_bytes > TRACE_BYTES:
            return fitting, size_bytes, False
        fitting.append(document)
        size_bytes += needed_bytes
    return fitting, size_bytes, True
