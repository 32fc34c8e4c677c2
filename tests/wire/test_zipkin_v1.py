"""Zipkin's version 1: each case that Zipkin itself has been asked about, and what it has no word for."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from thrift.Thrift import TType

from benchmarks.thrift_bytes import Fields
from spandrel.wire.zipkin import endpoint as zipkin

from .sending import spans
from .test_thrift import listed
from .values import values_of
from .zipkin_sending import IDS, JSON, PROTOBUF, THRIFT, V1, V2, attributes, back, one, sent, sent_spans

SAMPLES = Path(__file__).parent / "zipkin_samples"
CASES = [json.loads(line) for line in (SAMPLES / "v1_to_v2.jsonl").read_text().splitlines()]
NAMES = sorted(path.name.removesuffix(".v2.json") for path in SAMPLES.glob("*.v2.json"))
ENCODINGS = {
    "v2.json": (V2, JSON),
    "proto3": (V2, PROTOBUF),
    "v1.json": (V1, JSON),
    "v1.thrift": (V1, THRIFT),
}
HOST = {"serviceName": "shop", "ipv4": "10.0.0.1"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["test"])
def test_a_span_becomes_what_zipkin_makes_of_it(case: dict[str, Any]) -> None:
    assert back(sent_spans(case["v1"], path=V1)) == case["v2"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", NAMES)
def test_a_span_is_the_same_in_every_encoding(name: str, encoding: str) -> None:
    path, content_type = ENCODINGS[encoding]
    body = (SAMPLES / f"{name}.{encoding}").read_bytes()
    assert _by_kind(back(sent(body, path, content_type))) == _by_kind(
        json.loads((SAMPLES / f"{name}.v2.json").read_bytes())
    )


def _by_kind(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The spans of a trace in one order: a request groups them by service."""
    return sorted(found, key=lambda span: (span["id"], span.get("kind", "")))


@pytest.mark.parametrize(("value", "expected"), [(7, 7), (0.5, 0.5), (True, True), (False, False)])
def test_a_value_that_is_no_text_is_an_attribute_of_its_type(value: Any, expected: Any) -> None:
    binary = [{"key": "n", "value": value, "endpoint": HOST}]
    assert attributes(V1, binaryAnnotations=binary) == {"n": expected, "network.local.address": "10.0.0.1"}


@pytest.mark.parametrize("value", [None, [1], {"a": 1}])
def test_a_value_that_is_none_at_all_is_skipped(value: Any) -> None:
    assert attributes(V1, binaryAnnotations=[{"key": "n", "value": value, "endpoint": HOST}]) == {}


def test_a_value_that_is_no_text_makes_no_span_of_its_own() -> None:
    binary = [{"key": "a", "value": "x", "endpoint": HOST}, {"key": "n", "value": 7, "endpoint": {"serviceName": "b"}}]
    assert values_of(one(V1, binaryAnnotations=binary).attributes)["n"] == 7


def test_an_address_that_says_no_is_no_address() -> None:
    binary = [{"key": "sa", "value": False, "endpoint": {"serviceName": "db"}}]
    assert attributes(V1, binaryAnnotations=binary) == {"sa": False}


def test_services_differ_by_name_alone_and_not_by_its_letters() -> None:
    annotations = [
        {"timestamp": 1, "value": "sr", "endpoint": {"serviceName": "Shop"}},
        {"timestamp": 2, "value": "ss", "endpoint": {"serviceName": "shop", "port": 80}},
    ]
    (span,) = back(sent_spans(IDS | {"annotations": annotations}, path=V1))
    assert (span["kind"], span["timestamp"], span["duration"]) == ("SERVER", 1, 1)


def test_an_end_before_its_start_has_no_duration() -> None:
    annotations = [{"timestamp": time, "value": value, "endpoint": HOST} for time, value in ((9, "cs"), (7, "cr"))]
    (span,) = back(sent_spans(IDS | {"annotations": annotations}, path=V1))
    assert (span["timestamp"], span.get("duration")) == (9, None)


def test_ids_of_thrift_are_bits_and_have_no_sign() -> None:
    (span,) = spans(
        zipkin.decode(_thrift({1: (TType.I64, -2), 12: (TType.I64, -1), 4: (TType.I64, -3), 5: (TType.I64, -4)}))
    )
    assert span.trace_id == b"\xff" * 15 + b"\xfe"
    assert (span.span_id, span.parent_span_id) == (b"\xff" * 7 + b"\xfd", b"\xff" * 7 + b"\xfc")


@pytest.mark.parametrize(
    ("annotation_type", "value", "expected"),
    [
        (6, b"text", "text"),
        (6, b"caf\xe9", "caf\N{REPLACEMENT CHARACTER}"),
        (0, b"\x01", True),
        (0, b"\x00", False),
        (1, b"\xff\x00", b"\xff\x00"),
        (2, struct.pack(">h", -5), -5),
        (3, struct.pack(">i", -5), -5),
        (4, struct.pack(">q", -5), -5),
        (5, struct.pack(">d", 0.1), 0.1),
        (5, b"\x00", b"\x00"),
        (99, b"?", b"?"),
    ],
)
def test_a_value_of_thrift_has_its_type(annotation_type: int, value: bytes, expected: Any) -> None:
    binary = {1: (TType.STRING, b"n"), 2: (TType.STRING, value), 3: (TType.I32, annotation_type)}
    (span,) = spans(zipkin.decode(_thrift({8: (TType.LIST, (TType.STRUCT, [binary]))})))
    assert values_of(span.attributes) == {"n": expected}


def test_an_endpoint_of_thrift_has_a_port_without_a_sign_and_addresses_as_in_a_packet() -> None:
    host = {
        1: (TType.I32, -1062706331),
        2: (TType.I16, -1),
        3: (TType.STRING, b"shop"),
        4: (TType.STRING, bytes.fromhex("20010db8000000000000000000000001")),
    }
    annotation = {1: (TType.I64, 5), 2: (TType.STRING, b"a"), 3: (TType.STRUCT, host)}
    (span,) = spans(zipkin.decode(_thrift({6: (TType.LIST, (TType.STRUCT, [annotation]))})))
    assert values_of(span.attributes) == {
        "network.local.address": "192.168.99.101",
        "zipkin.localEndpoint.ipv6": "2001:db8::1",
        "network.local.port": 65535,
    }


def test_annotations_of_thrift_that_lack_a_part_are_skipped() -> None:
    (span,) = spans(
        zipkin.decode(
            _thrift(
                {
                    6: (TType.LIST, (TType.STRUCT, [{}, {1: (TType.I64, 5)}, {2: (TType.STRING, b"a")}])),
                    8: (TType.LIST, (TType.STRUCT, [{}, {1: (TType.STRING, b"k")}, {2: (TType.STRING, b"v")}])),
                }
            )
        )
    )
    assert (len(span.events), len(span.attributes)) == (0, 0)


def test_a_thrift_list_that_says_it_is_one_of_texts_is_read_all_the_same() -> None:
    body = (SAMPLES / "trace.v1.thrift").read_bytes()
    assert zipkin.decode(sent(b"\x0b" + body[1:], V1, THRIFT)) == zipkin.decode(sent(body, V1, THRIFT))


def _thrift(fields: Fields) -> Any:
    """A span with sound ids and these fields."""
    return sent(listed({1: (TType.I64, 1), 4: (TType.I64, 2), **fields}), V1, THRIFT)
