"""Spans that somebody deleted: what every question leaves out, and what a merge leaves out, are the same spans."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from compact.worker import erasure_of
from spandrel.blocks.merge import draft_of, merged
from spandrel.blocks.source import Source
from spandrel.model.catalogue import Block
from spandrel.model.deletions import Deletion
from spandrel.model.errors import NotFound
from spandrel.model.search import Search
from spandrel.query import dependencies, names
from spandrel.query.search import find
from spandrel.query.text_values import double_text
from spandrel.query.trace import trace
from tests.archive import TENANT, Archive, archive_in
from tests.builders import RECEIVED_NS, key_value, request_of, span
from tests.otlp import ATTRIBUTES, REQUESTS

TRACE, OTHER = b"\1" * 16, b"\2" * 16
LATER_NS = RECEIVED_NS + 10**9


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_in(tmp_path) as made:
        yield made


def of_trace(trace_id: bytes, number: int = 1, before_ns: int = LATER_NS) -> Deletion:
    return Deletion(TENANT, number, before_ns, trace_id=trace_id)


def of_attribute(key: str, text: str, number: int = 1, before_ns: int = LATER_NS) -> Deletion:
    return Deletion(TENANT, number, before_ns, attribute=(key, text))


def shown(archive: Archive) -> list[str]:
    """The names of all spans that a question sees."""
    reading = archive.reading()
    return [name for (name,) in reading.open(reading.live()).select("SELECT name FROM spans ORDER BY name")]


def test_a_deleted_trace_is_in_no_answer_and_the_others_are(archive: Archive) -> None:
    gone, kept = span("gone", trace_id=TRACE), span("kept", trace_id=OTHER)
    archive.add(request_of(gone, kept))
    archive.catalogue.deleted.append(of_trace(TRACE))
    with pytest.raises(NotFound):
        trace(archive.reading(), TRACE)
    assert len(trace(archive.reading(), OTHER).rows) == 1
    search = Search(RECEIVED_NS - 10**12, RECEIVED_NS + 10**12, limit=10)
    assert [one.trace_id for one in find(archive.reading(), search).summaries] == [OTHER]


def test_calls_of_deleted_spans_are_not_counted(archive: Archive) -> None:
    call = span("call", trace_id=TRACE, span_id=b"\1" * 8, kind=Span.SPAN_KIND_CLIENT)
    serve = span("serve", trace_id=TRACE, parent=b"\1" * 8, kind=Span.SPAN_KIND_SERVER)
    archive.add(request_of(call, service="cart"), request_of(serve, service="stock"))
    window = (RECEIVED_NS - 10**12, RECEIVED_NS + 10**12)
    assert len(dependencies.links(archive.reading(), *window)) == 1
    archive.catalogue.deleted.append(of_trace(TRACE))
    assert dependencies.links(archive.reading(), *window) == []


def test_names_of_operations_in_blocks_without_a_list_leave_out_what_is_deleted(archive: Archive) -> None:
    (entry,) = archive.add(request_of(span("gone", trace_id=TRACE), span("kept", trace_id=OTHER)))
    archive.catalogue.add(replace(entry, operations=None))
    archive.catalogue.deleted.append(of_trace(TRACE))
    assert names.operations(archive.reading(), "checkout") == [("kept", 1)]


def test_a_persons_spans_are_hidden_wherever_the_value_stands(archive: Archive) -> None:
    user = {"user.id": "zoe"}
    event = Span.Event(name="login", attributes=[key_value("user.id", "zoe")])
    link = Span.Link(trace_id=TRACE, span_id=b"\1" * 8, attributes=[key_value("user.id", "zoe")])
    archive.add(
        request_of(span("own", attributes=user), span("event", events=[event]), span("link", links=[link])),
        request_of(span("resource"), resource=user),
        request_of(span("other", attributes={"user.id": "zoe2"}), span("key", attributes={"user": "zoe"})),
    )
    archive.catalogue.deleted.append(of_attribute("user.id", "zoe"))
    assert shown(archive) == ["key", "other"]


@pytest.mark.parametrize(
    ("value", "text"), [(42, "42"), (True, "true"), (0.5, "0.5"), (b"\0", "AA=="), (["a", "b"], '["a","b"]')]
)
def test_a_value_of_any_type_is_named_by_its_text(archive: Archive, value: Any, text: str) -> None:
    archive.add(request_of(span("gone", attributes={"k": value}), span("kept", attributes={"k": "else"})))
    archive.catalogue.deleted.append(of_attribute("k", text))
    assert shown(archive) == ["kept"]


def test_many_deletions_at_once_hide_what_each_of_them_hides(archive: Archive) -> None:
    values: list[Any] = [f"user-{n}" for n in range(30)] + list(range(30)) + [n + 0.5 for n in range(30)]
    nested = Span.Event(name="login", attributes=[key_value("user.id", "user-7")])
    archive.add(request_of(*(span(f"s{n:02}", attributes={"user.id": value}) for n, value in enumerate(values))))
    archive.add(request_of(span("event", events=[nested]), span("other", attributes={"user": "user-7"})))
    texts = ["user-1", "user-7", "29", "3", "5", "0.5", "1.5", "2.5", "3.5", "4.5", "[1]", "true"]
    archive.catalogue.deleted += [of_attribute("user.id", text, number) for number, text in enumerate(texts, 1)]
    gone = {"s01", "s07", "s59", "s33", "s35", "s60", "s61", "s62", "s63", "s64", "event"}
    assert set(shown(archive)) == {"other", *(f"s{n:02}" for n in range(90))} - gone


def test_spans_that_came_after_the_deletion_are_shown(archive: Archive) -> None:
    archive.add(request_of(span("before", trace_id=TRACE)), received_ns=RECEIVED_NS)
    archive.add(request_of(span("after", trace_id=TRACE)), received_ns=LATER_NS)
    archive.catalogue.deleted.append(of_trace(TRACE))
    assert shown(archive) == ["after"]


def test_a_block_that_was_held_to_a_deletion_is_no_longer_asked(archive: Archive) -> None:
    (entry,) = archive.add(request_of(span("rewritten", trace_id=TRACE)))
    archive.catalogue.add(replace(entry, deletions=1))
    archive.catalogue.deleted.append(of_trace(TRACE, number=1))
    assert shown(archive) == ["rewritten"]
    archive.catalogue.deleted.append(of_trace(TRACE, number=2))
    assert shown(archive) == []


def test_another_tenants_deletions_hide_nothing(archive: Archive) -> None:
    archive.add(request_of(span("mine", trace_id=TRACE)))
    archive.catalogue.deleted.append(replace(of_trace(TRACE), tenant="bank"))
    assert shown(archive) == ["mine"]


def test_an_attribute_is_only_ever_a_parameter(archive: Archive) -> None:
    archive.add(request_of(span("kept")))
    archive.catalogue.deleted.append(of_attribute("x' OR '1'='1", '"; DROP TABLE spans --'))
    assert shown(archive) == ["kept"]


def text_of(value: Any) -> str | None:
    """A generated attribute's value as text, where that is the text of one value alone."""
    match value.WhichOneof("value"):
        case "string_value":
            return str(value.string_value)
        case "bool_value":
            return str(value.bool_value).lower()
        case "int_value":
            return str(value.int_value)
        case "double_value" if abs(value.double_value) < float("inf"):
            return double_text(value.double_value)
    return None


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=REQUESTS, extra=ATTRIBUTES.filter(bool), data=st.data())
@example(request=request_of(span("list")), extra=[key_value("a", [1.5, float("nan")])], data=None)
def test_a_merge_leaves_out_exactly_what_questions_do_not_see(
    request: Any, extra: list[Any], data: st.DataObject | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    request.resource_spans[0].scope_spans[0].spans[0].attributes.extend(extra)
    key, text = extra[0].key, text_of(extra[0].value) or "[1.5,2]"
    with archive_in(tmp_path_factory.mktemp("archive")) as archive:
        entries = archive.add(request)
        deletion = of_attribute(key, text)
        archive.catalogue.deleted.append(deletion)
        expected = shown(archive)
        left = [name for entry in entries for name in names_left(archive, entry, deletion)]
        assert sorted(set(left)) == sorted(set(expected))


def names_left(archive: Archive, entry: Block, deletion: Deletion) -> list[str]:
    """The names of the spans that come out when a block is rewritten."""
    source = Source(entry, archive.objects.get(entry.key), erasure_of(entry, [deletion]))
    blocks = merged([source], lambda number: draft_of([entry], 1, "merged", number, 1))
    return [name for block in blocks for name in pq.read_table(io.BytesIO(block.body))["name"].to_pylist()]
