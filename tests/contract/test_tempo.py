"""Tempo's API as Grafana, Kiali and people ask it, through the function's own way in: traces, and what is common."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

from query.answering import Answering
from tests.archive import Archive, ThrottledObjects, archive_in
from tests.asking import Asking
from tests.builders import RECEIVED_NS, key_value, request_of, span
from tests.contract import tempo_answers
from tests.contract.jaeger_shop import put_shop
from tests.contract.tempo_answers import NOW_NS, PLAIN, START_S, refusal
from tests.otlp import spans_of

ROOT = Path(__file__).parents[2]
PROTOBUF = "application/protobuf"
ONE, NOBODYS = "1".zfill(32), "77"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with archive_in(tmp_path) as archive:
        yield archive


@pytest.fixture
def tempo(archive: Archive) -> Asking:
    return Asking(Answering(archive.store, archive.objects, lambda: NOW_NS).answer)


def rich() -> ExportTraceServiceRequest:
    """A request with something in every field that a span has, and values of every type."""
    said = {
        "text": "é",
        "whole": -5,
        "part": 0.5,
        "yes": True,
        "raw": b"\0\xff",
        "list": [1, 2],
        "nested": {"x": [None]},
    }
    event = Span.Event(time_unix_nano=RECEIVED_NS, name="thrown", attributes=[key_value("why", said)])
    link = Span.Link(trace_id=b"\2" * 16, span_id=b"\3" * 8, trace_state="k=v", attributes=[key_value("n", 1)], flags=1)
    root = span(
        "root",
        kind=Span.SPAN_KIND_SERVER,
        attributes=said,
        events=[event],
        links=[link],
        status=Status(code=Status.STATUS_CODE_ERROR, message="refused"),
        trace_state="a=b",
        flags=257,
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=3,
    )
    request = request_of(root, span("child", parent=root.span_id), resource={"host.name": "box"})
    request.resource_spans[0].schema_url = "https://schema.test/1"
    scope_spans = request.resource_spans[0].scope_spans[0]
    scope_spans.scope.version, scope_spans.schema_url = "1.2", "https://schema.test/2"
    scope_spans.scope.attributes.append(key_value("scoped", "yes"))
    return request


def test_a_trace_is_protobufs_json_of_otlp(archive: Archive, tempo: Asking) -> None:
    request = rich()
    archive.add(request)
    reply = tempo.get(f"/tempo/api/traces/{ONE}")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    tempo_answers.assert_fits(reply.json, tempo_answers.TRACE)
    read = ParseDict({"resourceSpans": reply.json["batches"]}, TracesData())
    assert spans_of(read.resource_spans) == spans_of(request.resource_spans)
    (resource,) = reply.json["batches"]
    told = next(one for one in resource["scopeSpans"][0]["spans"] if one["name"] == "root")
    assert (told["traceId"], told["kind"]) == ("AAAAAAAAAAAAAAAAAAAAAQ==", "SPAN_KIND_SERVER")
    assert told["status"] == {"code": "STATUS_CODE_ERROR", "message": "refused"}


def test_the_second_version_has_the_trace_in_an_envelope(archive: Archive, tempo: Asking) -> None:
    archive.add(rich())
    reply = tempo.get(f"/tempo/api/v2/traces/{ONE}")
    tempo_answers.assert_fits(reply.json, tempo_answers.TRACE_V2)
    batches = tempo.get(f"/tempo/api/traces/{ONE}").json["batches"]
    assert reply.json == {"trace": {"resourceSpans": batches}, "metrics": {}}


def test_a_trace_in_protobuf_is_what_was_sent(archive: Archive, tempo: Asking) -> None:
    request = rich()
    archive.add(request)
    first = tempo.get(f"/tempo/api/traces/{ONE}", accept=PROTOBUF)
    assert (first.status, first.headers["content-type"]) == (200, PROTOBUF)
    read = TracesData.FromString(first.body)
    assert spans_of(read.resource_spans) == spans_of(request.resource_spans)
    second = tempo.get(f"/tempo/api/v2/traces/{ONE}", accept=f"text/html, {PROTOBUF};q=0.9")
    assert (second.status, second.headers["content-type"]) == (200, PROTOBUF)
    response = tempo_answers.trace_by_id_response().FromString(second.body)
    assert response.trace.SerializeToString() == read.SerializeToString()
    assert (response.HasField("metrics"), response.status, response.message) == (True, 0, "")


def test_a_kind_that_has_no_name_yet_is_its_number(archive: Archive, tempo: Asking) -> None:
    archive.add(request_of(span("odd", kind=9)))  # type: ignore[arg-type]
    (resource,) = tempo.get(f"/tempo/api/traces/{ONE}").json["batches"]
    assert resource["scopeSpans"][0]["spans"][0]["kind"] == 9


def test_a_trace_that_is_not_there_is_told_as_each_version_tells_it(archive: Archive, tempo: Asking) -> None:
    put_shop(archive)
    first = tempo.get(f"/tempo/api/traces/{NOBODYS}", accept=PROTOBUF)
    assert (first.status, first.body) == (404, b"")
    second = tempo.get(f"/tempo/api/v2/traces/{NOBODYS}")
    assert (second.status, second.json) == (200, {"trace": {}, "metrics": {}})
    binary = tempo.get(f"/tempo/api/v2/traces/{NOBODYS}", accept=PROTOBUF)
    response = tempo_answers.trace_by_id_response().FromString(binary.body)
    assert binary.status == 200
    assert response.HasField("trace")  # Grafana reads into it without looking
    assert not response.trace.resourceSpans


@pytest.mark.parametrize("version", ["", "v2/"])
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("zz", "trace IDs can only contain hex characters: invalid character 'z' at position 1"),
        ("12x4", "trace IDs can only contain hex characters: invalid character 'x' at position 3"),
        ("1" * 33, "trace IDs can't be larger than 128 bits"),
        ("0", "zero"),
    ],
)
def test_what_is_no_id_is_refused(tempo: Asking, version: str, bad: str, said: str) -> None:
    assert said in refusal(tempo.get(f"/tempo/api/{version}traces/{bad}"))


@pytest.mark.parametrize(
    "spelling",
    ["1", ONE, "1-00000000-000000000000000000000001", f"00-{ONE}-b7ad6b7169203331-01", "AAAAAAAAAAAAAAAAAAAAAQ=="],
)
def test_an_id_is_taken_in_all_its_spellings(archive: Archive, tempo: Asking, spelling: str) -> None:
    put_shop(archive)
    assert tempo.get(f"/tempo/api/v2/traces/{spelling}").json == tempo.get(f"/tempo/api/v2/traces/{ONE}").json
    assert "resourceSpans" in tempo.get(f"/tempo/api/v2/traces/{spelling}").json["trace"]


def test_times_are_a_hint_when_the_trace_was(archive: Archive, tempo: Asking) -> None:
    put_shop(archive)
    right = {"start": str(START_S - 60), "end": str(START_S)}
    wrong = {"start": str(START_S - 10_000), "end": str(START_S - 9_000)}
    assert tempo.get(f"/tempo/api/traces/{ONE}", right).status == 200
    assert tempo.get(f"/tempo/api/traces/{ONE}", wrong).status == 404
    assert tempo.get(f"/tempo/api/traces/{ONE}", {"start": "0", "end": "0"}).status == 200


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"start": "10", "end": "10"}, "start must be before end"),
        ({"start": "now"}, "start"),
        ({"end": "-1"}, "end"),
        ({"q": "{ }"}, "parameter q is not supported"),
        ({"span_pruning": "true"}, "parameter span_pruning is not supported"),
    ],
)
def test_what_makes_no_sense_of_a_trace_is_refused(tempo: Asking, query: Mapping[str, str], said: str) -> None:
    assert said in refusal(tempo.get(f"/tempo/api/v2/traces/{ONE}", query))


def test_a_trace_with_a_block_that_is_corrupt_is_partial(archive: Archive, tempo: Asking) -> None:
    put_shop(archive)
    (corrupt,) = archive.add(request_of(span("lost")))
    archive.objects.kept[corrupt.key] = b"nonsense"
    told = tempo.get(f"/tempo/api/v2/traces/{ONE}").json
    tempo_answers.assert_fits(told, tempo_answers.TRACE_V2)
    binary = tempo.get(f"/tempo/api/v2/traces/{ONE}", accept=PROTOBUF).body
    response = tempo_answers.trace_by_id_response().FromString(binary)
    assert (told["status"], response.status) == ("PARTIAL", 1)
    assert told["message"] == response.message
    assert response.message.endswith("not in this answer: 1")


def test_grafana_finds_a_tempo_here_and_asks_it_over_http(tempo: Asking) -> None:
    echo = tempo.get("/tempo/api/echo")
    assert (echo.status, echo.headers["content-type"], echo.body) == (200, PLAIN, b"echo\n")
    assert tempo.get("/tempo/ready").body == b"ready\n"
    build = tempo.get("/tempo/api/status/buildinfo").json
    tempo_answers.assert_fits(build, tempo_answers.BUILD)
    version = build["version"]
    assert version == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    streaming_since = (2, 2, 0)  # datasource.ts, featuresToTempoVersion
    assert tuple(map(int, version.split("."))) < streaming_since


PATHS: list[tuple[str, dict[str, str]]] = [
    ("api/echo", {}),
    (f"api/traces/{ONE}", {}),
    (f"api/v2/traces/{ONE}", {}),
    ("api/search", {}),
    ("api/search/tags", {}),
    ("api/v2/search/tags", {}),
    ("api/search/tag/service.name/values", {}),
    ("api/v2/search/tag/resource.service.name/values", {}),
    ("api/metrics/query", {"q": "{ } | rate()"}),
    ("api/metrics/query_range", {"q": "{ } | rate()"}),
]


@pytest.mark.parametrize(("path", "query"), PATHS[1:])
def test_no_tenant_sees_anything_of_another(
    archive: Archive, tempo: Asking, path: str, query: Mapping[str, str]
) -> None:
    nothing = tempo.get(f"/tempo/{path}", query)
    put_shop(archive, "rival")
    assert tempo.get(f"/tempo/{path}", query) == nothing
    theirs = tempo.get(f"/tempo/{path}", query, tenant="rival")
    assert theirs.status == 200
    assert theirs.body != nothing.body


@pytest.mark.parametrize(("path", "query"), PATHS)
def test_a_tenant_that_is_not_the_keys_is_refused(tempo: Asking, path: str, query: Mapping[str, str]) -> None:
    told = refusal(tempo.get(f"/tempo/{path}", query, x_scope_orgid="rival"), 403)
    assert "'rival'" in told
    assert refusal(tempo.get(f"/tempo/{path}", query, x_scope_orgid="shop|rival"), 403)


def test_the_keys_own_tenant_may_be_named(archive: Archive, tempo: Asking) -> None:
    put_shop(archive)
    assert tempo.get(f"/tempo/api/traces/{ONE}", x_scope_orgid="shop").status == 200


@pytest.mark.parametrize(("method", "status"), [("POST", 405), ("PUT", 405), ("DELETE", 405), ("HEAD", 200)])
def test_questions_are_asked_with_get_or_head(tempo: Asking, method: str, status: int) -> None:
    reply = tempo.get("/tempo/api/search", method=method)
    assert reply.status == status
    assert reply.headers.get("allow") == ("GET, HEAD" if status == 405 else None)


@pytest.mark.parametrize("path", ["", "api", "api/search/", "api/overrides", "api/mcp", "api/v2/traces/", "zipkin"])
def test_what_is_not_there_is_404_as_text(tempo: Asking, path: str) -> None:
    assert "nothing at /tempo/" in refusal(tempo.get(f"/tempo/{path}"), 404)


@pytest.mark.parametrize(
    ("context", "status"),
    [(None, 401), ({"refusal": "unknown-key"}, 401), ({"tenant": "shop", "scopes": "ingest", "key": "sdk"}, 403)],
)
def test_nobody_reads_without_a_key_that_may(
    archive: Archive, tempo: Asking, context: Mapping[str, str] | None, status: int
) -> None:
    put_shop(archive)
    assert "web" not in refusal(tempo.get("/tempo/api/search", context=context), status)
    refusal(tempo.get("/tempo/api/echo", context=context), status)


def test_an_overload_can_be_asked_again(archive: Archive, tmp_path: Path) -> None:
    put_shop(archive)

    with archive_in(tmp_path / "throttled", objects=ThrottledObjects(archive.objects.kept)) as throttled:
        throttled.catalogue.kept |= archive.catalogue.kept
        answering = Answering(throttled.store, throttled.objects, lambda: NOW_NS)
        reply = Asking(answering.answer).get("/tempo/api/search")
    refusal(reply, 429)
    assert reply.headers["retry-after"] == "2"


def test_otlps_messages_are_imported_with_the_first_answer_that_is_made_of_them() -> None:
    code = "import query.answering, sys; sys.exit('opentelemetry.proto.trace.v1.trace_pb2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT / "functions", check=False).returncode == 0


def test_answers_are_the_same_each_time(archive: Archive, tempo: Asking) -> None:
    put_shop(archive)
    for path, query in PATHS:
        assert tempo.get(f"/tempo/{path}", query) == tempo.get(f"/tempo/{path}", query)
