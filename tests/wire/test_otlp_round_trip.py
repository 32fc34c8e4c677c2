"""Whatever OTLP can say arrives as it was said, in either encoding."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.otlp import REQUESTS, comparable

from .sending import ENCODINGS, JSON, PROTOBUF, as_json, decoded, recorded, sent, sent_json, spans

GENERATED = settings(deadline=None, max_examples=60, derandomize=True, suppress_health_check=list(HealthCheck))


@given(request=REQUESTS)
@GENERATED
def test_protobuf_arrives_equal(request: ExportTraceServiceRequest) -> None:
    accepted = decoded(sent(request.SerializeToString(), PROTOBUF))
    assert (accepted.rejected, accepted.reason, accepted.spans) == (0, "", len(spans(accepted)))
    assert comparable(accepted.otlp) == comparable(request)


@given(request=REQUESTS)
@GENERATED
def test_json_arrives_equal(request: ExportTraceServiceRequest) -> None:
    accepted = decoded(sent_json(as_json(request)))
    assert (accepted.rejected, accepted.reason) == (0, "")
    assert comparable(accepted.otlp) == comparable(request)


def test_the_python_sdks_request_arrives_whole() -> None:
    request = recorded("otlp-python-protobuf")
    accepted = decoded(request)
    assert accepted.otlp == ExportTraceServiceRequest.FromString(request.body)
    assert (accepted.spans, accepted.rejected) == (7, 0)


def test_the_node_sdks_request_arrives_whole() -> None:
    request = recorded("otlp-node-json")
    accepted = decoded(request)
    assert (accepted.spans, accepted.rejected) == (6, 0)
    (resource,) = accepted.otlp.resource_spans
    names = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
    assert names == {"service.name": "checkout-js", "service.version": "1.2.3", "host.name": "box-2"}
    assert resource.scope_spans[0].schema_url == "https://opentelemetry.io/schemas/1.27.0"
    server = next(span for span in spans(accepted) if span.name == "GET /checkout/:id")
    assert server.trace_id.hex() == "fec5f268aa172f2934bd60c07e533bc1"
    assert server.span_id.hex() == "0ad2a797c04a6ee3"
    assert (server.kind, server.flags, server.start_time_unix_nano) == (2, 257, 1795342190058000000)
    assert (server.status.code, server.status.message) == (2, "upstream failed")
    said = {pair.key: pair.value for pair in server.attributes}
    assert said["user.name"].string_value == "Zoë ⻩ 💩"
    assert said["big"].int_value == 9007199254740991
    assert said["ratio"].double_value == 0.25
    assert [value.bool_value for value in said["bools"].array_value.values] == [True, False]
    assert said["empty"].WhichOneof("value") == "string_value"
    assert (server.events[0].name, server.links[0].span_id.hex()) == ("cache.miss", "bb24f90ce0eda404")
    told = json.loads(request.body)
    assert as_json(accepted.otlp)["resourceSpans"][0]["scopeSpans"][0]["spans"][3]["attributes"] == [
        {"key": pair["key"], "value": {k: str(v) if k == "intValue" else v for k, v in pair["value"].items()}}
        for pair in told["resourceSpans"][0]["scopeSpans"][0]["spans"][3]["attributes"]
    ]


def test_requests_glued_together_are_one() -> None:
    body = recorded("otlp-python-protobuf").body
    assert decoded(sent(body + body, PROTOBUF)).spans == 14


@pytest.mark.parametrize(
    "request_json",
    [None, {}, {"resourceSpans": []}, {"resourceSpans": None}, {"resourceSpans": [{"scopeSpans": [{"spans": []}]}]}],
)
def test_a_request_without_spans_is_fine(request_json: object) -> None:
    accepted = decoded(sent_json(request_json))
    assert (accepted.spans, accepted.rejected, accepted.reason) == (0, 0, "")


def test_an_empty_protobuf_body_is_a_request_without_spans() -> None:
    assert decoded(sent(b"", PROTOBUF)).spans == 0


@pytest.mark.parametrize("content_type", ENCODINGS)
def test_the_media_types_case_and_parameters_do_not_matter(content_type: str) -> None:
    body = recorded("otlp-python-protobuf" if content_type == PROTOBUF else "otlp-node-json").body
    assert decoded(sent(body, content_type.upper() + "; charset=utf-8")).spans in {6, 7}


def test_compressed_bodies_arrive_too() -> None:
    import gzip

    assert decoded(sent(gzip.compress(recorded("otlp-node-json").body), JSON, content_encoding="gzip")).spans == 6
