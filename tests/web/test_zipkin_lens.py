"""Zipkin Lens itself on every one of its pages, below /zipkin of the address that answers it."""

from __future__ import annotations

import base64
import mimetypes
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, Response, expect

from spandrel.http.response import Answer
from tests.recorded_traces import SOURCES, decoded, spans_of
from tests.serving import served

from .lens import lens_files
from .site import Site

NOT_FILES = ("zipkin/api/", "zipkin/config.json")


@pytest.fixture(scope="session")
def lens(every_source: Site) -> Iterator[str]:
    """The address of Lens, before the demo's shop and the traces of every source."""
    if not shutil.which("mvn"):
        if os.environ.get("CI"):
            pytest.fail("there is no Maven: apt-get install maven")
        pytest.skip("needs Maven: apt-get install maven")
    with below_zipkin(every_source) as url:
        yield url


@contextmanager
def below_zipkin(site: Site) -> Iterator[str]:
    """Lens' files, and any page of it by its path, beside what the site answers."""
    files = lens_files()

    def answered(method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        path = target.partition("?")[0].removeprefix("/")
        if not path.startswith("zipkin") or path.startswith(NOT_FILES):
            return site.answer(method, target, headers, body)
        name = path.removeprefix("zipkin").removeprefix("/")
        name = name if name in files else "index.html"
        said = {"content-type": mimetypes.guess_type(name)[0] or "application/octet-stream"}
        return {
            "statusCode": 200,
            "headers": said,
            "body": base64.b64encode(files[name]).decode(),
            "isBase64Encoded": True,
        }

    with served(answered) as url:
        yield f"{url}/zipkin"


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page that also fails the test for any answer of the API but 200."""
    refused: list[str] = []

    def look(answer: Response) -> None:
        if "/api/" in answer.url and answer.status != 200:
            refused.append(f"{answer.status} {answer.url}")

    page.on("response", look)
    yield page
    assert not refused


def search(lens: str, **criteria: str | int) -> str:
    """The address of a search, which Lens runs at once."""
    times = {"lookback": "1h", "limit": 10, "endTs": int(time.time() * 1000)}
    return f"{lens}/?{urlencode({**times, **criteria})}"


def test_the_form_offers_services_of_every_source_and_searches_nothing_yet(
    lens: str, every_source: Site, page: Page
) -> None:
    every_source.asked.clear()
    page.goto(f"{lens}/")
    expect(page.get_by_text("Please select criteria in the search bar")).to_be_visible()
    page.get_by_test_id("add-button").click()
    page.get_by_text("serviceName").click()
    for service in ("backend-py", "checkout-js", "checkout-xray", "frontend", "frontend-js", "jc-js", "pg"):
        expect(page.get_by_text(service, exact=True)).to_be_visible()
    assert not [asked for asked in every_source.asked if "/traces" in asked]


@pytest.mark.parametrize(
    ("criteria", "spans"),
    [
        ({"serviceName": "frontend", "spanName": "post /order", "minDuration": "200ms", "maxDuration": "20s"}, {14}),
        ({"serviceName": "payment", "remoteServiceName": "api.bank.example"}, {11, 14}),
        ({"annotationQuery": "http.request.method=POST and db.system.name=postgresql"}, {14}),
        ({"serviceName": "payment", "spanName": "post /charge", "annotationQuery": "error"}, {11}),
    ],
    ids=["service, span and durations", "remote service", "tags", "failed"],
)
def test_a_search_lists_the_traces_it_finds(lens: str, page: Page, criteria: dict[str, str], spans: set[int]) -> None:
    page.goto(search(lens, **criteria))
    rows = page.get_by_role("row").filter(has_text="frontend: post /order")
    expect(rows.first).to_be_visible()
    listed = [int(cell) for cell in rows.evaluate_all("rows => rows.map(row => row.cells[3].innerText)")]
    assert len(listed) <= 10
    assert set(listed) == spans


@pytest.mark.parametrize("source", SOURCES)
def test_a_trace_of_any_source_is_drawn_whole(lens: str, page: Page, source: str) -> None:
    whole = spans_of(decoded(source))
    trace_id = max(whole, key=lambda one: len(one.name)).trace_id
    sent = [one for one in whole if one.trace_id == trace_id]
    page.goto(f"{lens}/traces/{trace_id.hex()}")
    expect(page.get_by_text("Total Spans").locator("..")).to_contain_text(str(len(sent)))
    for one in sent[:10]:
        expect(page.locator("body")).to_contain_text(f": {one.name.lower()}")


def test_a_trace_shows_its_services_its_durations_and_the_tags_of_a_span(
    lens: str, every_source: Site, page: Page
) -> None:
    page.goto(f"{lens}/traces/{every_source.slowest}")
    expect(page.get_by_text("payment: post /charge")).to_be_visible()
    expect(page.get_by_text("shipping: orders process")).to_be_visible()
    page.get_by_text("postgres.shop: insert orders").click()
    expect(page.locator("body")).to_contain_text("INSERT INTO orders (user_id, total) VALUES ($1, $2)")


def test_the_dependencies_have_a_node_for_each_service(lens: str, page: Page) -> None:
    now_ms = int(time.time() * 1000)
    page.goto(f"{lens}/dependency?startTime={now_ms - 3_600_000}&endTime={now_ms}")
    expect(page.locator("canvas").first).to_be_visible()
    page.get_by_placeholder("Select...").click()
    nodes = page.get_by_role("option")
    expect(nodes.filter(has_text="api.bank.example")).to_have_count(1)
    named = set(nodes.all_inner_texts())
    assert {
        "frontend",
        "cart",
        "checkout",
        "payment",
        "postgresql",
        "kafka",
        "shipping",
        "shop",
        "pg",
        "users",
    } <= named


def test_a_trace_that_was_saved_is_drawn_from_its_file(
    lens: str, every_source: Site, page: Page, tmp_path: Path
) -> None:
    saved = tmp_path / "trace.json"
    with urlopen(f"{lens}/api/v2/trace/{every_source.slowest}") as answer:
        saved.write_bytes(answer.read())
    page.goto(f"{lens}/")
    page.locator("input[type=file]").set_input_files(saved)
    expect(page.get_by_text("checkout: post /checkout")).to_be_visible()
    expect(page.get_by_text("Total Spans").locator("..")).to_contain_text("14")
