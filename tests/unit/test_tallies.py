"""Links and traffic are those of the distinct spans, in whichever blocks these lie, how often, and merged how."""

from __future__ import annotations

import io
import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spandrel.blocks import tally
from spandrel.model.catalogue import Block
from spandrel.model.deletions import Deletion
from spandrel.model.links import Link
from spandrel.model.tally import TRACE_TAIL_BYTES, PartName
from spandrel.model.traffic import GROWTH, INSTANT, MINUTE_NS
from spandrel.query.dependencies import links
from spandrel.query.traffic import traffic
from tests.archive import Archive, archive_in
from tests.builders import RECEIVED_NS
from tests.linking import CLIENT, HOUR_NS, SERVER, Sent, calls_in, distinct, links_of
from tests.merging import merge
from tests.sent import request_for, spans

SECOND_NS = 10**9
FIRST_NS, LAST_NS = RECEIVED_NS - 2 * HOUR_NS, RECEIVED_NS + 2 * HOUR_NS
CUTS = st.lists(st.integers(FIRST_NS // SECOND_NS, LAST_NS // SECOND_NS), max_size=3)
Cell = tuple[int, str, str, int, int | None]


@contextmanager
def tallying(loose_share: float = tally.LOOSE_SHARE, least_spans: int = 1) -> Iterator[None]:
    """Tallies of blocks however small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "TALLIED_SPANS", least_spans)
        patch.setattr(tally, "LOOSE_SHARE", loose_share)
        yield


def found_links(archive: Archive, bounds: Sequence[int]) -> dict[tuple[str, str], tuple[int, int]]:
    """The links of all windows between the bounds, added up."""
    calls: Counter[tuple[str, str]] = Counter()
    errors: Counter[tuple[str, str]] = Counter()
    for window in pairwise(bounds):
        for link in links(archive.reading(), *window):
            calls[link.parent, link.child] += link.calls
            errors[link.parent, link.child] += link.errors
    return {pair: (count, errors[pair]) for pair, count in calls.items()}


def found_traffic(archive: Archive, bounds: Sequence[int]) -> tuple[Counter[Cell], Counter[Cell]]:
    """The traffic of all windows between the bounds, added up: calls by bucket, and errors without."""
    calls: Counter[Cell] = Counter()
    errors: Counter[Cell] = Counter()
    for window in pairwise(bounds):
        for one in traffic(archive.reading(), *window):
            cell = (one.start_ns, one.service, one.operation, one.kind)
            calls.update({(*cell, bucket): count for bucket, count in one.latency.counts.items()})
            calls.update({(*cell, None): one.calls - one.latency.spans})
            errors.update({(*cell, None): one.errors})
    return +calls, +errors


def traffic_of(sent: Sequence[Sent]) -> tuple[Counter[Cell], Counter[Cell]]:
    """The same, counted span by span."""
    calls: Counter[Cell] = Counter()
    errors: Counter[Cell] = Counter()
    for one in sent:
        cell = (one.start_ns - one.start_ns % MINUTE_NS, one.service, one.name, one.kind)
        bucket = math.ceil(math.log(one.duration_ns) / math.log(GROWTH)) if one.duration_ns else INSTANT
        calls[(*cell, bucket)] += 1
        errors[(*cell, None)] += one.failed
    return +calls, +errors


@st.composite
def histories(draw: st.DrawFn) -> list[list[Sent] | list[int]]:
    """What happens to an archive: batches of spans that are stored, some of them again and again, also before they
    end; and merges of those of the live blocks that have these numbers.
    """
    sent = distinct(draw(st.lists(spans(), min_size=1, max_size=14)))
    events: list[list[Sent] | list[int]] = []
    for _ in range(draw(st.integers(2, 6))):
        batch = draw(st.lists(st.sampled_from(sent), min_size=1, max_size=6))
        events.append([replace(one, duration_ns=draw(st.sampled_from([one.duration_ns, 0]))) for one in batch])
        events.append(draw(st.lists(st.integers(0, 5), max_size=4, unique=True)))
    return events


def happens(archive: Archive, events: Sequence[list[Sent] | list[int]]) -> list[Sent]:
    """Stores and merges; all copies of spans that were stored."""
    stored: list[Sent] = []
    for event in events:
        batch = [one for one in event if isinstance(one, Sent)]
        if batch:
            archive.add(*map(request_for, batch))
            stored += batch
            continue
        live = list(archive.catalogue.kept.values())
        for far in (False, True):
            chosen = [live[one] for one in event if isinstance(one, int) and one < len(live) and live[one].far is far]
            if chosen:
                merge(archive, chosen)
    return stored


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), CUTS, st.sampled_from([0.0, 0.5, 1.0]))
def test_links_and_traffic_are_those_of_the_distinct_spans(
    events: list[list[Sent] | list[int]], cuts: list[int], loose_share: float
) -> None:
    bounds = sorted({FIRST_NS, *(cut * SECOND_NS for cut in cuts), LAST_NS})
    with tallying(loose_share), TemporaryDirectory() as folder, archive_in(Path(folder)) as archive:
        sent = distinct(happens(archive, events))
        assert found_links(archive, bounds) == links_of(calls_in(sent))
        assert found_traffic(archive, bounds) == traffic_of(sent)


MINUTE = RECEIVED_NS - RECEIVED_NS % MINUTE_NS
HOUR = (MINUTE - 30 * MINUTE_NS, MINUTE + 30 * MINUTE_NS)


@pytest.fixture
def tallies() -> Iterator[None]:
    with tallying(loose_share=1.0):
        yield


@pytest.fixture
def nothing_loose() -> Iterator[None]:
    with tallying(loose_share=0.0):
        yield


def stored(archive: Archive, *sent: Sent) -> Block:
    """A block of these spans, with a tally."""
    return merge(archive, archive.add(*map(request_for, sent)))[0]


def call(trace: int = 1, at_ns: int = MINUTE) -> tuple[Sent, Sent]:
    """A client and its server."""
    web = Sent(1, trace=trace, kind=CLIENT, service="web", start_ns=at_ns, attributes={"peer.service": "proxy"})
    return web, Sent(2, 1, trace=trace, kind=SERVER, service="cart", start_ns=at_ns)


def blocks_read(archive: Archive) -> list[str]:
    """The blocks that were fetched since the last question, not counting parts of tallies."""
    read = [key for key in archive.objects.read if "/blocks/" in key]
    archive.objects.read.clear()
    return read


@pytest.mark.usefixtures("tallies")
def test_whole_minutes_are_answered_from_tallies_alone(archive: Archive) -> None:
    for number in range(3):
        stored(archive, *call(trace=number + 1, at_ns=MINUTE + number * MINUTE_NS))
    blocks_read(archive)
    assert found_links(archive, HOUR) == {("web", "cart"): (3, 0)}
    assert sum(found_traffic(archive, HOUR)[0].values()) == 6
    assert blocks_read(archive) == []


@pytest.mark.usefixtures("tallies")
def test_a_part_of_a_minute_is_counted_from_spans(archive: Archive) -> None:
    for second in (0, 20, 40, 60):
        stored(archive, *call(trace=second + 1, at_ns=MINUTE + second * SECOND_NS))
    window = (MINUTE + 20 * SECOND_NS, MINUTE + 90 * SECOND_NS)
    assert found_links(archive, window) == {("web", "cart"): (3, 0)}
    assert found_links(archive, (MINUTE + 1, MINUTE + 2)) == {}
    assert sum(found_traffic(archive, window)[0].values()) == 6


@pytest.mark.usefixtures("tallies")
def test_what_is_not_merged_yet_is_added(archive: Archive) -> None:
    stored(archive, *call(trace=1))
    archive.add(*map(request_for, call(trace=2)))
    assert found_links(archive, HOUR) == {("web", "cart"): (2, 0)}
    assert sum(found_traffic(archive, HOUR)[0].values()) == 4


@pytest.mark.parametrize("loose_share", [0.0, 1.0])
@pytest.mark.parametrize("merged", [True, False])
def test_a_call_whose_ends_lie_in_two_blocks_is_no_call_to_a_peer(
    archive: Archive, loose_share: float, merged: bool
) -> None:
    with tallying(loose_share):
        client, server = call()
        stored(archive, client)
        assert found_links(archive, HOUR) == {("web", "proxy"): (1, 0)}
        later = archive.add(request_for(server))
        if merged:
            merge(archive, later)
        assert found_links(archive, HOUR) == {("web", "cart"): (1, 0)}


@pytest.mark.parametrize("loose_share", [0.0, 1.0])
def test_copies_in_several_tallies_count_once(archive: Archive, loose_share: float) -> None:
    with tallying(loose_share):
        for _ in range(3):
            stored(archive, *call())
        stored(archive, *call(trace=2))
        assert found_links(archive, HOUR) == {("web", "cart"): (2, 0)}
        assert sum(found_traffic(archive, HOUR)[0].values()) == 4


@pytest.mark.usefixtures("nothing_loose")
def test_of_a_trace_in_two_blocks_that_is_not_loose_the_blocks_are_read(archive: Archive) -> None:
    client, server = call()
    both = [stored(archive, client), stored(archive, server)]
    other = stored(archive, *call(trace=2))
    blocks_read(archive)
    assert found_links(archive, HOUR) == {("web", "cart"): (2, 0)}
    assert sorted(blocks_read(archive)) == sorted(block.key for block in both)
    assert other.tally


@pytest.mark.usefixtures("tallies")
def test_traces_with_one_end_of_their_ids_are_told_apart(archive: Archive) -> None:
    for trace in (1, 1 + 2**64):
        stored(archive, *call(trace=trace))
    assert found_links(archive, HOUR) == {("web", "cart"): (2, 0)}


@pytest.mark.usefixtures("tallies")
@pytest.mark.parametrize("part", ["calls", "traces"])
@pytest.mark.parametrize("corrupt", [True, False])
def test_instead_of_a_tally_that_cannot_be_read_its_block_is(archive: Archive, part: PartName, corrupt: bool) -> None:
    block = stored(archive, *call())
    stored(archive, *call(trace=2))
    key = block.part_key(part)
    archive.objects.kept[key] = b"not what was written"
    if not corrupt:
        del archive.objects.kept[key]
    reading = archive.reading()
    assert links(reading, *HOUR) == [Link("web", "cart", 2, 0)]
    assert reading.unread == ()


@pytest.mark.usefixtures("tallies")
def test_a_deleted_trace_is_in_no_count_though_a_tally_has_it(archive: Archive) -> None:
    block = stored(archive, *call(trace=1), *call(trace=2))
    archive.catalogue.deleted.append(Deletion("shop", 1, RECEIVED_NS + 1, trace_id=(1).to_bytes(16, "big")))
    for _ in range(2):
        assert found_links(archive, HOUR) == {("web", "cart"): (1, 0)}
        assert sum(found_traffic(archive, HOUR)[0].values()) == 2
        (block,) = merge(archive, [block])  # and after it is rewritten
    assert block.deletions == 1


@pytest.mark.usefixtures("tallies")
def test_a_block_that_is_too_much_to_count_is_merged_without_a_tally(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tally, "_SECONDS_MAX", 0)
    block = stored(archive, *call())
    assert block.tally == ()
    assert f"block {block.block_id} goes without a tally" in caplog.text
    assert found_links(archive, HOUR) == {("web", "cart"): (1, 0)}


def test_a_small_block_has_no_tally(archive: Archive) -> None:
    with tallying(least_spans=3):
        assert stored(archive, *call()).tally == ()
        assert found_links(archive, HOUR) == {("web", "cart"): (1, 0)}
        block = stored(archive, *call(trace=2), Sent(3, trace=2, start_ns=MINUTE))
        assert [part.name for part in block.tally] == ["traces", "traffic", "calls"]


@pytest.mark.usefixtures("tallies")
def test_traces_of_which_a_parent_is_missing_or_that_lie_at_the_edge_are_loose(archive: Archive) -> None:
    long_ago = RECEIVED_NS - 10 * MINUTE_NS
    early = archive.add(*map(request_for, call(trace=1, at_ns=long_ago)), received_ns=long_ago)
    between = RECEIVED_NS - 5 * MINUTE_NS
    orphan = Sent(7, 6, trace=3, service="web", start_ns=between)
    middle = archive.add(*map(request_for, (*call(trace=2, at_ns=between), orphan)), received_ns=between)
    late = archive.add(*map(request_for, call(trace=4, at_ns=RECEIVED_NS)))
    (block,) = merge(archive, [*early, *middle, *late])
    loose = pq.read_table(io.BytesIO(archive.objects.kept[block.part_key("loose")]))
    assert {int.from_bytes(trace_id, "big") for trace_id in loose["trace_id"].to_pylist()} == {1, 3, 4}
    traces = pq.read_table(io.BytesIO(archive.objects.kept[block.part_key("traces")]))
    assert traces["trace_id"].to_pylist() == [(2).to_bytes(TRACE_TAIL_BYTES, "big")]


@pytest.mark.usefixtures("tallies")
def test_a_tally_is_part_of_the_entry_and_of_the_blocks_keys(archive: Archive) -> None:
    block = stored(archive, *call())
    assert Block.from_record(json.loads(json.dumps(block.record()))) == block
    assert set(block.keys) <= set(archive.objects.kept)
    assert block.keys == (block.key, *(block.part_key(part) for part in ("loose", "traces", "traffic", "calls")))
    assert block.part_key("calls") == f"shop/tallies/2026-09-21/{block.block_id}.calls.parquet"
