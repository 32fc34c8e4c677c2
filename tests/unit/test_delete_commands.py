"""`./spandrel delete-trace`, `delete-spans` and `deletions`, as a person at the terminal uses them."""

from __future__ import annotations

import time

import pytest

from commands import deleting
from spandrel.blocks.writer import write_blocks
from spandrel.model.deletions import Deletion
from tests.builders import request_of, span
from tests.terminal import Terminal

TRACE = b"\1" * 16


def pending(at: Terminal, tenant: str = "default") -> list[Deletion]:
    return list(at.catalogue().deletions(tenant))


def add_block(at: Terminal, received_ns: int) -> None:
    body = request_of(span("one", trace_id=TRACE, start_ns=received_ns)).SerializeToString()
    for written in write_blocks("default", [body], received_ns, "ab" * 16):
        at.objects().put(written.entry.key, written.body)
        at.catalogue().add(written.entry)


def test_a_trace_is_deleted_by_any_spelling_of_its_id_and_the_report_says_what_follows_when(at: Terminal) -> None:
    add_block(at, time.time_ns())
    told = at.run("delete-trace", TRACE.hex().upper().lstrip("0"))
    assert [one.trace_id for one in pending(at)] == [TRACE]
    assert "1 blocks of 0.0 MiB" in told
    assert "within about 25 minutes" in told


def test_a_block_of_a_receiver_whose_clock_is_ahead_is_covered_too(at: Terminal) -> None:
    ahead_ns = time.time_ns() + 60 * 10**9
    add_block(at, ahead_ns)
    at.run("delete-trace", TRACE.hex())
    assert pending(at)[0].before_ns == ahead_ns + 1


def test_spans_are_deleted_by_an_attribute_whose_value_may_hold_anything(at: Terminal) -> None:
    at.run("delete-spans", "--attribute", "mail=zoë=x@y.z", "--tenant", "shop")
    assert [one.attribute for one in pending(at, "shop")] == [("mail", "zoë=x@y.z")]
    assert pending(at) == []


def test_deletions_are_listed_until_they_are_done_with(at: Terminal) -> None:
    add_block(at, time.time_ns())
    at.run("delete-trace", TRACE.hex())
    at.run("delete-spans", "--attribute", "user.id=4711")
    lines = at.run("deletions").splitlines()
    assert lines[0].split() == ["WHAT", "RECEIVED", "BEFORE", "BLOCKS", "LEFT"]
    assert [(line.split()[0], line.split()[-1]) for line in lines[1:]] == [("trace", "1"), ("user.id=4711", "1")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["delete-trace", "xyz"], "a trace id is 1 to 32 hex digits"),
        (["delete-trace", "1", "--tenant", "No"], "a tenant's name is"),
        (["delete-spans", "--attribute", "user.id"], "--attribute is KEY=VALUE"),
        (["delete-spans", "--attribute", "=x"], "--attribute is KEY=VALUE"),
        (["delete-spans", "--attribute", "k=" + "x" * 70_000], "no span has a longer value"),
    ],
)
def test_what_cannot_be_deleted_is_refused_in_one_line(at: Terminal, arguments: list[str], said: str) -> None:
    refused = at.run(*arguments)
    assert said in refused
    assert refused.startswith("refused: spandrel delete-")
    assert len(refused.splitlines()) == 1
    assert pending(at) == []


def test_more_deletions_than_questions_can_bear_are_refused(at: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleting, "DELETIONS_MAX", 1)
    at.run("delete-trace", "1")
    assert "wait for some" in at.run("delete-trace", "2")
