from __future__ import annotations

from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.api.ui.outline import MISSING, ROOT, outline
from spandrel.query.trace import trace
from tests.archive import Archive
from tests.builders import RECEIVED_NS, request_of, span

TRACE = bytes(15) + b"\1"
CLIENT, SERVER = Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_SERVER


def outlined(archive: Archive) -> dict[str, Any]:
    return dict(outline(trace(archive.reading(), TRACE)))


def parents(told: dict[str, Any]) -> dict[str, str | int]:
    """Name -> its parent's name, or the number that stands for none."""
    names = [told["names"][name] for name in told["name"]]
    return {names[row]: names[at] if at >= 0 else at for row, at in enumerate(told["parent"])}


def test_names_are_told_once_and_times_from_the_start_of_the_trace(archive: Archive) -> None:
    root = span("order", duration_ns=5_000_000)
    calls = [
        span(f"n{n}", parent=root.span_id, start_ns=RECEIVED_NS + n * 1_000_000, duration_ns=1500 + n * 10**6)
        for n in (1, 2)
    ]
    for call in calls:
        call.name = "charge"
    archive.add(request_of(root), request_of(*calls, service="bank"))
    told = outlined(archive)
    assert told["trace_id"] == TRACE.hex()
    assert told["start_unix_nano"] == str(RECEIVED_NS)
    assert (told["services"], told["names"]) == (["checkout", "bank"], ["order", "charge"])
    assert (told["service"], told["name"], told["parent"]) == ([0, 1, 1], [0, 1, 1], [ROOT, 0, 0])
    assert told["start"] == [0, 1000, 2000]
    assert told["duration"] == [5000, 1002, 2002]
    assert told["ids"] == (root.span_id + calls[0].span_id + calls[1].span_id).hex()


def test_short_times_are_told_to_the_nanosecond(archive: Archive) -> None:
    archive.add(request_of(span("root", duration_ns=999)))
    assert outlined(archive)["duration"] == [0.999]


def test_errors_events_and_links_are_listed_by_row(archive: Archive) -> None:
    failed = span("failed", start_ns=RECEIVED_NS + 1000)
    failed.status.code = Status.STATUS_CODE_ERROR
    failed.events.add(name="one", time_unix_nano=RECEIVED_NS + 3000)
    failed.links.add(trace_id=TRACE, span_id=b"whatever")
    archive.add(request_of(span("fine"), failed))
    told = outlined(archive)
    assert (told["errors"], told["events"], told["links"]) == ([1], [[1, [3]]], [[1, 1]])


def test_a_parent_that_is_not_there_is_told_from_none(archive: Archive) -> None:
    archive.add(request_of(span("root"), span("orphan", parent=b"missing!", start_ns=RECEIVED_NS + 1)))
    assert parents(outlined(archive)) == {"root": ROOT, "orphan": MISSING}


def test_client_and_server_of_one_id_are_parent_and_child(archive: Archive) -> None:
    """As Zipkin's libraries send them; what the server calls is the server's, though the id is the client's too."""
    shared = b"shared!!"
    archive.add(
        request_of(span("client", span_id=shared, kind=CLIENT), service="web"),
        request_of(
            span("server", span_id=shared, kind=SERVER, start_ns=RECEIVED_NS + 1),
            span("query", parent=shared, start_ns=RECEIVED_NS + 2),
            service="shop",
        ),
        request_of(span("bill", parent=shared, kind=SERVER, start_ns=RECEIVED_NS + 3), service="billing"),
    )
    assert parents(outlined(archive)) == {"client": ROOT, "server": "client", "query": "server", "bill": "server"}


def test_a_part_without_a_start_does_not_move_the_others(archive: Archive) -> None:
    archive.add(request_of(span("timed"), span("part", start_ns=0, duration_ns=0)))
    told = outlined(archive)
    assert told["start_unix_nano"] == str(RECEIVED_NS)
    assert told["start"] == [0, 0]
