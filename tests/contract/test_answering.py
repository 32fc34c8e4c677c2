"""What holds for every answer of the query function: tenants, methods, keys, coding, size, damage, health."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from query.answering import Answering
from spandrel.model.limits import ANSWER_BYTES, ANSWER_URL_SECONDS, LAMBDA_PAYLOAD_BYTES
from tests.archive import Archive, MemoryObjects, ThrottledObjects, archive_in
from tests.asking import Asking
from tests.builders import RECEIVED_NS, request_of, span
from tests.contract.jaeger_shop import ID, SEARCH, SECOND_NS, put_shop, refusal


@pytest.fixture
def jaeger(archive: Archive) -> Asking:
    return Asking(Answering(archive.store, archive.objects, lambda: RECEIVED_NS + SECOND_NS).answer)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/v3/services", {}),
        ("/api/v3/operations", {"service": "web"}),
        (f"/api/v3/traces/{ID}", {}),
        ("/api/v3/traces", SEARCH),
        ("/api/v3/trace-summaries", SEARCH),
        ("/api/dependencies", {}),
    ],
)
def test_no_tenant_sees_anything_of_another(
    archive: Archive, jaeger: Asking, path: str, query: Mapping[str, str]
) -> None:
    nothing = jaeger.get(path, query)
    put_shop(archive, "rival")
    assert jaeger.get(path, query) == nothing
    theirs = jaeger.get(path, query, tenant="rival")
    assert theirs.status == 200
    assert theirs.body != nothing.body


@pytest.mark.parametrize(("method", "status"), [("POST", 405), ("DELETE", 405), ("PUT", 405), ("HEAD", 200)])
def test_questions_are_asked_with_get_or_head(archive: Archive, jaeger: Asking, method: str, status: int) -> None:
    put_shop(archive)
    reply = jaeger.get("/api/v3/services", method=method)
    assert reply.status == status
    if status == 405:
        assert reply.headers["allow"] == "GET, HEAD"
        refusal(reply, 405)
    else:
        assert reply.body == b""


@pytest.mark.parametrize("path", ["/api/v3", "/api/v3/", "/api/v3/nothing", "/api/v3/services/1/2", "/api/", "/api/x"])
def test_what_is_not_there_is_404_in_the_form_of_the_api(jaeger: Asking, path: str) -> None:
    reply = jaeger.get(path)
    assert reply.status == 404
    assert (reply.json.get("error") or reply.json["errors"][0]).get("httpCode", 404) == 404


@pytest.mark.parametrize(
    ("context", "status"),
    [(None, 401), ({"refusal": "no-key"}, 401), ({"tenant": "shop", "scopes": "ingest", "key": "sdk"}, 403)],
)
def test_nobody_reads_without_a_key_that_may(
    archive: Archive, jaeger: Asking, context: Mapping[str, str] | None, status: int
) -> None:
    put_shop(archive)
    reply = jaeger.get("/api/v3/services", context=context)
    refusal(reply, status)
    assert b"web" not in reply.body


def test_answers_are_gzipped_for_those_who_take_it(archive: Archive, jaeger: Asking) -> None:
    archive.add(request_of(*(span(f"operation {n}", kind=Span.SPAN_KIND_SERVER) for n in range(100))))
    plain, packed = (jaeger.get(f"/api/v3/traces/{ID}", accept_encoding=coding) for coding in ("identity", "gzip"))
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json == plain.json


def large_trace(archive: Archive, spans: int) -> list[str]:
    """Puts a trace that compresses badly; the ids of its spans."""
    noise = random.Random(7)
    ids = [hashlib.sha256(str(number).encode()).digest()[:8] for number in range(spans)]
    archive.add(
        request_of(*(span("a", span_id=span_id, attributes={"noise": noise.randbytes(300).hex()}) for span_id in ids))
    )
    return sorted(span_id.hex() for span_id in ids)


def span_ids(document: Any) -> list[str]:
    return sorted(
        span["spanId"]
        for resource in document["result"]["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    )


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_an_answer_too_large_for_lambda_lies_behind_a_link(archive: Archive, jaeger: Asking, coding: str) -> None:
    ids = large_trace(archive, 15_000)
    reply = jaeger.get(f"/api/v3/traces/{ID}", accept_encoding=coding)
    assert (reply.status, reply.body) == (303, b"")
    assert "content-encoding" not in reply.headers
    link = reply.headers["location"]
    key = link.removeprefix("https://objects.test/").partition("?")[0]
    assert link.endswith(f"seconds={ANSWER_URL_SECONDS}")
    assert key.startswith("shop/answers/2026-09-21/")
    assert archive.objects.passing[key] == "answer"
    headers = archive.objects.headers[key]
    assert headers["content-type"] == "application/json"
    assert headers.get("content-encoding", "identity") == coding
    body = archive.objects.kept[key]
    assert len(body) > ANSWER_BYTES
    plain = gzip.decompress(body) if coding == "gzip" else body
    assert span_ids(json.loads(plain)) == ids


def test_an_answer_that_just_fits_fits_with_all_that_lambda_adds(archive: Archive) -> None:
    answering = Answering(archive.store, archive.objects, lambda: RECEIVED_NS)
    large_trace(archive, 4_000)
    answers: list[Mapping[str, Any]] = []

    def kept(event: dict[str, Any]) -> Mapping[str, Any]:
        answers.append(answering.answer(event))
        return answers[-1]

    assert Asking(kept).get(f"/api/v3/traces/{ID}").status == 200
    assert len(answers[0]["body"]) > 3 * 1024 * 1024
    assert len(json.dumps(answers[0])) < LAMBDA_PAYLOAD_BYTES


def test_a_corrupt_block_is_told_in_a_header_and_in_the_log(
    archive: Archive, jaeger: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    put_shop(archive)
    (corrupt,) = archive.add(request_of(span("lost")))
    archive.objects.kept[corrupt.key] = b"nonsense"
    with caplog.at_level(logging.WARNING, "query"):
        reply = jaeger.get(f"/api/v3/traces/{ID}")
    assert len(span_ids(reply.json)) == 3
    assert reply.headers["spandrel-unread-blocks"] == "1"
    (line,) = [json.loads(record.message) for record in caplog.records]
    assert line["count"] == 1
    assert "corrupt" in line["blocks"][corrupt.key]


def test_a_healthy_answer_logs_nothing(archive: Archive, jaeger: Asking, caplog: pytest.LogCaptureFixture) -> None:
    put_shop(archive)
    with caplog.at_level(logging.DEBUG, "query"):
        reply = jaeger.get(f"/api/v3/traces/{ID}")
        refusal(jaeger.get("/api/v3/traces/zzz"))
    assert "spandrel-unread-blocks" not in reply.headers
    assert caplog.records == []


def test_an_overload_can_be_asked_again(archive: Archive, tmp_path: Path) -> None:
    put_shop(archive)

    with archive_in(tmp_path / "throttled", objects=ThrottledObjects(archive.objects.kept)) as throttled:
        throttled.catalogue.kept |= archive.catalogue.kept
        answering = Answering(throttled.store, throttled.objects, lambda: RECEIVED_NS)
        reply = Asking(answering.answer).get(f"/api/v3/traces/{ID}")
    refusal(reply, 429)
    assert reply.headers["retry-after"] == "2"


def test_health_says_what_is_up_to_everybody(jaeger: Asking) -> None:
    reply = jaeger.get("/health", route_key="GET /health", context=None)
    assert (reply.status, reply.json) == (200, {"status": "up", "catalogue": "up", "bucket": "up"})
    assert jaeger.get("/health", method="POST", route_key="POST /health", context=None).status == 405
    assert jaeger.get("/health", method="HEAD", route_key="HEAD /health", context=None).status == 200


def test_health_says_what_is_down_and_leaks_nothing(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    class Denied(MemoryObjects):
        def get(self, key: str) -> bytes:
            raise PermissionError("AccessDenied for arn:aws:iam::123456789012:role/secret")

    reply = Asking(Answering(archive.store, Denied(), lambda: RECEIVED_NS).answer).get(
        "/health", route_key="GET /health", context=None
    )
    assert (reply.status, reply.json) == (503, {"status": "down", "catalogue": "up", "bucket": "down"})
    assert "AccessDenied" in caplog.text


def test_a_cold_start_imports_the_api_that_is_asked_and_no_other() -> None:
    lines = (
        "import sys, query.handler",
        "from query.apis import api_of",
        "api_of('/api/v3/services')",
        "print(*{name.split('.')[2] for name in sys.modules if name.startswith('spandrel.api.')})",
    )
    told = subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, capture_output=True, text=True).stdout
    assert {"jaeger", "zipkin", "cloudtrace", "tempo", "ui", "xray"} & set(told.split()) == {"jaeger"}
