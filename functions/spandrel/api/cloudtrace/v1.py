"""Google Cloud Trace v1, ListTraces and GetTrace, as google-cloud-trace, clients made from the discovery document and
Grafana's data source ask them (docs/apis/cloudtrace.md).

Routes, parameters and messages are those of googleapis, google/devtools/cloudtrace/v1/trace.proto.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby

from spandrel.api.parameters import Parameters
from spandrel.api.question import JSON, Question, ReadApi
from spandrel.api.spans import spans_of_rows
from spandrel.api.time_text import time_ns
from spandrel.http import refusals
from spandrel.http.google_errors import google_error
from spandrel.http.response import Response
from spandrel.model.errors import NotFound, Rejected, SpandrelError
from spandrel.model.trace_ids import trace_id_of
from spandrel.query import search, trace
from spandrel.query.found import Found, FoundTrace, Order, Rank
from spandrel.traceql.expressions import Literal

from .bounds import DEFAULT_PAGE_SIZE, DEFAULT_RANGE_NS, INT32_MAX, PAGE_SIZE_MAX, PAGE_SPANS_MAX
from .filters import PROJECT, query_of
from .paging import Place, place_of, token_of
from .trace_json import trace_text

_NUMBERED = "enum-encoding=int"

ORDERS: Mapping[str, Order] = {
    "": Order.NEWEST,
    "start": Order.OLDEST,
    "start desc": Order.NEWEST,
    "duration": Order.QUICKEST,
    "duration desc": Order.SLOWEST,
    "name": Order.NAMES,
    "name desc": Order.NAMES_BACKWARDS,
    "trace_id": Order.IDS,
    "trace_id desc": Order.IDS_BACKWARDS,
}


class View(Enum):
    """How much of each trace is told."""

    MINIMAL = 1
    ROOTSPAN = 2
    COMPLETE = 3


_VIEWS: Mapping[str, View] = {
    "VIEW_TYPE_UNSPECIFIED": View.MINIMAL,
    "0": View.MINIMAL,
    **{view.name: view for view in View},
    **{str(view.value): view for view in View},
}


@dataclass(frozen=True, slots=True)
class _List:
    """What ListTraces is asked for: roots that start in [start_ns, end_ns), behind `after`. `question` is what pages
    of one list have in common.
    """

    question: tuple[str | None, ...]
    start_ns: int
    end_ns: int
    size: int
    view: View
    order: Order
    after: tuple[Rank, bytes] | None


def traces(question: Question) -> Response:
    """GET /v1/projects/{project}/traces?view&pageSize&pageToken&startTime&endTime&filter&orderBy"""
    numbered = _enums_are_numbers(question.parameters)
    asked = _list_of(question.parameters, question.now_ns)
    found = search.search(
        question.reading,
        query_of(question.parameters.text("filter") or ""),
        asked.start_ns,
        asked.end_ns,
        limit=asked.size + 1,
        spans_per_spanset=1,
        order=asked.order,
        after=asked.after,
    )
    told = _fitting(found.traces[: asked.size], asked.view)
    texts = _told(question, replace(found, traces=told), asked.view, numbered=numbered) if told else ()
    token = _token(asked, told[-1]) if len(told) < len(found.traces) else None
    return _text_response(_list_text(texts, token))


def one_trace(question: Question) -> Response:
    """GET /v1/projects/{project}/traces/{trace_id}"""
    numbered = _enums_are_numbers(question.parameters)
    text = question.path["trace_id"]
    trace_id = trace_id_of(text)
    try:
        spans = spans_of_rows(trace.trace(question.reading, trace_id))
    except NotFound as error:
        raise NotFound(f"trace {text} not found") from error
    return _text_response(trace_text(spans, question.path["project"], numbered=numbered))


def _list_of(parameters: Parameters, now_ns: int) -> _List:
    order = parameters.parsed(_order, "orderBy", "order_by") or Order.NEWEST
    start, end = (parameters.text(*names) for names in (("startTime", "start_time"), ("endTime", "end_time")))
    question = (parameters.text("filter"), order.name, start, end)
    start_ns, end_ns = _range_of(parameters, now_ns)
    token = parameters.text("pageToken", "page_token")
    place = place_of(token, question, by_text=order.by_text) if token else None
    return _List(
        question=question,
        start_ns=place.start_ns if place else start_ns,
        end_ns=place.end_ns if place else end_ns,
        size=parameters.parsed(_page_size, "pageSize", "page_size") or DEFAULT_PAGE_SIZE,
        view=parameters.parsed(_view, "view") or View.MINIMAL,
        order=order,
        after=(place.rank, place.trace_id) if place else None,
    )


def _range_of(parameters: Parameters, now_ns: int) -> tuple[int, int]:
    """Both ends are in it. Without an end it ends now, without a start it takes in a day."""
    end_ns = parameters.parsed(time_ns, "endTime", "end_time")
    end_ns = now_ns if end_ns is None else end_ns
    start_ns = parameters.parsed(time_ns, "startTime", "start_time")
    start_ns = end_ns - DEFAULT_RANGE_NS if start_ns is None else start_ns
    if start_ns > end_ns:
        raise Rejected("startTime must not be after endTime")
    return start_ns, end_ns + 1


def _order(text: str) -> Order:
    if " ".join(text.split()) not in ORDERS:
        raise ValueError(f"takes trace_id, name, duration or start, and ` desc` behind one of them, not {text[:80]!r}")
    return ORDERS[" ".join(text.split())]


def _view(text: str) -> View:
    if text not in _VIEWS:
        raise ValueError(f"takes MINIMAL, ROOTSPAN or COMPLETE, not {text[:80]!r}")
    return _VIEWS[text]


def _page_size(text: str) -> int:
    """0 where it is left to the server; more than a page holds is what a page holds."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10 and int(digits) <= INT32_MAX):
        raise ValueError(f"takes a number of 32 bits, not {text[:80]!r}")
    return min(max(int(text), 0), PAGE_SIZE_MAX)


def _enums_are_numbers(parameters: Parameters) -> bool:
    """As Google's own library asks for them: `$alt=json;enum-encoding=int`."""
    form, _, options = (parameters.text("$alt", "alt") or "json").partition(";")
    if form.lower() != "json":
        raise Rejected(f"alt takes json, not {form[:80]!r}")
    return _NUMBERED in options.split(";")


def _fitting(found: list[FoundTrace], view: View) -> list[FoundTrace]:
    """As many of the traces, from the first on, as have few enough spans to be told in one answer."""
    if view is View.MINIMAL:
        return found
    spans = 0
    for count, one in enumerate(found):
        spans += one.summary.spans
        if spans > PAGE_SPANS_MAX and count:
            return found[:count]
    return found


def _told(question: Question, found: Found, view: View, *, numbered: bool) -> Iterator[str]:
    project = question.path["project"]
    if view is View.MINIMAL:
        for one in found.traces:
            yield json.dumps({"projectId": _project_of(one) or project, "traceId": one.summary.trace_id.hex()})
        return
    spans = spans_of_rows(search.spans(question.reading, found))
    for _, of_trace in groupby(spans, key=lambda span: span.trace_id):
        yield trace_text(of_trace, project, numbered=numbered, only_root=view is View.ROOTSPAN)


def _project_of(found: FoundTrace) -> str:
    """As the span that came out says it."""
    said = dict(found.spansets[0].spans[0].attributes).get(PROJECT)
    return said.value if isinstance(said, Literal) and isinstance(said.value, str) else ""


def _token(asked: _List, last: FoundTrace) -> str:
    return token_of(Place(asked.start_ns, asked.end_ns, last.rank, last.summary.trace_id), asked.question)


def _list_text(texts: Iterator[str] | tuple[()], token: str | None) -> str:
    """ListTracesResponse, in which nothing that is empty stands."""
    told = ",".join(texts)
    fields = [f'"traces":[{told}]'] if told else []
    if token:
        fields.append(f'"nextPageToken":"{token}"')
    return f"{{{','.join(fields)}}}"


def _text_response(text: str) -> Response:
    return Response(200, JSON, text.encode())


def _refuse(error: SpandrelError) -> Response:
    return refusals.refused(error, google_error)


API = ReadApi(
    {
        "/v1/projects/{project}/traces": traces,
        "/v1/projects/{project}/traces/{trace_id+}": one_trace,  # some spellings of an id have a slash
    },
    _refuse,
)
