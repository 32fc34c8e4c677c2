"""One headless Chromium and one site a process. Chromium is Debian's; Playwright only drives it."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from commands.shop import Shop
from tests.archive import archive_in
from tests.recorded_traces import SOURCES, moved

from .site import Site, serving

ALONE = (  # asks nobody but the page's own origin
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
PATIENCE_MS = 15_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        if os.environ.get("CI"):
            pytest.fail("there is no Chromium: apt-get install chromium")
        pytest.skip("needs Chromium: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ALONE))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shop_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo's shop, sent through the SDK: `shop.slowest` of it is the slow order."""
    with archive_in(tmp_path_factory.mktemp("site")) as archive, serving(Site(archive)) as site:
        shop = Shop(f"{site.url}/v1/traces", {}, random.Random(3))
        site.orders = shop.open_for(40)
        site.slowest = shop.slowest
        yield site


@pytest.fixture(scope="session")
def every_source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo's shop and what an SDK of each wire format sent, all in the last minutes."""
    with archive_in(tmp_path_factory.mktemp("sources")) as archive, serving(Site(archive)) as site:
        shop = Shop(f"{site.url}/v1/traces", {}, random.Random(3))
        site.orders = shop.open_for(40)
        site.slowest = shop.slowest
        now_ns = time.time_ns()
        for number, source in enumerate(SOURCES):
            archive.add(moved(source, now_ns - (60 + number) * 10**9), received_ns=now_ns)
        yield site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An empty site, for what a test sends itself."""
    with archive_in(tmp_path) as archive, serving(Site(archive)) as site:
        yield site


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that fails the test for any error of a script, any breach of the policy and any stranger it asks."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("request", lambda request: wrong.append(request.url) if not _ours(request.url) else None)
    yield page
    context.close()
    assert not wrong


def _ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "blob:", "data:"))
