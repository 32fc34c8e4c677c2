"""Archived traces outlive retention, whichever API asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from query.answering import Answering
from spandrel.blocks import parts
from spandrel.model.archive import entry_key, folder_of
from spandrel.model.deletions import Deletion
from spandrel.model.errors import Overloaded
from tests.archive import Archive, MemoryObjects, archive_in
from tests.asking import Asking
from tests.builders import RECEIVED_NS, request_of, span
from tests.contract.jaeger_shop import put_shop
from tests.contract.test_jaeger_classic import refusal

ID = f"{1:032x}"
NOW_NS = RECEIVED_NS + 10**9


@pytest.fixture
def jaeger(archive: Archive) -> Asking:
    return Asking(Answering(archive.store, archive.objects, lambda: NOW_NS).answer)


def expire(archive: Archive) -> None:
    """What retention does: entries go, then objects."""
    for key in list(archive.catalogue.kept):
        del archive.catalogue.kept[key], archive.objects.kept[key]


def answers(jaeger: Asking) -> list[Any]:
    paths = (f"/api/traces/{ID}", f"/api/v3/traces/{ID}", f"/api/v2/trace/{ID}", f"/api/ui/traces/{ID}")
    replies = [jaeger.get(path) for path in paths]
    assert {reply.status for reply in replies} == {200}
    return [reply.json for reply in replies]


def test_an_archived_trace_is_the_same_after_retention_in_every_api(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    said = {"n": 7, "list": ["a", "b"], "map": {"k": 1}, "Case": True, "case": False, "blob": b"\0"}
    archive.add(request_of(span("rich", attributes=said), service="web", resource={"host.name": "h"}))
    before = answers(jaeger)
    reply = jaeger.post(f"/api/archive/{ID}")
    assert (reply.status, reply.json["data"], reply.json["errors"]) == (200, [], [])
    assert answers(jaeger) == before
    expire(archive)
    assert answers(jaeger) == before
    assert jaeger.get("/api/v3/services").json == {"services": []}


def test_archiving_again_loses_nothing_of_what_was_archived(archive: Archive, jaeger: Asking) -> None:
    archive.add(request_of(span("early")))
    jaeger.post(f"/api/archive/{ID}")
    expire(archive)
    archive.add(request_of(span("late", start_ns=RECEIVED_NS + 1000)))
    jaeger.post("/api/archive/1")
    expire(archive)
    (trace,) = jaeger.get(f"/api/traces/{ID}").json["data"]
    assert [one["operationName"] for one in trace["spans"]] == ["early", "late"]


def test_a_large_archived_trace_is_read_in_parts_and_comes_whole(
    archive: Archive, jaeger: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "WHOLE_BYTES", 0)
    names = [f"{number}" for number in range(500)]
    archive.add(request_of(*(span(name) for name in names)))
    jaeger.post(f"/api/archive/{ID}")
    expire(archive)
    (trace,) = jaeger.get(f"/api/traces/{ID}").json["data"]
    assert sorted(one["operationName"] for one in trace["spans"]) == sorted(names)


def test_what_is_not_there_is_not_archived(archive: Archive, jaeger: Asking) -> None:
    assert refusal(jaeger.post(f"/api/archive/{ID}"), 404) == "trace not found"
    assert "trace id" in refusal(jaeger.post("/api/archive/xyz"))
    assert jaeger.get(f"/api/archive/{ID}").headers["allow"] == "POST"
    assert archive.objects.kept == {}


def test_archives_are_apart_by_tenant(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    jaeger.post(f"/api/archive/{ID}")
    expire(archive)
    assert refusal(jaeger.get(f"/api/traces/{ID}", tenant="rival"), 404)
    assert all(key.startswith(folder_of("shop", bytes(15) + b"\1")) for key in archive.objects.kept)


def test_a_time_hint_is_one_for_archived_traces_too(archive: Archive, jaeger: Asking) -> None:
    put_shop(archive)
    jaeger.post(f"/api/archive/{ID}")
    expire(archive)
    start_us = RECEIVED_NS // 1000
    assert jaeger.get(f"/api/traces/{ID}", {"start": str(start_us)}).status == 200
    assert jaeger.get(f"/api/traces/{ID}", {"end": str(start_us - 2 * 3600 * 10**6)}).status == 404


def test_what_is_deleted_later_is_hidden_from_archived_traces_too(archive: Archive, jaeger: Asking) -> None:
    archive.add(request_of(span("a", attributes={"user": "u1"}), span("b", start_ns=RECEIVED_NS + 1)))
    jaeger.post(f"/api/archive/{ID}")
    expire(archive)
    archive.catalogue.deleted = [Deletion("shop", 1, NOW_NS + 1, attribute=("user", "u1"))]
    (trace,) = jaeger.get(f"/api/traces/{ID}").json["data"]
    assert [one["operationName"] for one in trace["spans"]] == ["b"]
    archive.catalogue.deleted = [Deletion("shop", 1, NOW_NS + 1, trace_id=bytes(15) + b"\1")]
    assert refusal(jaeger.get(f"/api/traces/{ID}"), 404)
    assert refusal(jaeger.post(f"/api/archive/{ID}"), 404)


def test_a_copy_that_could_not_be_stored_is_told_and_the_one_before_stays(archive: Archive, tmp_path: Path) -> None:
    class Full(MemoryObjects):
        def put(self, key: str, body: bytes, **_other: Any) -> None:
            raise Overloaded(f"storing {key}: SlowDown")

    put_shop(archive)
    with archive_in(tmp_path / "full", objects=Full(archive.objects.kept)) as full:
        full.catalogue.kept |= archive.catalogue.kept
        jaeger = Asking(Answering(full.store, full.objects, lambda: NOW_NS).answer)
        assert refusal(jaeger.post(f"/api/archive/{ID}"), 503)
        assert jaeger.get(f"/api/traces/{ID}").status == 200


def test_an_entry_that_does_not_read_is_no_empty_answer(archive: Archive, jaeger: Asking) -> None:
    archive.objects.kept[entry_key("shop", bytes(15) + b"\1")] = b"nonsense"
    assert "is no entry" in refusal(jaeger.get(f"/api/traces/{ID}"), 500)
