from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from .site import Site


def card(page: Page, name: str) -> Locator:
    return page.locator(".card", has=page.locator(".name", has_text=re.compile(f"^{re.escape(name)}$")))


def left(place: Locator) -> float:
    box = place.bounding_box()
    assert box
    return box["x"]


def test_callers_stand_left_of_those_they_call(shop_site: Site, page: Page) -> None:
    page.goto(f"{shop_site.url}/ui/map")
    expect(card(page, "frontend")).to_be_visible()
    assert left(card(page, "frontend")) < left(card(page, "checkout")) < left(card(page, "payment"))
    expect(card(page, "payment")).to_contain_text("p95")
    expect(page.get_by_role("status")).to_contain_text("links")


def test_what_sends_no_spans_itself_is_a_pill(shop_site: Site, page: Page) -> None:
    page.goto(f"{shop_site.url}/ui/map")
    expect(card(page, "redis")).to_have_class(re.compile("pill"))
    expect(card(page, "cart")).not_to_have_class(re.compile("pill"))


def test_only_lines_that_fail_are_red(shop_site: Site, page: Page) -> None:
    page.goto(f"{shop_site.url}/ui/map")
    expect(card(page, "payment")).to_contain_text("% fail")
    told = page.locator("path.fails title").evaluate_all("titles => titles.map(title => title.textContent)")
    assert any(line.startswith("checkout → payment") for line in told)
    assert not any("recommendation" in line for line in told)


def test_a_service_can_be_looked_at_with_its_neighbours_alone(shop_site: Site, page: Page) -> None:
    page.goto(f"{shop_site.url}/ui/map")
    card(page, "cart").click()
    expect(page).to_have_url(re.compile("focus=cart"))
    expect(card(page, "payment")).to_have_count(0)
    expect(card(page, "redis")).to_be_visible()
    page.keyboard.press("Escape")
    expect(card(page, "payment")).to_be_visible()


def test_the_worst_service_comes_first_and_leads_to_its_operations(shop_site: Site, page: Page) -> None:
    page.goto(f"{shop_site.url}/ui/services")
    first = page.locator("tbody tr").first
    expect(first.locator(".wrong")).to_contain_text("%")
    expect(page.locator("tbody tr").last.locator(".wrong")).to_have_count(0)
    page.get_by_role("link", name="payment").click()
    expect(page.get_by_role("heading", name="Services / payment")).to_be_visible()
    expect(page.locator("tbody tr").first).to_contain_text("POST /charge")


def test_a_point_leads_to_the_traces_behind_it(shop_site: Site, page: Page) -> None:
    page.goto(f"{shop_site.url}/ui/services?service=payment")
    errors = page.locator("tbody tr").first.locator(".chart.fails a").last
    errors.locator(".point").click(force=True)
    expect(page).to_have_url(re.compile("/ui/search"))
    expect(page.get_by_role("combobox", name="TraceQL query")).to_have_value(
        '{ resource.service.name = "payment" && name = "POST /charge" && status = error }'
    )
    expect(page.locator(".results tbody tr").first).to_contain_text("POST /order")


@pytest.mark.parametrize("path", ["map", "services"])
def test_nothing_sent_says_what_to_do(site: Site, page: Page, path: str) -> None:
    page.goto(f"{site.url}/ui/{path}")
    expect(page.locator(".empty")).to_contain_text("./spandrel demo")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["map", "services", "services?service=payment"])
def test_axe_finds_nothing_serious(shop_site: Site, page: Page, path: str, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{shop_site.url}/ui/{path}")
    expect(page.locator(".card, tbody tr").first).to_be_visible()
    found = [rule for rule in Axe().run(page).response["violations"] if rule["impact"] in {"serious", "critical"}]
    assert not found, [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found]
