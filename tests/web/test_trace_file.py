from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from .site import Site

TRACE = "5b8efff798038103d269b633813fc60c"
ROOT, CALL = "eee19b7ec3c1b174", "eee19b7ec3c1b175"
START_US = 1_790_000_000_000_000

OTLP = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
            "scopeSpans": [
                {
                    "scope": {"name": "tests"},
                    "spans": [
                        {
                            "traceId": TRACE,
                            "spanId": ROOT,
                            "name": "order",
                            "kind": 2,
                            "startTimeUnixNano": f"{START_US}000",
                            "endTimeUnixNano": f"{START_US + 5000}000",
                            "attributes": [{"key": "items", "value": {"intValue": "3"}}],
                        },
                        {
                            "traceId": TRACE,
                            "spanId": CALL,
                            "parentSpanId": ROOT,
                            "name": "charge",
                            "startTimeUnixNano": f"{START_US + 1000}000",
                            "endTimeUnixNano": f"{START_US + 3000}000",
                            "status": {"code": 2},
                        },
                    ],
                }
            ],
        }
    ]
}
JAEGER = {
    "data": [
        {
            "traceID": TRACE,
            "processes": {"p1": {"serviceName": "shop", "tags": []}},
            "spans": [
                {
                    "traceID": TRACE,
                    "spanID": ROOT,
                    "processID": "p1",
                    "operationName": "order",
                    "startTime": START_US,
                    "duration": 5000,
                    "tags": [{"key": "items", "type": "int64", "value": 3}],
                    "references": [],
                },
                {
                    "traceID": TRACE,
                    "spanID": CALL,
                    "processID": "p1",
                    "operationName": "charge",
                    "startTime": START_US + 1000,
                    "duration": 2000,
                    "tags": [{"key": "error", "type": "bool", "value": True}],
                    "references": [{"refType": "CHILD_OF", "traceID": TRACE, "spanID": ROOT}],
                },
            ],
        }
    ]
}
ZIPKIN = [
    {
        "traceId": TRACE,
        "id": ROOT,
        "name": "order",
        "kind": "SERVER",
        "timestamp": START_US,
        "duration": 5000,
        "localEndpoint": {"serviceName": "shop"},
        "tags": {"items": "3"},
    },
    {
        "traceId": TRACE,
        "id": CALL,
        "parentId": ROOT,
        "name": "charge",
        "timestamp": START_US + 1000,
        "duration": 2000,
        "localEndpoint": {"serviceName": "shop"},
        "tags": {"error": "declined"},
    },
]
DROP = """text => {
    const held = new DataTransfer();
    held.items.add(new File([text], "trace.json", { type: "application/json" }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: held, bubbles: true, cancelable: true }));
}"""


def dropped(site: Site, page: Page, text: str) -> None:
    page.goto(f"{site.url}/ui/map")
    expect(page.get_by_role("heading").first).to_be_visible()
    page.evaluate(DROP, text)


@pytest.mark.parametrize("trace", [OTLP, JAEGER, ZIPKIN], ids=["OTLP", "Jaeger", "Zipkin"])
def test_a_file_that_is_dropped_is_drawn_and_sent_nowhere(site: Site, page: Page, trace: object) -> None:
    dropped(site, page, json.dumps(trace))
    expect(page.locator(".answers")).to_contain_text("shop: order")
    for fact in ("5 ms", "2 spans", "1 service", "1 error"):
        expect(page.locator(".answers")).to_contain_text(fact)
    page.keyboard.press("e")
    expect(page.locator(".row[aria-selected=true] .name")).to_have_text("charge")
    expect(page.locator(".row[aria-selected=true]")).to_have_attribute("aria-level", "2")
    page.locator(".row", has_text="order").click()
    expect(page.get_by_role("complementary")).to_contain_text("items")
    assert not [line for line in site.asked if "traces" in line]


@pytest.mark.parametrize(("text", "said"), [("no json", "The file is no JSON"), ("{}", "There is no span in the file")])
def test_a_file_that_is_no_trace_is_refused_in_words(site: Site, page: Page, text: str, said: str) -> None:
    dropped(site, page, text)
    expect(page.get_by_role("heading", name="That did not work")).to_be_visible()
    expect(page.locator(".notice")).to_contain_text(said)


def test_zipkins_server_stands_below_the_client_whose_id_it_shares(site: Site, page: Page) -> None:
    client = {**ZIPKIN[0], "kind": "CLIENT", "name": "post", "localEndpoint": {"serviceName": "web"}}
    server = {**ZIPKIN[0], "timestamp": START_US + 100, "shared": True}
    dropped(site, page, json.dumps([client, server, ZIPKIN[1]]))
    expect(page.locator(".row", has_text="order")).to_have_attribute("aria-level", "2")


def test_after_the_page_was_loaded_again_the_file_is_asked_for(site: Site, page: Page) -> None:
    dropped(site, page, json.dumps(ZIPKIN))
    expect(page.locator(".answers")).to_be_visible()
    page.reload()
    expect(page.locator(".notice")).to_contain_text("drop it on the page again")
