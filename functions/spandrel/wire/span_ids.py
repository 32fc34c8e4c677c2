"""Whether spans can be stored: so many of them, and under their ids; and the removal of those that cannot.

OTLP (trace.proto): a trace id is 16 bytes and a span id 8, neither all zero; a parent id is empty or 8 bytes; links
carry ids of the same widths. Here, as in the collector, a parent id of zeros says "none", and a link may lack its ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import attrgetter

from spandrel.model.errors import TooLarge
from spandrel.model.ids import SPAN_ID_BYTES, TRACE_ID_BYTES
from spandrel.model.limits import SPANS_MAX

from .otlp_messages import Message

# What readers of text formats put in the place of an id that is no hex: no id has this width.
NOT_HEX = b"?"

NO_TRACE_ID = bytes(TRACE_ID_BYTES)
NO_SPAN_ID = bytes(SPAN_ID_BYTES)
REASONS_TOLD = 5

_SCOPE_SPANS, _SPANS, _LINKS = attrgetter("scope_spans"), attrgetter("spans"), attrgetter("links")
_TRACE_ID, _SPAN_ID, _PARENT_ID = attrgetter("trace_id"), attrgetter("span_id"), attrgetter("parent_span_id")


def refuse_too_many(found: int) -> None:
    """TooLarge for more spans, resources and scopes than a request may have. To be asked while they are read."""
    if found > SPANS_MAX:
        raise TooLarge(f"the request has more than {SPANS_MAX:,} spans, resources and scopes")


def id_from_hex(digits: str) -> bytes:
    """The bytes of an id as text formats write it, of whatever width; NOT_HEX when it is none."""
    try:
        id_bytes = bytes.fromhex(digits)
    except ValueError:
        return NOT_HEX
    return id_bytes if 2 * len(id_bytes) == len(digits) else NOT_HEX  # fromhex takes blanks


def refuse_bad_spans(request: Message) -> tuple[int, str]:
    """Takes the spans with bad ids out of the request -> how many, and why; (0, "") when there are none."""
    spans = spans_of(request)
    if _are_sound(spans):
        return 0, ""
    reasons: Counter[str] = Counter()
    for scope_spans in chain.from_iterable(map(_SCOPE_SPANS, request.resource_spans)):
        kept = [span for span in scope_spans.spans if not _refused(span, reasons)]
        if len(kept) < len(scope_spans.spans):
            del scope_spans.spans[:]
            scope_spans.spans.extend(kept)
    return reasons.total(), _told(reasons, len(spans))


def spans_of(request: Message) -> list[Message]:
    """All spans of the request, in order."""
    return list(chain.from_iterable(map(_SPANS, chain.from_iterable(map(_SCOPE_SPANS, request.resource_spans)))))


def _are_sound(spans: list[Message]) -> bool:
    """Without a step of Python for each span: requests without a bad span are nearly all there are."""
    trace_ids, span_ids, parent_ids = (set(map(of, spans)) for of in (_TRACE_ID, _SPAN_ID, _PARENT_ID))
    return (
        _widths(trace_ids) <= {TRACE_ID_BYTES}
        and NO_TRACE_ID not in trace_ids
        and _widths(span_ids) <= {SPAN_ID_BYTES}
        and NO_SPAN_ID not in span_ids
        and _widths(parent_ids) <= {0, SPAN_ID_BYTES}
        and NO_SPAN_ID not in parent_ids
        and _widths(map(_TRACE_ID, _links_of(spans))) <= {0, TRACE_ID_BYTES}
        and _widths(map(_SPAN_ID, _links_of(spans))) <= {0, SPAN_ID_BYTES}
    )


def _links_of(spans: list[Message]) -> Iterator[Message]:
    """One after the other: Python's view of a link takes more memory than the link."""
    return chain.from_iterable(map(_LINKS, spans))


def _widths(ids: Iterable[bytes]) -> set[int]:
    return set(map(len, ids))


def _refused(span: Message, reasons: Counter[str]) -> bool:
    """Counts the reason, if there is one; otherwise a parent id of zeros becomes none."""
    reason = _fault(span)
    if reason:
        reasons[reason] += 1
    elif span.parent_span_id == NO_SPAN_ID:
        span.ClearField("parent_span_id")
    return bool(reason)


def _fault(span: Message) -> str:
    """Why the span cannot be stored; empty when it can."""
    return (
        _id_fault("trace id", span.trace_id, TRACE_ID_BYTES)
        or _id_fault("span id", span.span_id, SPAN_ID_BYTES)
        or _width_fault("parent span id", span.parent_span_id, SPAN_ID_BYTES)
        or next((fault for link in span.links if (fault := _link_fault(link))), "")
    )


def _link_fault(link: Message) -> str:
    return _width_fault("link's trace id", link.trace_id, TRACE_ID_BYTES) or _width_fault(
        "link's span id", link.span_id, SPAN_ID_BYTES
    )


def _id_fault(what: str, id_bytes: bytes, width_bytes: int) -> str:
    if not id_bytes.strip(b"\0"):
        return f"{what} of zeros only" if id_bytes else f"no {what}"
    return _width_fault(what, id_bytes, width_bytes)


def _width_fault(what: str, id_bytes: bytes, width_bytes: int) -> str:
    if len(id_bytes) in {0, width_bytes}:
        return ""
    if id_bytes == NOT_HEX:
        return f"{what} that is not hex"
    return f"{what} of {len(id_bytes)} bytes instead of {width_bytes}"


def _told(reasons: Counter[str], spans: int) -> str:
    told = ", ".join(f"{reason} ({count:,})" for reason, count in reasons.most_common(REASONS_TOLD))
    return f"{reasons.total():,} of {spans:,} spans refused: {told}" if reasons else ""
