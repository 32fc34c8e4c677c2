"""What Jaeger UI asks, asked by a page: of the same origin, and of another one with a key, as where the UI is hosted
elsewhere. Traces of every source have all that it draws.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from playwright.sync_api import Error, Page

from spandrel.http.response import Answer
from tests.recorded_traces import SOURCES, moved, spans_of
from tests.serving import served
from tests.wire.sending import RECORDINGS

from .site import Site

ASKING = (Path(__file__).parent / "jaeger_ui.js").read_text()
NO_SERVICE = "OTLPResourceNoServiceName"
KEY = "sk_of_the_page"
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """The address of an empty page of another origin."""

    def blank(*_asked: object) -> Answer:
        return {"statusCode": 200, "headers": {"content-type": "text/html"}, "body": "", "isBase64Encoded": False}

    with served(blank) as url:
        yield url


def asked(page: Page, site: Site, **more: Any) -> Any:
    """What the page gets to show."""
    now_ms = int(time.time() * 1000)
    told = {"base": site.url, "key": site.key, "start": now_ms - HOUR_MS, "end": now_ms + 1000, **more}
    return page.evaluate(ASKING, told)


def put(site: Site, source: str) -> Any:
    """A recording, as if it came a minute ago -> OTLP."""
    otlp = moved(source, time.time_ns() - 60 * 10**9)
    site.archive.add(otlp, received_ns=time.time_ns())
    return otlp


def service_of(otlp: Any) -> str:
    """Of the resource with most spans, empty for none."""
    resource = max(otlp.resource_spans, key=lambda one: sum(len(scope.spans) for scope in one.scope_spans))
    names = [pair.value.string_value for pair in resource.resource.attributes if pair.key == "service.name"]
    return names[0] if names else ""


def as_drawn(span: Span) -> tuple[Any, ...]:
    parents = [span.parent_span_id.hex()] * bool(span.parent_span_id)
    failed = span.status.code == Status.STATUS_CODE_ERROR
    return span.span_id.hex(), span.name, span.start_time_unix_nano // 1000, parents, failed


@pytest.mark.parametrize("source", SOURCES)
def test_a_page_of_another_origin_gets_all_that_the_ui_draws(
    site: Site, elsewhere: str, page: Page, source: str
) -> None:
    otlp, site.key = put(site, source), KEY
    service = service_of(otlp)
    page.goto(elsewhere)
    shown = asked(page, site, service=service)
    drawn = {one["id"]: one["spans"] for one in shown["drawn"]}
    assert [one["id"] for one in shown["traces"]] == list(drawn)
    assert {span.trace_id.hex() for span in spans_of(otlp)} >= drawn.keys() > set()
    sent = sorted(as_drawn(span) for span in spans_of(otlp) if span.trace_id.hex() in drawn)
    spans = [span for trace in drawn.values() for span in trace]
    assert sent == sorted((one["id"], one["name"], one["start_us"], one["parents"], one["failed"]) for one in spans)
    assert (service or NO_SERVICE) in {one["service"] for one in spans}
    assert service in shown["services"] or not service
    assert {name for name, _ in shown["operations"]} <= {span.name for span in spans_of(otlp)}
    assert all(service in one["services"] for one in shown["traces"])


def test_the_pages_of_the_ui_on_its_own_origin(site: Site, page: Page) -> None:
    otlp = put(site, "otlp-python-protobuf")
    page.goto(f"{site.url}/health")
    shown = asked(page, site, service="checkout-py", otlp=(RECORDINGS / "otlp-node-json.body").read_text())
    assert ("GET /checkout/{id}", "server") in {tuple(one) for one in shown["operations"]}
    assert ["checkout-py", "orders-db", 1] in shown["calls"]
    names = [name for name, _ in shown["monitor"]]
    assert names[:5] == ["service_latencies"] * 3 + ["service_call_rate", "service_error_rate"]
    assert names[5:] == [f"service_operation_{name}" for name in ("latencies", "call_rate", "error_rate")]
    assert all(points for _, points in shown["monitor"])
    assert shown["raw"] == len(shown["drawn"][0]["spans"])
    assert (shown["archived"], shown["uploaded"]) == (True, 2)
    assert len(shown["traces"]) == len({span.trace_id for span in spans_of(otlp)})


def test_the_gateway_answers_what_a_browser_asks_before_it_sends_a_key(site: Site, elsewhere: str, page: Page) -> None:
    put(site, "otlp-node-json")
    site.key = KEY
    page.goto(elsewhere)
    asked(page, site, service="checkout-js")
    asked_first = [one.split(" ")[0] for one in site.asked if "/api/v3/services" in one]
    assert asked_first == ["OPTIONS", "GET"]


def test_a_page_reads_why_it_is_refused(site: Site, elsewhere: str, page: Page) -> None:
    put(site, "otlp-node-json")
    site.key = KEY
    page.goto(elsewhere)
    with pytest.raises(Error, match=r"401 /api/v3/services: .*an API key is needed"):
        asked(page, site, key="another", service="checkout-js")
