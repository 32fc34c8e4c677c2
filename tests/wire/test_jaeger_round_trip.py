"""What Jaeger's clients send arrives, and all that a batch says can be told again."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spandrel.model import jaeger as names
from spandrel.wire.jaeger import endpoint as jaeger

from .jaeger_sending import PROTOCOLS, TYPES, batch, encoded, hexadecimal, log, sent, span, tags, told_again
from .sending import RECORDINGS, recorded, spans
from .values import attributes

ERROR = Status.STATUS_CODE_ERROR


# Recordings.


def test_what_the_node_client_sends_arrives() -> None:
    accepted = jaeger.decode(recorded("jaeger-client-node"))
    child, root, follower = spans(accepted)
    assert attributes(accepted.otlp.resource_spans[0].resource) == {
        "service.name": "jc-js",
        "ver": 7.0,
        "dc": "eu",
        "ip": "192.0.2.2",
        "client-uuid": "df8bbbad-96a7-491b-aa27-3f364a4c672c",
        "host.name": "vm",
        "opencensus.exporterversion": "Jaeger-Node-3.19.0",
    }
    assert [found.parent_span_id for found in (child, root, follower)] == [root.span_id, b"", root.span_id]
    assert (root.kind, child.kind, child.status.code) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT, ERROR)
    assert attributes(child)["blob"] == struct.pack(">I", 0x3039)
    assert attributes(root)["http.response.status_code"] == 200
    assert (root.events[0].name, attributes(root.events[0])) == ("started", {"n": 3.0})
    assert attributes(follower.links[0]) == {"opentracing.ref_type": "follows_from"}


def test_what_opentelemetrys_exporter_sends_arrives() -> None:
    accepted = jaeger.decode(recorded("jaeger-otel-python"))
    assert accepted.spans == 7
    assert {scope.scope.name for scope in accepted.otlp.resource_spans[0].scope_spans} == {"corpus.workload"}
    server = next(found for found in spans(accepted) if found.name == "GET /checkout/{id}")
    assert (server.kind, server.flags) == (Span.SPAN_KIND_SERVER, 1)
    assert (server.status.code, server.status.message) == (ERROR, "upstream failed")
    said = attributes(server)
    assert {"user.name": "Zoë ⻩ 💩", "big": 2**62, "ratio": 0.25, "flag": True, "empty": ""}.items() <= said.items()
    assert not {"span.kind", "error", "otel.status_code", "otel.scope.name"} & set(said)
    (link,) = server.links
    assert attributes(link) == {"opentracing.ref_type": "follows_from"}
    failed = next(found for found in spans(accepted) if found.name == "charge card")
    # This exporter puts the name of an event where OpenTracing has its message.
    assert {"message": "exception", "exception.type": "ValueError"}.items() <= attributes(failed.events[0]).items()


def test_what_opencensus_sends_arrives() -> None:
    (found,) = spans(jaeger.decode(recorded("jaeger-opencensus-python")))
    assert (found.name, attributes(found.events[0])) == ("a", {"n": 2, "message": "hello"})


def test_what_the_python_client_sends_its_agent_arrives() -> None:
    body = (RECORDINGS / "jaeger-client-python.datagram").read_bytes()
    for content_type in ("application/x-thrift", TYPES["compact"]):
        child, root = spans(jaeger.decode(sent(body, content_type)))
        assert (child.name, child.parent_span_id, child.status.code) == ("child", root.span_id, ERROR)
        assert (root.name, root.kind) == ("root", Span.SPAN_KIND_SERVER)


# The way back.

KEYS = st.sampled_from(["a", "b.c", "http.status_code", "peer.service", "é", "component", "jaeger.version", "event"])
VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=8),
)
SAID = st.dictionaries(KEYS, VALUES, max_size=4)
SPECIAL = st.fixed_dictionaries(
    {},
    optional={
        "span.kind": st.sampled_from([*names.KINDS, "other"]),
        "error": st.sampled_from([True, False, "true"]),
        "otel.scope.name": st.just("lib"),
        "otel.scope.version": st.just("1"),
        "w3c.tracestate": st.just("a=1"),
    },
)
OF_STATUS = {names.ERROR_TAG, names.STATUS_CODE_TAG}  # which a failed call of HTTP gets as well
IDS = st.integers(-(2**63), 2**63 - 1).filter(bool)
LOGS = st.lists(st.tuples(st.integers(0, 2**50), SAID), max_size=2)
SPANS = st.fixed_dictionaries(
    {
        "traceIdLow": IDS,
        "traceIdHigh": IDS,
        "spanId": IDS,
        "parentSpanId": IDS | st.just(0),
        "operationName": st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        "flags": st.sampled_from([0, 1, 2, 3, 9]),
        "startTime": st.integers(0, 2**53),
        "duration": st.integers(0, 2**40),
    }
)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(
    listed=st.lists(st.tuples(SPANS, SAID, SPECIAL, LOGS), max_size=3, unique_by=lambda each: each[0]["spanId"]),
    process=st.dictionaries(
        st.sampled_from(["hostname", "jaeger.version", "ip", "é"]), st.text("ab", min_size=1), max_size=4
    ),
    encoding=st.sampled_from(list(PROTOCOLS)),
)
def test_all_that_a_batch_says_can_be_told_again(
    listed: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], Any]], process: dict[str, Any], encoding: str
) -> None:
    thrift = [
        span(**fields, tags=tags(said | special), logs=[log_of(*each) for each in logs])
        for fields, said, special, logs in listed
    ]
    body = encoded(batch(*thrift, process=process), encoding)
    accepted = jaeger.decode(sent(body, TYPES[encoding]))
    again = {found["spanID"]: found for found in told_again(accepted.otlp)}
    for fields, said, special, logs in listed:
        found = again[hexadecimal(fields["spanId"])]
        assert found["traceID"] == hexadecimal(fields["traceIdHigh"], fields["traceIdLow"])
        assert (found["operationName"], found["startTime"], found["duration"], found.get("flags", 0)) == tuple(
            fields[key] for key in ("operationName", "startTime", "duration", "flags")
        )
        parents = [hexadecimal(fields["parentSpanId"])] * bool(fields["parentSpanId"])
        assert [(one["refType"], one["spanID"]) for one in found["references"]] == [
            ("CHILD_OF", parent) for parent in parents
        ]
        assert {key: value for key, value in found["tags"].items() if key not in OF_STATUS or key in special} == (
            said | special
        )
        assert found["logs"] == logs
        assert found["process"]["serviceName"] == "shop"
        if {"hostname", "jaeger.version"} <= set(process):
            assert found["process"]["tags"] == process


def log_of(time_us: int, fields: dict[str, Any]) -> Any:
    made = log(time_us)
    made.fields = tags(fields)
    return made
