"""Whatever Zipkin's version 2 can say comes back as it was said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spandrel.model.zipkin import LOCAL, REMOTE, SERVICE_PEER, TODAY
from spandrel.wire.zipkin import endpoint as zipkin
from spandrel.wire.zipkin.tags import OPENTELEMETRY

from .sending import recorded
from .zipkin_back import normal, zipkin_of
from .zipkin_sending import back, sent_spans

GENERATED = settings(deadline=None, max_examples=200, derandomize=True, suppress_health_check=list(HealthCheck))

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TIMES_US = st.sampled_from([1, 999, 1_795_305_600_000_000, 2**64 // 1000, 2**63 - 1])
KEYS = TEXT.filter(lambda key: not key.startswith("zipkin.")) | st.sampled_from(
    ["error", *TODAY, *TODAY.values(), *LOCAL, *REMOTE, SERVICE_PEER]
)
VALUES = TEXT | st.sampled_from(["", "true", "200", "0200", "1e3"])
ENDPOINTS = st.fixed_dictionaries(
    {},
    optional={
        "serviceName": TEXT.map(str.lower).filter(lambda name: name == name.lower()),
        "ipv4": st.ip_addresses(v=4).map(str),
        "ipv6": st.sampled_from(["2001:db8::c001", "::1", "fe80::1"]),
        "port": st.integers(1, 65535),
    },
)
ANNOTATIONS = st.fixed_dictionaries(
    {"timestamp": TIMES_US, "value": TEXT | st.sampled_from(['{"exception": {"exception.type": "E"}}', '"a":{"n":1}'])}
)
SPANS = st.fixed_dictionaries(
    {
        "traceId": st.integers(1, 2**128 - 1).map(lambda number: f"{number:032x}") | st.just("216a2aea45d08fc9"),
        "id": st.integers(1, 2**64 - 2).map(lambda number: f"{number:016x}"),
    },
    optional={
        "parentId": st.just("f" * 16),
        "kind": st.sampled_from(["SERVER", "CLIENT", "PRODUCER", "CONSUMER"]),
        "name": TEXT,
        "timestamp": TIMES_US,
        "duration": TIMES_US,
        "localEndpoint": ENDPOINTS,
        "remoteEndpoint": ENDPOINTS,
        "annotations": st.lists(ANNOTATIONS, max_size=3),
        "tags": st.dictionaries(KEYS, VALUES, max_size=5),
        "debug": st.booleans(),
    },
)
OF_OPENTELEMETRY = st.dictionaries(st.sampled_from(sorted(OPENTELEMETRY)), st.sampled_from(["OK", "ERROR", "3", "lib"]))


@given(span=SPANS)
@GENERATED
def test_a_span_comes_back_as_it_was_sent(span: dict[str, Any]) -> None:
    assert back(sent_spans(span)) == [normal(span)]


@given(span=SPANS.filter(lambda span: span.get("kind") != "CLIENT"))
@GENERATED
def test_a_shared_span_comes_back_as_shared(span: dict[str, Any]) -> None:
    (found,) = back(sent_spans(span | {"shared": True}))
    assert found["shared"] is True


@given(span=SPANS, tags=OF_OPENTELEMETRY)
@GENERATED
def test_what_opentelemetry_might_write_comes_back_as_it_was_sent(span: dict[str, Any], tags: dict[str, str]) -> None:
    told = span | {"tags": span.get("tags", {}) | tags}
    assert back(sent_spans(told)) == [normal(told)]


@pytest.mark.parametrize("name", ["zipkin-otel-python-json", "zipkin-js-json"])
def test_what_clients_send_comes_back(name: str) -> None:
    request = recorded(name)
    told = {span["id"]: normal(span) for span in json.loads(request.body)}
    found = {span["id"]: span for span in zipkin_of(zipkin.decode(request).otlp)}
    assert found == told
