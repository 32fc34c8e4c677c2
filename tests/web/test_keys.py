"""The keys that other tests of the pages do not press."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from .site import Site


def test_keys_of_the_search_sort_search_again_and_go_live(shop_site: Site, page: Page) -> None:
    page.goto(f"{shop_site.url}/ui/search")
    expect(page.locator(".results tbody tr").first).to_be_visible()
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile("order=slowest"))
    page.keyboard.press("s")
    expect(page).not_to_have_url(re.compile("order=slowest"))
    page.keyboard.press("l")
    expect(page.get_by_label("live")).to_be_checked()
    page.keyboard.press("l")
    expect(page.get_by_label("live")).not_to_be_checked()
    before = len([line for line in shop_site.asked if "/api/ui/search" in line])
    page.keyboard.press("r")
    expect(page.locator(".results tbody tr").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert len([line for line in shop_site.asked if "/api/ui/search" in line]) > before
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="TraceQL query")).to_be_focused()


def test_x_swaps_the_traces_that_are_compared(shop_site: Site, page: Page) -> None:
    one, other = shop_site.orders[0], shop_site.orders[1]
    page.goto(f"{shop_site.url}/ui/compare?a={one}&b={other}")
    expect(page.locator("tbody tr").first).to_be_visible()
    page.keyboard.press("x")
    expect(page).to_have_url(f"{shop_site.url}/ui/compare?a={other}&b={one}")


def test_h_and_l_move_between_parent_and_child(shop_site: Site, page: Page) -> None:
    page.goto(f"{shop_site.url}/ui/trace/{shop_site.slowest}")
    expect(page.locator(".row").first).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("l")
    level = page.locator(".row[aria-selected=true]")
    expect(level).to_have_attribute("aria-level", "2")
    page.keyboard.press("h")
    page.keyboard.press("h")
    expect(page.locator(".row[aria-selected=true]")).to_have_attribute("aria-level", "1")


def test_escape_leads_back_from_a_service_to_all(shop_site: Site, page: Page) -> None:
    page.goto(f"{shop_site.url}/ui/services?service=payment")
    expect(page.get_by_role("heading", name="Services / payment")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Services", exact=True)).to_be_visible()
