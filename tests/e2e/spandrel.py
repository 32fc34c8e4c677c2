"""Spandrel as its clients see it: spans in, traces out."""

from __future__ import annotations

import base64
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from local.stack import LocalStack
from spandrel.aws.keys import KeyTable
from spandrel.model.keys import ApiKey, digest_of, new_key
from spandrel.model.routes import Scope
from tests.otlp import spans_of

from .http import Reply, ask

IDS = frozenset({"traceId", "spanId", "parentSpanId"})


@dataclass(frozen=True)
class Client:
    """One who sends and asks; with an API key, or without one where none is needed."""

    stack: LocalStack
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, request: ExportTraceServiceRequest) -> Reply:
        headers = {"content-type": "application/x-protobuf", **self.headers}
        return ask(self.stack.url, "POST", "/v1/traces", request.SerializeToString(), headers)

    def store(self, request: ExportTraceServiceRequest) -> None:
        """Sends, and returns when what was sent can be asked for."""
        assert self.send(request).status == 200
        self.stack.settle()

    def get(self, path: str) -> Reply:
        return ask(self.stack.url, "GET", path, headers=self.headers)

    def trace(self, trace_id: bytes) -> Counter[str]:
        """All spans of a trace, comparable with `spans_of` what was sent; none when it is not found."""
        reply = self.get(f"/api/v3/traces/{trace_id.hex()}")
        if reply.status in {302, 303, 307}:
            link = reply.header("location")
            assert urlsplit(link).scheme == "http"
            with urlopen(link) as answer:
                reply = Reply(200, (), answer.read())
        assert reply.status in {200, 404}, reply
        return spans_in(reply.json["result"]) if reply.status == 200 else Counter()


def spans_in(traces: dict[str, Any]) -> Counter[str]:
    """The spans of OTLP's JSON."""
    return spans_of(ParseDict(_with_ids_as_base64(traces), TracesData()).resource_spans)


def spans_sent(request: ExportTraceServiceRequest) -> Counter[str]:
    return spans_of(request.resource_spans)


def client_of_tenant(stack: LocalStack, tenant: str, *scopes: Scope) -> Client:
    """A client with a new key of the tenant that has these scopes (default: to send and to ask)."""
    return Client(stack, {"authorization": f"Bearer {key_of_tenant(stack, tenant, *scopes)}"})


def key_of_tenant(stack: LocalStack, tenant: str, *scopes: Scope) -> str:
    """Such a key."""
    secret = new_key()
    table = KeyTable(stack.client("dynamodb"), stack.stack.outputs["KeyTable"])
    name = secrets.token_hex(8)
    table.add(ApiKey(digest_of(secret), tenant, scopes or ("ingest", "query"), name, created="2026-11-22T00:00:00Z"))
    return secret


def new_tenant() -> str:
    """A tenant that no other test has."""
    return f"tenant-{secrets.token_hex(8)}"


def new_trace_id() -> bytes:
    return secrets.token_bytes(16)


def _with_ids_as_base64(value: Any) -> Any:
    """OTLP's JSON has ids in hex, where protobuf's own JSON has bytes in base64."""
    if isinstance(value, dict):
        return {
            name: base64.b64encode(bytes.fromhex(each)).decode() if name in IDS else _with_ids_as_base64(each)
            for name, each in value.items()
        }
    return [_with_ids_as_base64(each) for each in value] if isinstance(value, list) else value
