"""Names and values that Tempo tells to who writes a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from query.answering import Answering
from tests.archive import Archive, archive_in
from tests.asking import Asking
from tests.builders import RECEIVED_NS, key_value, request_of, span
from tests.contract import tempo_answers
from tests.contract.tempo_answers import NOW_NS, START_S, refusal

PREFIX = "/tempo/api"
LISTED = ("duration", "name", "status", "span:status", "trace:rootService", "rootServiceName", "event:name", "trace:id")


@pytest.fixture(scope="module")
def tempo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with archive_in(tmp_path_factory.mktemp("names")) as archive:
        put(archive)
        yield Asking(Answering(archive.store, archive.objects, lambda: NOW_NS).answer)


def put(archive: Archive) -> None:
    """Spans of two services with attributes in every scope."""
    event = Span.Event(time_unix_nano=RECEIVED_NS, name="thrown", attributes=[key_value("exception.type", "Boom")])
    link = Span.Link(trace_id=b"\2" * 16, span_id=b"\3" * 8, attributes=[key_value("opentracing.ref", "child_of")])
    cart = span(
        "GET /cart", attributes={"http.status_code": 200, "a/b c": "x", "ok": True}, events=[event], links=[link]
    )
    request = request_of(cart, service="shop", resource={"host.name": "box"})
    request.resource_spans[0].scope_spans[0].scope.attributes.append(key_value("build", "7"))
    pay = span("pay", attributes={"http.status_code": 500, "ratio": 0.5, "100%": "yes"}, start_ns=RECEIVED_NS + 1)
    archive.add(request, request_of(pay, service="bank"))


def names(asking: Asking, **query: str) -> list[str]:
    reply = asking.get(f"{PREFIX}/search/tags", query)
    tempo_answers.assert_fits(reply.json, tempo_answers.TAGS)
    return list(reply.json["tagNames"])


def scopes(asking: Asking, **query: str) -> dict[str, list[str]]:
    reply = asking.get(f"{PREFIX}/v2/search/tags", query)
    tempo_answers.assert_fits(reply.json, tempo_answers.TAGS_V2)
    return {scope["name"]: scope["tags"] for scope in reply.json["scopes"]}


def values(asking: Asking, tag: str, **query: str) -> list[str]:
    reply = asking.get(f"{PREFIX}/search/tag/{tag}/values", query)
    assert reply.status == 200, reply.body
    tempo_answers.assert_fits(reply.json, tempo_answers.VALUES)
    return list(reply.json["tagValues"])


def typed(asking: Asking, tag: str, **query: str) -> list[tuple[str, str]]:
    reply = asking.get(f"{PREFIX}/v2/search/tag/{tag}/values", query)
    assert reply.status == 200, reply.body
    tempo_answers.assert_fits(reply.json, tempo_answers.VALUES_V2)
    return [(one["type"], one["value"]) for one in reply.json["tagValues"]]


def test_names_of_all_scopes_but_intrinsics(tempo: Asking) -> None:
    assert names(tempo) == [
        "100%",
        "a/b c",
        "build",
        "exception.type",
        "host.name",
        "http.status_code",
        "ok",
        "opentracing.ref",
        "ratio",
        "service.name",
    ]
    assert names(tempo, limit="2") == ["100%", "a/b c"]
    assert names(tempo, scope="none") == names(tempo)


@pytest.mark.parametrize(
    ("scope", "tags"),
    [
        ("resource", ["host.name", "service.name"]),
        ("event", ["exception.type"]),
        ("link", ["opentracing.ref"]),
        ("instrumentation", ["build"]),
    ],
)
def test_names_of_one_scope(tempo: Asking, scope: str, tags: Sequence[str]) -> None:
    assert names(tempo, scope=scope) == tags
    assert scopes(tempo, scope=scope) == {scope: tags}


def test_names_by_scope_end_with_the_intrinsics(tempo: Asking) -> None:
    told = scopes(tempo)
    assert list(told) == ["event", "instrumentation", "link", "resource", "span", "intrinsic"]
    assert told["span"] == ["100%", "a/b c", "http.status_code", "ok", "ratio"]
    assert set(LISTED) <= set(told["intrinsic"])
    assert not {"nestedSetLeft", "parent"} & set(told["intrinsic"])
    assert scopes(tempo, scope="intrinsic") == {"intrinsic": told["intrinsic"]}
    assert names(tempo, scope="intrinsic") == told["intrinsic"]


def test_every_intrinsic_that_is_listed_can_be_asked_for(tempo: Asking) -> None:
    for name in scopes(tempo, scope="intrinsic")["intrinsic"]:
        assert tempo.get(f"{PREFIX}/search", {"q": f"{{ }} | select({name})"}).status == 200, name
        assert tempo.get(f"{PREFIX}/v2/search/tag/{name}/values").status == 200, name


def test_a_limit_is_of_each_scope_and_0_is_none(tempo: Asking) -> None:
    limited = scopes(tempo, limit="1")
    assert (limited["span"], limited["resource"]) == (["100%"], ["host.name"])
    assert scopes(tempo, limit="0") == scopes(tempo, limit="5000", maxStaleValues="9") == scopes(tempo)


def test_names_of_the_spans_that_a_query_finds(tempo: Asking) -> None:
    told = scopes(tempo, q='{ resource.service.name = "bank" }')
    assert (told["span"], told["resource"]) == (["100%", "http.status_code", "ratio"], ["service.name"])


@pytest.mark.parametrize(
    "query",
    ["{ resource.service.name = }", "{", "nonsense", '{ } >> { name = "pay" }', '{ rootName = "pay" }', "{ } | rate()"],
)
def test_a_query_that_cannot_choose_spans_chooses_all(tempo: Asking, query: str) -> None:
    assert scopes(tempo, q=query) == scopes(tempo)
    assert typed(tempo, "resource.service.name", q=query) == [("string", "bank"), ("string", "shop")]


@pytest.mark.parametrize(
    "query",
    [
        '{ resource.service.name = "bank" && span.http.status_code = }',
        '{ span.http.status_code = && resource.service.name = "bank" && name = }',
        '{ resource.service.name = "bank" && }',
        '{ name != "a && b" && span.http.status_code = 500 && . }',
    ],
)
def test_of_a_query_that_is_still_written_the_complete_conditions_count(tempo: Asking, query: str) -> None:
    assert typed(tempo, "name", q=query) == [("string", "pay")]


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("resource.service.name", [("string", "bank"), ("string", "shop")]),
        (".service.name", [("string", "bank"), ("string", "shop")]),
        ("span.http.status_code", [("int", "200"), ("int", "500")]),
        (".ratio", [("float", "0.5")]),
        ("span.ok", [("bool", "true")]),
        ("name", [("string", "GET /cart"), ("string", "pay")]),
        ("span:name", [("string", "GET /cart"), ("string", "pay")]),
        ("rootServiceName", [("string", "bank"), ("string", "shop")]),
        ("event.exception.type", [("string", "Boom")]),
        ("event:name", [("string", "thrown")]),
        ("link.opentracing.ref", [("string", "child_of")]),
        ("instrumentation.build", [("string", "7")]),
        ("status", [("keyword", "error"), ("keyword", "ok"), ("keyword", "unset")]),
        ("duration", []),
        ("span.missing", []),
    ],
)
def test_values_have_types(tempo: Asking, tag: str, told: Sequence[tuple[str, str]]) -> None:
    assert typed(tempo, tag) == told


def test_all_kinds_are_told_whether_or_not_there_are_any(tempo: Asking) -> None:
    kinds = ["client", "consumer", "internal", "producer", "server", "unspecified"]
    assert typed(tempo, "kind") == typed(tempo, "span:kind") == [("keyword", kind) for kind in kinds]
    assert values(tempo, "kind") == kinds


@pytest.mark.parametrize("tag", ['span."a/b c"', quote('span."a/b c"'), quote('span."a/b c"', safe="")])
def test_a_name_may_be_escaped_once_more_as_grafana_does(tempo: Asking, tag: str) -> None:
    assert typed(tempo, tag) == [("string", "x")]


def test_a_name_may_have_a_percent_sign(tempo: Asking) -> None:
    assert typed(tempo, 'span."100%"') == [("string", "yes")]


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("service.name", ["bank", "shop"]),
        ("http.status_code", ["200", "500"]),
        ("span.http.status_code", ["200", "500"]),
        ("a%2Fb c", ["x"]),
        ("name", ["GET /cart", "pay"]),
        ("root.service.name", ["bank", "shop"]),
        ("status.code", ["error", "ok", "unset"]),
        ("missing", []),
    ],
)
def test_values_of_a_tag_by_its_bare_name_are_texts(tempo: Asking, tag: str, told: Sequence[str]) -> None:
    assert values(tempo, tag) == told


def test_values_are_limited_and_in_the_range(tempo: Asking) -> None:
    assert len(typed(tempo, "span.http.status_code", limit="1")) == 1
    times = {"start": str(START_S - 1), "end": str(START_S)}
    assert typed(tempo, "span.http.status_code", **times) == [("int", "200")]
    assert names(tempo, start="10", end="20") == []


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("search/tags", {"scope": "all"}, "invalid scope: all"),
        ("v2/search/tags", {"scope": "trace"}, "invalid scope: trace"),
        ("v2/search/tags", {"limit": "-1"}, "parameter limit"),
        ("search/tags", {"start": "2", "end": "1"}, "start must be before end"),
        ("search/tags", {"start": "x", "end": "1"}, "parameter start"),
        ("v2/search/tag/service.name/values", {}, "please provide a valid tagName"),
        ("v2/search/tag/span.a = 5 && .b/values", {}, "please provide a valid tagName"),
        ("v2/search/tag/name/values", {"end": "x"}, "parameter end"),
        ("search/tag/name/values", {"limit": "x"}, "parameter limit"),
    ],
)
def test_what_makes_no_sense_is_refused(tempo: Asking, path: str, query: Mapping[str, str], said: str) -> None:
    assert said in refusal(tempo.get(f"{PREFIX}/{path}", query))
