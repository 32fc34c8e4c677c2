"""Traces that real SDKs sent, as they were recorded, on the pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from playwright.sync_api import Page, expect

from .site import Site

RECORDINGS = Path(__file__).parents[1] / "wire" / "recordings"


def ids_in(body: bytes, content_type: str) -> set[str]:
    if "json" in content_type:
        return set(re.findall(r'"traceId":\s*"([0-9a-f]{32})"', body.decode()))
    request = ExportTraceServiceRequest.FromString(body)
    return {s.trace_id.hex() for r in request.resource_spans for c in r.scope_spans for s in c.spans}


@pytest.mark.parametrize("name", ["otlp-python-protobuf", "otlp-node-json"])
def test_what_an_sdk_sent_is_drawn_with_all_that_its_spans_say(site: Site, page: Page, name: str) -> None:
    body = (RECORDINGS / f"{name}.body").read_bytes()
    content_type = "application/json" if name.endswith("json") else "application/x-protobuf"
    with urlopen(Request(f"{site.url}/v1/traces", body, {"content-type": content_type})) as answer:
        assert answer.status == 200
    trace_id = min(ids_in(body, content_type))
    with urlopen(f"{site.url}/api/ui/traces/{trace_id}") as told:
        outline = json.load(told)
    page.goto(f"{site.url}/ui/trace/{trace_id}")
    expect(page.locator(".answers")).to_contain_text(trace_id)
    expect(page.locator(".row:visible")).to_have_count(len(outline["parent"]))
    page.keyboard.press("j")
    expect(page.get_by_role("complementary")).to_contain_text("service.name")
