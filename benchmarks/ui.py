"""`ui`: traces of 1,000, 10,000 and 50,000 spans in headless Chromium: bytes, time to the first rows, frames, memory.

The page is served by the real functions in this process, over blocks in memory; so the time to the first rows has all
of it: the document, its files, the question to `query`, the answer's way, and the drawing. Beside it Jaeger's JSON of
the same trace, which is what other pages load.
"""

from __future__ import annotations

import gzip
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, sync_playwright

from commands.failure import CommandFailed
from spandrel.model.limits import MIB
from tests.archive import archive_in
from tests.web.conftest import ALONE
from tests.web.huge import huge
from tests.web.site import Site, serving

from .figures import Figure, Target

SIZES = (1000, 10_000, 50_000)
PAINT_MS = Target("at most", 1000)
FRAME_MS = Target("at most", 20)
RUNS = 3
FRAMES = 180

# Frames until the first rows are painted, and frames while the waterfall scrolls, by the browser's own clock.
WATCH = """
window.painted = new Promise(done => {
  const look = () => document.querySelector(".row .name")?.textContent
    ? requestAnimationFrame(() => setTimeout(() => done(performance.now()))) : requestAnimationFrame(look);
  requestAnimationFrame(look);
});
"""
SCROLL = """frames => new Promise(done => {
  const grid = document.querySelector(".waterfall");
  const times = [];
  let before = performance.now();
  const step = now => {
    times.push(now - before);
    before = now;
    grid.scrollTop = (grid.scrollTop + 311) % Math.max(1, grid.scrollHeight - grid.clientHeight);
    times.length < frames ? requestAnimationFrame(step) : done(times.slice(5));
  };
  requestAnimationFrame(step);
})"""


def figures() -> Iterator[Figure]:
    """By the size of the trace; targets at the largest."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        raise CommandFailed("this needs Chromium: apt-get install chromium")
    with (
        tempfile.TemporaryDirectory() as folder,
        archive_in(Path(folder), cap_bytes=500 * MIB, memory_bytes=1500 * MIB) as archive,
        serving(Site(archive)) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=found, args=[*ALONE, "--enable-precise-memory-info", "--js-flags=--expose-gc"]
        )
        for number, spans in enumerate(SIZES):
            requests = huge(spans, seed=number)
            archive.add(*requests, received_ns=time.time_ns())
            trace_id = requests[0].resource_spans[0].scope_spans[0].spans[0].trace_id.hex()
            yield from _of_trace(browser, site, trace_id, spans)
        browser.close()


def _of_trace(browser: Browser, site: Site, trace_id: str, spans: int) -> Iterator[Figure]:
    largest = spans == SIZES[-1]
    told = f"{spans:,} spans"
    columns = _body(f"{site.url}/api/ui/traces/{trace_id}")
    yield Figure("ui", f"{told}: as columns", len(columns) / 1000, "kB")
    yield Figure("ui", f"{told}: as columns, gzip'd", len(gzip.compress(columns, 5)) / 1000, "kB")
    yield Figure("ui", f"{told}: as Jaeger's JSON", len(_body(f"{site.url}/api/traces/{trace_id}")) / 1000, "kB")
    painted, frames, heap = [], [], []
    for _ in range(RUNS):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(f"{site.url}/ui/trace/{trace_id}", wait_until="commit")
        painted.append(page.evaluate("window.painted"))
        frames += page.evaluate(SCROLL, FRAMES)
        heap.append(page.evaluate("gc(), performance.memory.usedJSHeapSize"))
        context.close()
    paint = statistics.median(painted)
    yield Figure("ui", f"{told}: from the address to the first rows", paint, "ms", PAINT_MS if largest else None)
    p95 = statistics.quantiles(frames, n=20)[-1]
    yield Figure("ui", f"{told}: a frame while scrolling, 95th percentile", p95, "ms", FRAME_MS if largest else None)
    yield Figure("ui", f"{told}: memory of the page's objects", statistics.median(heap) / MIB, "MiB")


def _body(url: str) -> bytes:
    """What travels compressed, as it was before: uncompressed a large answer would be a link to a bucket."""
    with urlopen(Request(url, headers={"accept-encoding": "gzip"})) as response:
        body: bytes = response.read()
        return gzip.decompress(body) if response.headers["content-encoding"] == "gzip" else body
