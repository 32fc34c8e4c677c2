"""Zipkin's tags: what becomes of each, and of those in which OpenTelemetry wrote what Zipkin has no field for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from spandrel.model import zipkin as names
from spandrel.model.zipkin import DROPPED, TODAY
from spandrel.wire.zipkin import endpoint as zipkin
from spandrel.wire.zipkin.tags import NUMBERS, OPENTELEMETRY

from .sending import spans
from .values import values_of
from .zipkin_sending import IDS, attributes, one, sent, sent_spans

TABLE = (Path(__file__).parents[2] / "docs" / "wire" / "zipkin.md").read_text()


def test_tags_are_attributes() -> None:
    tags = {"clnt/finagle.version": "6.45.0", "empty": "", "": "no key", "n": 7, "share": 0.50, "exact": 1e3}
    body = json.dumps([IDS | {"tags": tags}]).replace("0.5", "0.50").replace("1000.0", "1e3").encode()
    (span,) = spans(zipkin.decode(sent(body)))
    assert values_of(span.attributes) == {
        "clnt/finagle.version": "6.45.0",
        "empty": "",
        "": "no key",
        "n": "7",
        "share": "0.50",
        "exact": "1e3",
    }


def test_the_last_of_a_repeated_tag_counts() -> None:
    body = json.dumps([IDS])[:-2].encode() + b',"tags":{"a":"1","a":"2"}}]'
    (span,) = spans(zipkin.decode(sent(body)))
    assert values_of(span.attributes) == {"a": "2"}


@pytest.mark.parametrize("tag", TODAY)
def test_a_tag_of_zipkins_convention_gets_todays_name(tag: str) -> None:
    value: str | int = 503 if TODAY[tag] in NUMBERS else "503"
    assert attributes(tags={tag: "503"}) == {TODAY[tag]: value, "zipkin.renamed": [tag]}


@pytest.mark.parametrize("value", ["", "0503", "5xx", "-1", "９", "1" * 30])
def test_a_number_that_would_not_come_back_the_same_stays_a_tag(value: str) -> None:
    assert attributes(tags={"http.status_code": value}) == {"http.status_code": value}


def test_no_tag_takes_the_name_of_another() -> None:
    tags = {"http.path": "/a", "url.path": "/b", "kafka.topic": "c", "jms.topic": "d"}
    assert attributes(tags=tags) == {
        "http.path": "/a",
        "url.path": "/b",
        "messaging.destination.name": "c",
        "jms.topic": "d",
        "zipkin.renamed": ["kafka.topic"],
    }


def test_a_tag_with_the_name_of_an_ends_attribute_is_the_tag() -> None:
    tags = {"service.peer.name": "x", "network.peer.address": "y", "network.peer.port": "z", "network.local.port": "1"}
    end = {"serviceName": "db", "ipv6": "2001:db8::1", "port": 1}
    assert attributes(tags=tags, remoteEndpoint=end, localEndpoint={"ipv4": "10.0.0.1"}) == {
        **tags,
        "zipkin.remoteEndpoint.serviceName": "db",
        "zipkin.remoteEndpoint.ipv4": "",
        "zipkin.remoteEndpoint.ipv6": "2001:db8::1",
        "zipkin.remoteEndpoint.port": 1,
        "network.local.address": "10.0.0.1",
        "zipkin.localEndpoint.port": 0,
    }


@pytest.mark.parametrize(("error", "message"), [("boom", "boom"), ("", ""), ("true", ""), ("false", "false")])
def test_an_error_tag_is_an_error_whatever_it_says_and_stays_a_tag(error: str, message: str) -> None:
    span = one(tags={"error": error})
    assert span.status == Status(code=Status.STATUS_CODE_ERROR, message=message)
    assert values_of(span.attributes) == {"error": error}


def test_an_annotation_named_error_is_no_error() -> None:
    assert one(annotations=[{"timestamp": 7, "value": "error"}]).status == Status()


@pytest.mark.parametrize(
    ("tags", "status", "kept"),
    [
        ({"otel.status_code": "OK"}, Status(code=Status.STATUS_CODE_OK), {}),
        ({"otel.status_code": "ERROR", "error": "m"}, Status(code=Status.STATUS_CODE_ERROR, message="m"), {}),
        ({"otel.status_code": "ERROR"}, Status(code=Status.STATUS_CODE_ERROR), {"otel.status_code": "ERROR"}),
        ({"otel.status_code": "Ok"}, Status(), {"otel.status_code": "Ok"}),
        (
            {"otel.status_code": "OK", "error": "m"},
            Status(code=Status.STATUS_CODE_ERROR, message="m"),
            {"otel.status_code": "OK", "error": "m"},
        ),
    ],
)
def test_a_status_that_opentelemetry_wrote_into_tags_is_one_again(
    tags: dict[str, str], status: Status, kept: dict[str, str]
) -> None:
    span = one(tags=tags)
    assert (span.status, values_of(span.attributes)) == (status, kept)


def test_what_else_opentelemetry_wrote_into_tags_is_in_its_field_again() -> None:
    names = {
        "otel.scope.name": "lib",
        "otel.library.name": "lib",
        "otel.scope.version": "1",
        "otel.library.version": "1",
    }
    counts = {f"otel.dropped_{what}_count": "3" for what in ("attributes", "events", "links")}
    accepted = zipkin.decode(sent_spans(IDS | {"tags": {**names, **counts, "w3c.tracestate": "a=1"}}))
    (scope_spans,) = accepted.otlp.resource_spans[0].scope_spans
    assert (scope_spans.scope.name, scope_spans.scope.version) == ("lib", "1")
    (span,) = scope_spans.spans
    assert (span.trace_state, len(span.attributes)) == ("a=1", 0)
    assert (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count) == (3, 3, 3)


@pytest.mark.parametrize(
    "tags",
    [
        {"otel.library.name": "lib"},
        {"otel.scope.name": "lib"},
        {"otel.scope.name": "lib", "otel.library.name": "other"},
    ],
)
def test_a_scope_that_is_said_otherwise_than_exporters_do_is_one_and_the_tags_stay(tags: dict[str, str]) -> None:
    accepted = zipkin.decode(sent_spans(IDS | {"tags": tags}))
    assert accepted.otlp.resource_spans[0].scope_spans[0].scope.name == "lib"
    assert values_of(spans(accepted)[0].attributes) == tags


@pytest.mark.parametrize("count", ["0", "-1", "x", str(2**32)])
def test_a_count_that_is_none_stays_a_tag(count: str) -> None:
    assert attributes(tags={"otel.dropped_links_count": count}) == {"otel.dropped_links_count": count}


def test_the_documentation_has_every_name_of_the_mapping() -> None:
    rows = [row for row in TABLE.splitlines() if row.startswith("|")]
    for tag, name in TODAY.items():
        assert any(f"`{tag}`" in row and f"`{name}`" in row for row in rows), tag
    for tag, field in DROPPED.items():
        assert any(f"`{tag}`" in row and f"`{field}`" in row for row in rows), tag
    for name in (*OPENTELEMETRY, *names.LOCAL, *names.REMOTE, names.SERVICE_PEER):
        assert any(f"`{name}`" in row for row in rows), name


def test_the_documentation_has_every_attribute_of_zipkins_own() -> None:
    own = {value for value in vars(names).values() if isinstance(value, str) and re.fullmatch(r"zipkin\.\w+", value)}
    assert len(own) == 8
    for name in {
        *own,
        *(f"zipkin.{side}Endpoint.{field}" for side in ("local", "remote") for field in ("ipv6", "port")),
    }:
        assert f"`{name}" in TABLE, name
