from __future__ import annotations

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from playwright.sync_api import Page, expect

from tests.builders import request_of, span

from .site import Site

MS = 10**6


def order(number: int, *, ms: int = 20, ago_s: int = 60, failed: bool = False, **attributes: object) -> Span:
    made = span(
        "POST /order",
        trace_id=number.to_bytes(16, "big"),
        kind=Span.SPAN_KIND_SERVER,
        start_ns=time.time_ns() - ago_s * 10**9,
        duration_ns=ms * MS,
        attributes={"http.route": "/order", **attributes},
    )
    if failed:
        made.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR))
    return made


def a_shop(site: Site) -> None:
    """Twenty quick orders and two slow ones, of which one failed; all slow ones are of one region."""
    quick = [order(n, ms=10 + n % 4, ago_s=60 + n * 20, region="north") for n in range(1, 21)]
    slow = [order(90, ms=3000, ago_s=30, region="south"), order(91, ms=2500, ago_s=400, failed=True, region="south")]
    site.archive.add(request_of(*quick, *slow, service="shop"), received_ns=time.time_ns())
    site.archive.add(request_of(order(200, ms=5, ago_s=10), service="stock"), received_ns=time.time_ns())


def lines(page: Page) -> list[str]:
    """The ids of the traces listed, as numbers."""
    expect(page.locator(".results tbody tr").first).to_be_visible()
    links = page.locator(".results tbody a").evaluate_all("links => links.map(link => link.href)")
    return [str(int(re.findall(r"/trace/([0-9a-f]{32})", link)[0], 16)) for link in links]


def test_the_newest_traces_come_first_and_a_click_the_slowest(site: Site, page: Page) -> None:
    a_shop(site)
    page.goto(f"{site.url}/ui/search")
    expect(page.locator(".results tbody tr")).to_have_count(23)
    assert lines(page)[:3] == ["200", "90", "1"]
    page.get_by_role("button", name="duration").click()
    expect(page).to_have_url(re.compile("order=slowest"))
    expect(page.locator(".results tbody tr").first).to_contain_text("3 s")
    assert lines(page)[:2] == ["90", "91"]


def test_a_query_is_written_in_the_box_and_stands_in_the_address(site: Site, page: Page) -> None:
    a_shop(site)
    page.goto(f"{site.url}/ui/search")
    page.get_by_role("combobox", name="TraceQL query").fill("{ status = error }")
    page.keyboard.press("Enter")
    expect(page.locator(".results tbody tr")).to_have_count(1)
    assert lines(page) == ["91"]
    kept = page.url
    page.goto("about:blank")
    page.goto(kept)
    expect(page.locator(".results tbody tr")).to_have_count(1)
    expect(page.get_by_role("combobox", name="TraceQL query")).to_have_value("{ status = error }")
    expect(page.get_by_label("failed")).to_be_checked()


def test_the_form_writes_the_same_query(site: Site, page: Page) -> None:
    a_shop(site)
    page.goto(f"{site.url}/ui/search")
    page.get_by_label("Service", exact=True).first.fill("shop")
    page.keyboard.press("Tab")
    query = page.get_by_role("combobox", name="TraceQL query")
    expect(query).to_have_value('{ resource.service.name = "shop" }')
    page.get_by_label("Longer than").fill("1s")
    page.keyboard.press("Tab")
    expect(query).to_have_value('{ resource.service.name = "shop" && duration >= 1s }')
    expect(page.locator(".results tbody tr")).to_have_count(2)
    page.get_by_label("failed").check()
    expect(page.locator(".results tbody tr")).to_have_count(1)
    page.get_by_label("Longer than").fill("")
    page.keyboard.press("Tab")
    expect(query).to_have_value('{ resource.service.name = "shop" && status = error }')


def test_facets_count_values_and_narrow_the_search(site: Site, page: Page) -> None:
    a_shop(site)
    page.goto(f"{site.url}/ui/search")
    services = page.get_by_role("region", name="Service")
    expect(services.get_by_role("button").first).to_have_text("shop22")
    services.get_by_role("button", name="stock").click()
    expect(page.locator(".results tbody tr")).to_have_count(1)
    expect(services.get_by_role("button", name="stock")).to_have_attribute("aria-pressed", "true")
    services.get_by_role("button", name="stock").click()
    expect(page.locator(".results tbody tr")).to_have_count(23)


def dragged(page: Page) -> None:
    """A box over the slow half of the heatmap, from its left to its right."""
    expect(page.locator(".heatmap .tip")).to_contain_text("spans match")
    box = page.locator(".heatmap canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + 56, box["y"] + 1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 30, steps=4)
    page.mouse.up()


def test_a_box_of_the_heatmap_can_be_kept(site: Site, page: Page) -> None:
    a_shop(site)
    page.goto(f"{site.url}/ui/search")
    dragged(page)
    page.get_by_role("button", name="Keep this").click()
    expect(page.locator(".results tbody tr")).to_have_count(2)
    expect(page.get_by_role("combobox", name="TraceQL query")).to_have_value(
        re.compile("duration >= .* && duration <=")
    )
    expect(page).to_have_url(re.compile("start=[0-9]+&end=[0-9]+"))


def test_completion_offers_the_names_that_are_stored(site: Site, page: Page) -> None:
    a_shop(site)
    page.goto(f"{site.url}/ui/search")
    query = page.get_by_role("combobox", name="TraceQL query")
    query.fill("")
    query.press_sequentially("{ span.reg")
    expect(page.get_by_role("option")).to_have_text(["span.regionstring"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(query).to_have_value("{ span.region ")


def test_nothing_found_says_what_to_do(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/ui/search")
    expect(page.get_by_role("heading", name="No trace matches")).to_be_visible()
    expect(page.locator(".empty")).to_contain_text("Point an OpenTelemetry SDK at this address")


@pytest.mark.parametrize(("query", "said"), [("{ duration > }", "1"), ('{ name = "x"', "1")])
def test_a_query_that_is_wrong_says_where(site: Site, page: Page, query: str, said: str) -> None:
    page.goto(f"{site.url}/ui/search")
    page.get_by_role("combobox", name="TraceQL query").fill(query)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This cannot be searched for")
    expect(page.get_by_role("alert")).to_contain_text(said)


def test_a_range_that_is_too_broad_is_refused_in_words(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/ui/search?start=1000&end=1790000000000")
    expect(page.get_by_role("alert")).to_contain_text("hours")


def test_a_click_opens_the_trace_at_the_span_that_matched(site: Site, page: Page) -> None:
    a_shop(site)
    page.goto(f"{site.url}/ui/search?q=" + "%7B+status+%3D+error+%7D")
    page.locator(".results tbody a").click()
    expect(page.locator(".answers")).to_contain_text("shop: POST /order")
    expect(page.locator(".row[aria-selected=true] .name")).to_have_text("POST /order")
    page.go_back()
    expect(page.locator(".results tbody tr")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(site: Site, page: Page, scheme: str) -> None:
    a_shop(site)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{site.url}/ui/search")
    expect(page.locator(".results tbody tr")).to_have_count(23)
    found = [rule for rule in Axe().run(page).response["violations"] if rule["impact"] in {"serious", "critical"}]
    assert not found, [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found]


def test_completion_offers_the_values_that_are_stored(site: Site, page: Page) -> None:
    a_shop(site)
    page.goto(f"{site.url}/ui/search")
    query = page.get_by_role("combobox", name="TraceQL query")
    query.fill("")
    query.press_sequentially("{ span.region = ")
    expect(page.get_by_role("option")).to_have_text(["northstring", "southstring"])
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(query).to_have_value('{ span.region = "south" ')


def test_a_box_is_told_from_the_rest_by_what_differs_most(site: Site, page: Page) -> None:
    a_shop(site)
    page.goto(f"{site.url}/ui/search")
    dragged(page)
    page.get_by_role("button", name="Compare with the rest").click()
    first = page.locator(".difference tbody tr").first
    expect(first).to_contain_text("span.region")
    expect(first).to_contain_text("100 %")
    first.get_by_role("button").click()
    expect(page.get_by_role("combobox", name="TraceQL query")).to_have_value(re.compile("region = "))


def test_live_shows_what_comes_while_one_looks(site: Site, page: Page) -> None:
    page.clock.install()
    a_shop(site)
    page.goto(f"{site.url}/ui/search?live=1")
    expect(page.locator(".results tbody tr")).to_have_count(23)
    site.archive.add(request_of(order(300, ago_s=1), service="shop"), received_ns=time.time_ns())
    page.clock.run_for(6000)
    expect(page.locator(".results tbody tr")).to_have_count(24)
