"""Zipkin's clients, as users run them: told another URL, with the key in it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from opentelemetry import trace
from opentelemetry.exporter.zipkin.encoder import Protocol
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from py_zipkin import Encoding, Kind  # type: ignore[attr-defined]
from py_zipkin.transport import SimpleHTTPTransport
from py_zipkin.zipkin import zipkin_span

from .gateway import Gateway, gateway
from .zipkin_back import zipkin_of


@pytest.fixture
def spandrel() -> Iterator[Gateway]:
    with gateway() as found:
        yield found


def url_with_key(spandrel: Gateway, path: str) -> str:
    return spandrel.url.replace("http://", f"http://key:{spandrel.key}@") + path


def kept(spandrel: Gateway) -> dict[str, dict[str, Any]]:
    """By name."""
    return {span["name"]: span for request in spandrel.requests() for span in zipkin_of(request)}


@pytest.mark.parametrize(("version", "path"), [(Protocol.V1, "/api/v1/spans"), (Protocol.V2, "/api/v2/spans")])
def test_opentelemetrys_exporter_sends_its_spans(spandrel: Gateway, version: Protocol, path: str) -> None:
    exporter = ZipkinExporter(version, url_with_key(spandrel, path), local_node_port=80, max_tag_value_length=128)
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("tests", "1.0")
    with tracer.start_as_current_span("GET /cart", kind=trace.SpanKind.SERVER) as server:
        with tracer.start_as_current_span("query", kind=trace.SpanKind.CLIENT, attributes={"rows": 3}) as client:
            client.add_event("retry", {"attempt": 2})
        server.set_status(trace.StatusCode.ERROR, "no such cart")
    provider.shutdown()
    assert spandrel.answered == [("POST", path, 202)]
    (request,) = spandrel.requests()
    (resource,) = request.resource_spans
    assert (resource.scope_spans[0].scope.name, resource.scope_spans[0].scope.version) == ("tests", "1.0")
    found = kept(spandrel)
    assert set(found) == {"get /cart", "query"}
    assert (found["query"]["parentId"], found["query"]["tags"]["rows"]) == (found["get /cart"]["id"], "3")
    assert [event.name for span in resource.scope_spans[0].spans for event in span.events] == ["retry"]
    (status,) = [span.status for span in resource.scope_spans[0].spans if span.status.code]
    assert (status.code, status.message) == (2, "no such cart")
    assert found["query"]["localEndpoint"] == {"serviceName": "shop", "port": 80}
    if version == Protocol.V2:  # its version 1 has no kinds
        assert (found["get /cart"]["kind"], found["query"]["kind"]) == ("SERVER", "CLIENT")


class WithKey(SimpleHTTPTransport):
    """py_zipkin leaves the sending to its users."""

    def __init__(self, spandrel: Gateway) -> None:
        super().__init__("", 0)
        self._url = url_with_key(spandrel, "")

    def send(self, payload: str | bytes) -> None:
        body = payload.encode() if isinstance(payload, str) else payload
        path, content_type = self._get_path_content_type(body)
        requests.post(self._url + path, body, headers={"content-type": content_type}, timeout=10).raise_for_status()


@pytest.mark.parametrize(
    "encoding", [Encoding.V1_JSON, Encoding.V2_JSON, Encoding.V2_PROTO3], ids=lambda name: name.value
)
def test_py_zipkin_sends_its_spans(spandrel: Gateway, encoding: Encoding) -> None:
    server = zipkin_span(
        "shop",
        "GET /cart",
        transport_handler=WithKey(spandrel),
        port=80,
        sample_rate=100.0,
        encoding=encoding,
        kind=Kind.SERVER,
    )
    with server, zipkin_span("shop", "query", kind=Kind.CLIENT) as client:
        client.add_sa_binary_annotation(3306, "mysql", "10.0.0.9")
        client.add_annotation("retry", 1_795_305_600.0)
        client.update_binary_annotations({"sql.query": "select 1", "error": "timeout"})
    assert [(method, status) for method, _, status in spandrel.answered] == [("POST", 202)]
    found = kept(spandrel)
    assert (found["get /cart"]["kind"], found["query"]["kind"]) == ("SERVER", "CLIENT")
    assert found["query"]["parentId"] == found["get /cart"]["id"]
    assert found["query"]["remoteEndpoint"] == {"serviceName": "mysql", "ipv4": "10.0.0.9", "port": 3306}
    assert found["query"]["annotations"] == [{"timestamp": 1_795_305_600_000_000, "value": "retry"}]
    assert found["query"]["tags"] == {"sql.query": "select 1", "error": "timeout"}
    (span,) = [span for span in _otlp(spandrel) if span.name == "query"]
    assert (span.status.code, span.status.message) == (2, "timeout")


def test_a_client_without_a_key_is_told_so_in_text(spandrel: Gateway) -> None:
    answer = requests.post(f"{spandrel.url}/api/v2/spans", json=[], timeout=10)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "text/plain; charset=utf-8")
    assert "an API key is needed" in answer.text


def _otlp(spandrel: Gateway) -> list[Any]:
    found = [resource for request in spandrel.requests() for resource in request.resource_spans]
    return [span for resource in found for scope in resource.scope_spans for span in scope.spans]
