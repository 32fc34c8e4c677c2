"""OTLP/JSON -> OTLP. In it ids are hex, in protobuf's own JSON base64."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_IDS = {"traceId", "spanId", "parentSpanId"}


def request_of(text: str) -> ExportTraceServiceRequest:
    return ParseDict(_with_base64_ids(json.loads(text)), ExportTraceServiceRequest())


def _with_base64_ids(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_base64_ids(element) for element in node]
    if isinstance(node, dict):
        return {key: _base64(value) if key in _IDS else _with_base64_ids(value) for key, value in node.items()}
    return node


def _base64(hex_digits: str) -> str:
    return base64.b64encode(bytes.fromhex(hex_digits)).decode()
