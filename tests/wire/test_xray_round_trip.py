"""Segment documents come out of OTLP as they went in, but for what follows from their place or says nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spandrel.http.request import Request
from spandrel.wire.xray import endpoint as xray
from tests.xray_documents import apart, documents_of, without_the_obvious

from .sending import RECORDINGS, recorded
from .xray_sending import put

DATAGRAMS = sorted(RECORDINGS.glob("xray-sdk-python-*.datagram"))
DATAGRAM_HEADER = '{"format":"json","version":1}\n'

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = st.text("abzÄ黄09 _.:/%&#=+\\-@", min_size=1, max_size=8)  # of what X-Ray takes
KEYS = st.sampled_from(["a", "b", "request", "url", "x.y", "", "É", "stack", "other"]) | TEXT
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = TEXT | st.booleans() | NUMBERS
SOMETHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(KEYS, inner, min_size=1, max_size=3),
    max_leaves=6,
)
ANYTHING: st.SearchStrategy[Any] = SOMETHING | st.none() | st.just({})
# From about here on, a double is no finer than a nanosecond.
TIMES = st.floats(1e7, 4e9) | st.integers(0, 4 * 10**9) | st.sampled_from([1795341444.9956872, 1.478293361271e9])
COUNTS = st.integers(-1, 399)  # from 400 on, a status makes an error or a fault of what has none


def some(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of the members, one at least, and now and then with one that has another type."""
    odd = {name: SOMETHING | members[name] for name in members}
    either = st.fixed_dictionaries({}, optional=members) | st.fixed_dictionaries({}, optional=odd)
    return either.filter(bool)


def not_numeric(found: Any) -> bool:
    return not (isinstance(found, str) and found.lstrip("-").isdigit())  # such a text becomes a number


FRAMES = some(path=TEXT, line=COUNTS, label=TEXT)
EXCEPTIONS = some(
    id=TEXT,
    message=TEXT,
    type=TEXT,
    remote=st.booleans(),
    skipped=COUNTS,
    stack=st.lists(FRAMES, max_size=2),
    **{"": TEXT},
)
LINK = st.fixed_dictionaries(
    {
        "trace_id": st.just("1-5759e988-bd862e3fe1be46a994272793"),
        "id": st.just("defdfd9912dc5a56"),
    },
    optional={"attributes": st.dictionaries(TEXT, TEXT | st.booleans(), min_size=1, max_size=2)},
)
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "http": some(
        request=some(method=TEXT, url=TEXT, traced=st.booleans(), other=TEXT),
        response=some(status=COUNTS, content_length=COUNTS).filter(lambda found: all(map(not_numeric, found.values()))),
    ),
    "aws": some(
        operation=TEXT,
        table_name=TEXT,
        table_names=st.lists(TEXT, max_size=3),
        retries=COUNTS,
        account_id=TEXT,
        ec2=some(instance_id=TEXT, odd=SOMETHING),
        xray=some(sdk=TEXT, auto_instrumentation=st.booleans()),
    ).filter(lambda found: not found.keys() >= {"table_name", "table_names"}),  # the same attribute
    "sql": some(url=TEXT, sanitized_query=TEXT, database_type=TEXT, user=TEXT),
    "service": some(version=TEXT, runtime=TEXT, odd=SOMETHING),
    "cause": TEXT | some(working_directory=TEXT, paths=st.lists(TEXT), exceptions=st.lists(EXCEPTIONS, min_size=1)),
    "annotations": st.dictionaries(
        TEXT | st.sampled_from(["http.request.method", "aws.xray.fault", "url.full", "a.b", "service.name"]),
        SCALARS | st.lists(TEXT, max_size=1),
        min_size=1,
        max_size=4,
    ),
    "metadata": st.dictionaries(TEXT, ANYTHING, min_size=1, max_size=2) | TEXT,
    "links": st.lists(LINK, min_size=1, max_size=2) | st.lists(TEXT),
    "user": TEXT,
    "origin": TEXT,
    "resource_arn": TEXT,
    "error": st.booleans(),
    "fault": st.booleans(),
    "precursor_ids": st.lists(TEXT),
    "Dummy": SOMETHING,
}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A document of some segments in each other; ids are numbered."""
    ids = iter(f"{number:016x}" for number in range(1, 100))
    document = draw(_segments(ids, st.sampled_from(["remote", "aws", "local"]), depth=0))
    if draw(st.booleans()):
        document |= {"type": "subsegment", "parent_id": "f" * 16}
    else:
        document.pop("namespace", None)
    return document | {"trace_id": "1-581cf771-a006649127e371903a2de979"}


@st.composite
def _segments(draw: st.DrawFn, ids: Any, namespaces: st.SearchStrategy[str], depth: int) -> dict[str, Any]:
    segment = {"id": next(ids), "name": draw(NAMES), "start_time": draw(TIMES)}
    segment |= {"end_time": draw(TIMES.filter(bool))} if draw(st.booleans()) else {"in_progress": True}
    segment |= draw(st.fixed_dictionaries({}, optional={**MEMBERS, "namespace": namespaces}))
    if depth < 2:
        inner = draw(st.lists(_segments(ids, namespaces, depth + 1), max_size=2))
        segment |= {"subsegments": inner} if inner else {}
    return segment


@given(documents())
def test_a_document_can_be_made_again_from_its_spans(document: dict[str, Any]) -> None:
    accepted = xray.decode(put(document))
    assert not accepted.refused
    assert documents_of(accepted.otlp) == [without_the_obvious(document)]


def documents_in(request: Request) -> list[dict[str, Any]]:
    return [json.loads(text) for text in json.loads(request.body)["TraceSegmentDocuments"]]


def test_what_boto3_sends_can_be_made_again() -> None:
    request = recorded("xray-boto3-segments")
    sent = [without_the_obvious(document) for document in documents_in(request)]
    assert apart(documents_of(xray.decode(request).otlp)) == apart(sent)


@pytest.mark.parametrize("datagram", DATAGRAMS, ids=lambda path: path.stem)
def test_what_the_python_sdk_sends_to_the_daemon_can_be_made_again(datagram: Path) -> None:
    document = datagram.read_text().removeprefix(DATAGRAM_HEADER)
    accepted = xray.decode(put(document))
    assert documents_of(accepted.otlp) == [without_the_obvious(json.loads(document))]
