"""What becomes of each part of Jaeger's spans."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.model import jaeger as names
from spandrel.wire.jaeger import endpoint as jaeger
from spandrel.wire.jaeger import spans as jaeger_spans

from .jaeger_sending import START_US, batch, encoded, log, reference, sent, span, tag
from .sending import spans
from .values import attributes

TABLE = Path(__file__).parents[2] / "docs" / "wire" / "jaeger.md"
CHILD_OF, FOLLOWS_FROM = 0, 1
UNSET, OK, ERROR = Status.STATUS_CODE_UNSET, Status.STATUS_CODE_OK, Status.STATUS_CODE_ERROR


def decoded(*thrift_spans: Any, **of_the_batch: Any) -> list[Span]:
    return spans(jaeger.decode(sent(encoded(batch(*thrift_spans, **of_the_batch)))))


def one(said: dict[str, Any] | None = None, **fields: Any) -> Span:
    (found,) = decoded(span(said, **fields))
    return found


def resource(service: str, **process: Any) -> dict[str, Any]:
    said = {key.replace("_", "."): value for key, value in process.items()}
    accepted = jaeger.decode(sent(encoded(batch(service=service, process=said))))
    return attributes(accepted.otlp.resource_spans[0].resource)


def test_ids_and_times_are_those_of_the_span() -> None:
    found = one(traceIdHigh=-1, traceIdLow=2, spanId=-3, parentSpanId=4)
    assert found.trace_id == b"\xff" * 8 + bytes(7) + b"\2"
    assert (found.span_id, found.parent_span_id) == (b"\xff" * 7 + b"\xfd", bytes(7) + b"\4")
    assert found.name == "GET /cart"
    assert (found.start_time_unix_nano, found.end_time_unix_nano) == (START_US * 1000, (START_US + 1500) * 1000)


@pytest.mark.parametrize("duration", [0, -5])
def test_a_length_of_zero_or_less_is_kept(duration: int) -> None:
    found = one(duration=duration)
    assert found.end_time_unix_nano - found.start_time_unix_nano == duration * 1000


@pytest.mark.parametrize("start", [-1, 2**63 - 1])
def test_a_time_that_otlp_cannot_say_is_the_nearest_and_the_span_says_so(start: int) -> None:
    found = one(startTime=start, duration=0)
    assert found.start_time_unix_nano == (0 if start < 0 else 2**64 - 1)
    first, _ = attributes(found)[names.WARNINGS]
    assert first == f"the start, {start} µs, is not within the years 1970 to 2554"


def test_tags_keep_their_types() -> None:
    said = {
        "text": "é",
        "empty": "",
        "double": 0.5,
        "true": True,
        "false": False,
        "integer": -(2**63),
        "binary": b"\0\xff",
    }
    found = attributes(one(said))
    assert found == said
    assert [type(found[key]) for key in said] == [type(value) for value in said.values()]


def test_a_tag_has_the_value_of_its_type_whatever_else_its_client_filled_in() -> None:
    full = tag("n", 7.0)
    full.vStr, full.vBool, full.vLong, full.vBinary = "", False, 0, bytes(8)
    assert attributes(one(tags=[full])) == {"n": 7.0}


def test_a_tag_without_its_value_has_that_of_nothing() -> None:
    bare = [tag(key, value) for key, value in {"a": "x", "b": 1.5, "c": True, "d": 7, "e": b"x"}.items()]
    for each in bare:
        each.vStr = each.vDouble = each.vBool = each.vLong = each.vBinary = None
    assert attributes(one(tags=bare)) == {"a": "", "b": 0.0, "c": False, "d": 0, "e": b""}


@pytest.mark.parametrize("kind", [5, -1, 99])
def test_a_tag_of_an_unknown_type_is_kept_and_the_span_says_so(kind: int) -> None:
    odd = tag("odd", "x")
    odd.vType = kind
    assert attributes(one(tags=[odd])) == {
        "odd": '<Unknown Jaeger TagType "<UNSET>">',
        names.WARNINGS: [f"the tag 'odd' has the unknown type {kind}"],
    }


def test_of_a_tag_that_comes_twice_the_last_counts() -> None:
    assert attributes(one(tags=[tag("a", 1), tag("b", 2), tag("a", "x")])) == {"a": "x", "b": 2}


def test_text_that_is_no_utf8_is_mended() -> None:
    body = encoded(batch(span({"city": "caf_"}))).replace(b"caf_", b"caf\xe9")
    assert attributes(spans(jaeger.decode(sent(body)))[0]) == {"city": "caf\ufffd"}


@pytest.mark.parametrize(("text", "kind"), names.KINDS.items())
def test_the_kind_is_taken_from_its_tag(text: str, kind: int) -> None:
    found = one({"span.kind": text})
    assert (found.kind, attributes(found)) == (kind, {})


@pytest.mark.parametrize("value", ["SERVER", "", 2, True])
def test_a_kind_that_there_is_not_stays_a_tag(value: Any) -> None:
    found = one({"span.kind": value})
    assert (found.kind, attributes(found)) == (Span.SPAN_KIND_UNSPECIFIED, {"span.kind": value})


@pytest.mark.parametrize(
    ("said", "code", "message", "kept"),
    [
        ({"error": True}, ERROR, "", {}),
        ({"error": False}, UNSET, "", {"error": False}),
        ({"error": "true"}, UNSET, "", {"error": "true"}),
        ({"otel.status_code": "OK"}, OK, "", {}),
        ({"otel.status_code": "error"}, ERROR, "", {}),
        ({"otel.status_code": "UNSET"}, UNSET, "", {}),
        ({"otel.status_code": "FINE"}, UNSET, "", {"otel.status_code": "FINE"}),
        ({"otel.status_code": "ERROR", "otel.status_description": "boom"}, ERROR, "boom", {}),
        ({"otel.status_description": "boom"}, UNSET, "", {"otel.status_description": "boom"}),
        ({"error": True, "otel.status_code": "OK"}, ERROR, "", {}),
        ({"error": True, "otel.status_description": "boom"}, ERROR, "boom", {}),
        ({"error": True, "http.status_message": "gone"}, ERROR, "gone", {"http.status_message": "gone"}),
        ({"otel.status_code": "OK", "http.status_code": 500}, OK, "", {"http.status_code": 500}),
    ],
    ids=repr,
)
def test_the_status_is_taken_from_the_tags_that_say_it(
    said: dict[str, Any], code: int, message: str, kept: dict[str, Any]
) -> None:
    found = one(said)
    assert (found.status.code, found.status.message) == (code, message)
    assert {key: attributes(found).get(key) for key in said} == {key: kept.get(key) for key in said}


@pytest.mark.parametrize(
    ("http_code", "kind", "code"),
    [
        (500, "server", ERROR),
        ("503", "server", ERROR),
        (500.0, "server", ERROR),
        (404, "server", UNSET),
        (404, "client", ERROR),
        ("404", "", ERROR),
        (399, "client", UNSET),
        (200, "client", UNSET),
        ("5xx", "client", UNSET),
        (500.5, "client", UNSET),
        (True, "client", UNSET),
        ("٥٠٠", "client", UNSET),
    ],
)
def test_a_failed_request_of_http_is_an_error(http_code: Any, kind: str, code: int) -> None:
    found = one({"http.status_code": http_code, "span.kind": kind, "http.status_message": "why"})
    assert (found.status.code, found.status.message) == (code, "why" if code else "")
    assert attributes(found)["http.status_code"] == http_code


def test_what_opentelemetry_put_into_tags_is_put_back() -> None:
    found = jaeger.decode(
        sent(
            encoded(batch(span({"otel.scope.name": "lib", "otel.scope.version": "2", "w3c.tracestate": "a=1"}), span()))
        )
    )
    named, plain = found.otlp.resource_spans[0].scope_spans
    assert (named.scope.name, named.scope.version, named.spans[0].trace_state) == ("lib", "2", "a=1")
    assert (attributes(named.spans[0]), plain.HasField("scope")) == ({}, False)


@pytest.mark.parametrize(
    ("flags", "otlp_flags", "kept"), [(0, 0, None), (1, 1, None), (2, 0, 2), (3, 1, 3), (9, 1, 9), (-1, 1, -1)]
)
def test_flags_beyond_sampled_are_kept_as_an_attribute(flags: int, otlp_flags: int, kept: int | None) -> None:
    """Debug is 2 and firehose 8 in Jaeger; in W3C's flags 2 says something else."""
    found = one(flags=flags)
    assert (found.flags, attributes(found).get(names.FLAGS)) == (otlp_flags, kept)


OTHER = reference(FOLLOWS_FROM, 99, 5, trace_id_high=1)


@pytest.mark.parametrize(
    ("parent", "references", "parent_of_otlp", "links"),
    [
        (0, [], 0, []),
        (5, [], 5, []),
        (5, [reference(CHILD_OF, 3, 5)], 5, []),
        (0, [reference(CHILD_OF, 3, 5)], 5, []),
        (0, [reference(FOLLOWS_FROM, 3, 5)], 5, [("follows_from", 3, 5)]),
        (0, [reference(FOLLOWS_FROM, 3, 6), reference(CHILD_OF, 3, 5)], 5, [("follows_from", 3, 6)]),
        (0, [reference(CHILD_OF, 3, 5), reference(CHILD_OF, 3, 6)], 5, [("child_of", 3, 6)]),
        (5, [reference(CHILD_OF, 3, 6)], 5, [("child_of", 3, 6)]),
        (0, [reference(CHILD_OF, 4, 5)], 0, [("child_of", 4, 5)]),
        (5, [reference(CHILD_OF, 4, 5)], 5, [("child_of", 4, 5)]),
        (0, [OTHER], 0, [("follows_from", (1 << 64) + 99, 5)]),
        (0, [reference(7, 3, 5)], 5, [("follows_from", 3, 5)]),
        (0, [reference(CHILD_OF, 0, 0)], 0, [("child_of", 0, 0)]),
        (7, [reference(CHILD_OF, 3, 7)], 7, []),
    ],
)
def test_the_parent_is_said_or_found_among_the_references_and_the_others_are_links(
    parent: int, references: list[Any], parent_of_otlp: int, links: list[tuple[str, int, int]]
) -> None:
    found = one(parentSpanId=parent, references=references)
    assert int.from_bytes(found.parent_span_id, "big") == parent_of_otlp
    assert [
        (
            attributes(link)["opentracing.ref_type"],
            int.from_bytes(link.trace_id, "big"),
            int.from_bytes(link.span_id, "big"),
        )
        for link in found.links
    ] == links


def test_a_log_is_an_event_with_the_name_that_its_field_gives() -> None:
    found = one(logs=[log(START_US + 1, event="cache miss", tries=2), log(n=1), log(event=7), log(event="")])
    assert [(event.name, attributes(event)) for event in found.events] == [
        ("cache miss", {"tries": 2}),
        ("", {"n": 1}),
        ("", {"event": 7}),
        ("", {"event": ""}),
    ]
    assert found.events[0].time_unix_nano == (START_US + 1) * 1000


def test_an_error_that_was_logged_says_it_in_todays_words_too() -> None:
    said: dict[str, Any] = {"event": "error", "error_kind": "ValueError", "message": "boom", "stack": "at a"}
    ((name, found),) = [(event.name, attributes(event)) for event in one(logs=[log(**said)]).events]
    assert name == "error"
    added = found.pop(names.ADDED)
    assert added == ["exception.type", "exception.message", "exception.stacktrace"]
    assert found == {
        "error.kind": "ValueError",
        "message": "boom",
        "stack": "at a",
        "exception.type": "ValueError",
        "exception.message": "boom",
        "exception.stacktrace": "at a",
    }


def test_a_message_that_is_no_error_is_only_a_message() -> None:
    assert attributes(one(logs=[log(event="done", message="ok")]).events[0]) == {"message": "ok"}


@pytest.mark.parametrize(
    ("said", "added"),
    [
        ({"http.method": "GET"}, {"http.request.method": "GET"}),
        ({"http.url": "http://a/"}, {"url.full": "http://a/"}),
        ({"http.status_code": 200.0}, {"http.response.status_code": 200}),
        ({"http.status_code": "204"}, {"http.response.status_code": 204}),
        ({"http.status_code": "none"}, {}),
        ({"db.statement": "SELECT 1", "db.instance": "shop"}, {"db.namespace": "shop", "db.query.text": "SELECT 1"}),
        ({"message_bus.destination": "orders"}, {"messaging.destination.name": "orders"}),
        ({"peer.service": "db"}, {"service.peer.name": "db"}),
        ({"peer.ipv4": "10.0.0.1", "peer.port": 80}, {"network.peer.address": "10.0.0.1", "network.peer.port": 80}),
        ({"peer.ipv4": 3224716605}, {"network.peer.address": "192.53.69.61"}),
        ({"peer.ipv4": 2**32}, {}),
        ({"peer.ipv4": -1}, {}),
        ({"peer.ipv4": b"\1\2\3\4"}, {}),
        ({"peer.ipv6": "::1"}, {"network.peer.address": "::1"}),
        ({"peer.ipv4": "10.0.0.1", "peer.ipv6": "::1"}, {"network.peer.address": "10.0.0.1"}),
        ({"http.method": "GET", "http.request.method": "POST"}, {}),
        ({"peer.service": b"db", "http.url": 7}, {}),
        ({"component": "flask"}, {}),
    ],
    ids=repr,
)
def test_a_tag_of_opentracing_is_kept_and_its_name_of_today_put_beside_it(
    said: dict[str, Any], added: dict[str, Any]
) -> None:
    marked = {names.ADDED: list(added)} if added else {}
    assert attributes(one(said)) == said | added | marked


def test_the_process_is_the_resource() -> None:
    said = {"ip": "10.0.0.1", "client-uuid": "1", "blob": b"\0", "n": 7}
    assert resource("shop", **said) == {"service.name": "shop"} | said


def test_a_client_says_its_version_and_host_in_its_own_words() -> None:
    assert resource("shop", hostname="a", jaeger_version="Go-2.3") == {
        "service.name": "shop",
        "host.name": "a",
        "opencensus.exporterversion": "Jaeger-Go-2.3",
    }


def test_words_that_are_taken_are_not_written_over() -> None:
    said = {"hostname": "a", "host.name": "b", "jaeger.version": "1", "opencensus.exporterversion": "2"}
    assert resource("shop", **said) == {"service.name": "shop"} | said


def test_a_service_without_a_name_has_none() -> None:
    assert resource("") == {}


def test_spans_that_come_before_their_process_belong_to_it() -> None:
    bare = batch(span())
    bare.process.tags = None
    process, mark, listed = encoded(bare).partition(b"\x0f\x00\x02")
    accepted = jaeger.decode(sent(mark + listed[:-1] + process + b"\0"))
    assert attributes(accepted.otlp.resource_spans[0].resource) == {"service.name": "shop"}
    assert accepted.spans == 1


def test_the_table_names_every_tag_that_is_read() -> None:
    text = TABLE.read_text()
    for key, name in (jaeger_spans.TODAY | jaeger_spans.TODAY_OF_AN_ERROR).items():
        assert re.search(rf"^\|[^|]*`{re.escape(key)}`[^|]*\|[^|]*`{re.escape(name)}`", text, re.M), key
    for constant, name in vars(names).items():
        if constant.isupper() and isinstance(name, str):
            assert name in text, constant
