from __future__ import annotations

import re
import time
from collections.abc import Sequence

import pytest
from axe_playwright_python.sync_playwright import Axe
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from playwright.sync_api import Page, expect

from tests.builders import request_of, span

from .site import Site

MS = 10**6
A, B = "aa" * 16, "bb" * 16


def order(site: Site, trace_id: str, calls: Sequence[tuple[str, int]], *, failed: str = "") -> None:
    """An order that calls services one after the other, each for so many milliseconds."""
    start_ns = time.time_ns() // MS * MS - 60 * 10**9
    whole_ms = sum(ms for _, ms in calls) + 10
    root = span("POST /order", trace_id=bytes.fromhex(trace_id), start_ns=start_ns, duration_ns=whole_ms * MS)
    site.archive.add(request_of(root, service="shop"), received_ns=time.time_ns())
    for service, ms in calls:
        call = span(
            f"call {service}",
            trace_id=root.trace_id,
            parent=root.span_id,
            span_id=f"{service:8.8}".encode(),
            start_ns=start_ns,
            duration_ns=ms * MS,
        )
        if service == failed:
            call.status.code = Status.STATUS_CODE_ERROR
        site.archive.add(request_of(call, service=service), received_ns=time.time_ns())
        start_ns += ms * MS


def two_orders(site: Site) -> str:
    order(site, A, [("stock", 20), ("bank", 50), ("mail", 5)])
    order(site, B, [("stock", 20), ("bank", 450), ("fraud", 30)], failed="bank")
    return f"{site.url}/ui/compare?a={A}&b={B}"


def test_what_takes_longer_what_is_missing_and_what_failed_is_seen_at_once(site: Site, page: Page) -> None:
    page.goto(two_orders(site))
    expect(page.locator(".page-head")).to_contain_text("B takes 425 ms longer")
    line = page.locator("tbody tr", has_text="call bank")
    for text in ("50 ms", "450 ms", "+400 ms", "0 → 1"):
        expect(line).to_contain_text(text)
    expect(page.locator("tr.only-a")).to_contain_text("call mail")
    expect(page.locator("tr.only-b")).to_contain_text("call fraud")
    widths = page.locator(".diverging i").evaluate_all("bars => bars.map(bar => bar.style.width)")
    assert max(widths, key=lambda width: float(width.rstrip("%"))) == "50%"


def test_what_does_not_differ_can_be_left_out(site: Site, page: Page) -> None:
    page.goto(two_orders(site))
    expect(page.locator("tbody tr")).to_have_count(5)
    page.get_by_label("only what differs").check()
    expect(page.locator("tbody tr", has_text="call stock")).to_have_count(0)
    expect(page).to_have_url(re.compile("changed=1"))


def test_the_two_can_be_swapped(site: Site, page: Page) -> None:
    page.goto(two_orders(site))
    page.get_by_role("button", name="Swap").click()
    expect(page.locator(".page-head")).to_contain_text("B is 425 ms shorter")
    assert page.url.endswith(f"?a={B}&b={A}")


def test_for_the_second_one_others_of_the_same_kind_are_offered(site: Site, page: Page) -> None:
    two_orders(site)
    page.goto(f"{site.url}/ui/trace/{A}")
    page.get_by_role("link", name="Compare …").click()
    expect(page.locator(".results tbody tr")).to_have_count(1)
    page.locator(".results tbody a").click()
    expect(page).to_have_url(f"{site.url}/ui/compare?a={A}&b={B}")
    expect(page.locator("tbody tr", has_text="call bank")).to_contain_text("+400 ms")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("both", [True, False])
def test_axe_finds_nothing_serious(site: Site, page: Page, both: bool, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    address = two_orders(site)
    page.goto(address if both else address.partition("&")[0])
    expect(page.locator("tbody tr").first).to_be_visible()
    found = [rule for rule in Axe().run(page).response["violations"] if rule["impact"] in {"serious", "critical"}]
    assert not found, [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found]
