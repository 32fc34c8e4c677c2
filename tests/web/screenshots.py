"""`python -m tests.web.screenshots`: the pictures of README, made anew from the demo's shop."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from commands.shop import Shop
from tests.archive import archive_in

from .conftest import ALONE
from .site import Site, serving

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
ORDERS = 300


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        archive_in(Path(folder)) as archive,
        serving(Site(archive)) as site,
        sync_playwright() as playwright,
    ):
        shop = Shop(f"{site.url}/v1/traces", {}, random.Random(7))
        orders = shop.open_for(ORDERS)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(ALONE))
        pages = {
            "search": ("/ui/search?last=15m", ".results tbody tr", "light"),
            "trace": (f"/ui/trace/{shop.slowest}?critical=1", ".row:visible", "light"),
            "compare": (f"/ui/compare?a={orders[-1]}&b={shop.slowest}", "tbody tr", "dark"),
            "map": ("/ui/map", ".card", "light"),
            "services": ("/ui/services?last=15m", "tbody tr", "dark"),
        }
        FOLDER.mkdir(exist_ok=True)
        for name, (path, shown, scheme) in pages.items():
            page = browser.new_page(
                viewport={"width": 1280, "height": 720}, color_scheme="dark" if scheme == "dark" else "light"
            )
            page.goto(site.url + path)
            page.locator(shown).first.wait_for()
            _settle(page)
            page.screenshot(path=FOLDER / f"{name}.png")
            page.close()
        browser.close()


def _settle(page: Page) -> None:
    """Until all that was asked for is drawn."""
    page.wait_for_load_state("networkidle")
    if page.locator(".row").count():
        page.keyboard.press("j")
        page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main()
