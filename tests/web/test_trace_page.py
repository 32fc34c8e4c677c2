from __future__ import annotations

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from playwright.sync_api import Page, expect

from tests.builders import request_of, span

from .huge import huge
from .site import Site

MS = 10**6
TRACE = bytes.fromhex("5b8efff798038103d269b633813fc60c")
NOW_NS = time.time_ns() // MS * MS


def part(
    name: str, parent: str = "", *, start_ms: int = 0, ms: int = 10, failed: bool = False, service: str = "shop"
) -> tuple[str, Span]:
    """A span of the trace, in a service."""
    parent_id = span(parent).span_id if parent else b""
    made = span(name, trace_id=TRACE, parent=parent_id, start_ns=NOW_NS + start_ms * MS, duration_ns=ms * MS)
    if failed:
        made.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message="card declined"))
    return service, made


def given(site: Site, *parts: tuple[str, Span]) -> str:
    """The parts as a trace of the site, and its page."""
    site.archive.add(*[request_of(made, service=service) for service, made in parts], received_ns=NOW_NS)
    return f"{site.url}/ui/trace/{TRACE.hex()}"


def rows(page: Page) -> list[str]:
    """The names in sight, from top to bottom."""
    shown = page.locator(".row:visible")
    expect(shown.first).to_be_visible()
    named = shown.evaluate_all("rows => rows.map(row => [row.ariaRowIndex, row.querySelector('.name').textContent])")
    return [name for _, name in sorted(named, key=lambda pair: int(pair[0]))]


def a_failing_order(site: Site) -> str:
    return given(
        site,
        part("POST /order", ms=100, failed=True),
        part("check stock", "POST /order", start_ms=5, ms=20, service="stock"),
        part("charge", "POST /order", start_ms=30, ms=60, failed=True, service="payment"),
        part("call bank", "charge", start_ms=35, ms=50, failed=True, service="bank"),
        part("log", "charge", start_ms=86, ms=2, service="payment"),
    )


def test_the_answers_come_first(site: Site, page: Page) -> None:
    page.goto(a_failing_order(site))
    answers = page.locator(".answers")
    expect(answers).to_contain_text("shop: POST /order")
    for fact in ("100 ms", "5 spans", "4 services", "3 errors", TRACE.hex()):
        expect(answers).to_contain_text(fact)
    expect(answers.locator(".legend li").first).to_contain_text("bank 50 %")
    expect(page).to_have_title("shop: POST /order – Spandrel")


def test_spans_stand_below_their_parents_in_the_order_of_their_starts(site: Site, page: Page) -> None:
    page.goto(a_failing_order(site))
    assert rows(page) == ["POST /order", "check stock", "charge", "call bank", "log"]
    levels = page.locator(".row:visible").evaluate_all("rows => rows.map(row => row.getAttribute('aria-level'))")
    assert sorted(levels) == ["1", "2", "2", "3", "3"]


def test_only_the_span_where_an_error_began_is_marked_and_those_above_are_badged(site: Site, page: Page) -> None:
    page.goto(a_failing_order(site))
    expect(page.locator(".row.failed")).to_have_count(1)
    expect(page.locator(".row.failed .name")).to_have_text("call bank")
    expect(page.locator(".row", has_text="POST /order").locator(".badge")).to_have_text("2 ⚠")


def test_keys_move_fold_and_jump_to_the_error(site: Site, page: Page) -> None:
    page.goto(a_failing_order(site))
    expect(page.locator(".row").first).to_be_visible()
    selected = page.locator(".row[aria-selected=true] .name")
    for key, name in [
        ("j", "POST /order"),
        ("ArrowDown", "check stock"),
        ("j", "charge"),
        ("ArrowRight", "call bank"),
        ("ArrowLeft", "charge"),
        ("k", "check stock"),
        ("e", "call bank"),
        ("ArrowUp", "charge"),
    ]:
        page.keyboard.press(key)
        expect(selected).to_have_text(name)
    page.keyboard.press("ArrowLeft")
    assert rows(page) == ["POST /order", "check stock", "charge"]
    expect(page.locator(".row[aria-selected=true]")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    assert len(rows(page)) == 5
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("next error")


def test_a_span_says_all_it_has_in_the_panel(site: Site, page: Page) -> None:
    made = span("query", trace_id=TRACE, start_ns=NOW_NS, attributes={"db.system": "postgresql", "rows": 7, "ok": True})
    made.events.add(name="retried", time_unix_nano=NOW_NS + MS // 2)
    made.links.add(trace_id=bytes(15) + b"\7", span_id=bytes(7) + b"\1")
    page.goto(given(site, ("db", made)))
    page.locator(".row", has_text="query").click()
    panel = page.get_by_role("complementary")
    for text in ("postgresql", "rows", "7", "true", "retried", "+500 µs", "service.name", "0000000000000007"):
        expect(panel).to_contain_text(text)
    link = panel.get_by_role("link", name="0007 / ")
    assert str(link.get_attribute("href")).startswith("/ui/trace/00000000000000000000000000000007?span=")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_every_state_is_in_the_address(site: Site, page: Page) -> None:
    address = a_failing_order(site)
    page.goto(address)
    page.locator(".row", has_text="check stock").click()
    page.keyboard.press("e")
    page.keyboard.press("c")
    page.keyboard.press("z")
    page.locator(".axis span").first.wait_for()
    page.keyboard.press("/")
    page.keyboard.type("bank")
    expect(page.locator(".tools [role=status]")).to_have_text("1 span")
    kept = page.url
    page.goto("about:blank")
    page.goto(kept)
    expect(page.locator(".row[aria-selected=true] .name")).to_have_text("call bank")
    expect(page.locator("input[name=critical]")).to_be_checked()
    expect(page.locator(".row.found .name")).to_have_text("call bank")
    expect(page.locator(".critical").first).to_be_attached()
    expect(page.locator(".axis span").first).to_have_text("32.5 ms")
    page.locator("body").click()
    page.keyboard.press("0")
    expect(page.locator(".axis span").first).to_have_text("0 µs")


def test_siblings_that_repeat_are_one_row_until_opened(site: Site, page: Page) -> None:
    calls = [span(f"n{n}", trace_id=TRACE, parent=span("list").span_id, start_ns=NOW_NS + n * MS) for n in range(30)]
    for call in calls:
        call.name = "SELECT item"
    page.goto(given(site, part("list", ms=40), *[("db", call) for call in calls]))
    assert rows(page) == ["list", "SELECT item × 30"]
    page.locator(".row", has_text="SELECT item").locator(".fold").click()
    expect(page.locator(".row", has_text="SELECT item × 30")).to_have_count(0)
    assert len(rows(page)) > 20


def test_a_missing_parent_and_clocks_that_differ_are_said(site: Site, page: Page) -> None:
    orphan = span("orphan", trace_id=TRACE, parent=b"missing!", start_ns=NOW_NS)
    page.goto(given(site, part("root"), part("early", "root", start_ms=-3, service="other"), ("shop", orphan)))
    expect(page.locator(".answers")).to_contain_text("1 span whose parent is not in the trace")
    expect(page.locator(".answers")).to_contain_text("clocks differ")
    expect(page.locator(".row", has_text="orphan").locator(".badge")).to_contain_text("no parent")


def test_idle_gaps_can_be_folded(site: Site, page: Page) -> None:
    page.goto(given(site, part("send"), part("receive", start_ms=10_000)))
    received = page.locator(".row", has_text="receive").locator(".bar-of-span")
    before = received.bounding_box()
    page.get_by_label("fold idle gaps").check()
    expect(page.locator("input[name=gaps]")).to_be_checked()
    after = received.bounding_box()
    assert before
    assert after
    assert after["width"] > 20 * before["width"]


def test_operations_and_flame_graph_lead_back_to_the_span(site: Site, page: Page) -> None:
    page.goto(a_failing_order(site))
    page.get_by_role("tab", name="Operations").click()
    first = page.locator(".statistics tbody tr").first
    expect(first).to_contain_text("call bank")
    expect(first).to_contain_text("50 ms")
    first.get_by_role("button").click()
    expect(page.locator(".row[aria-selected=true] .name")).to_have_text("call bank")
    page.get_by_role("tab", name="Flame graph").click()
    page.locator(".flame canvas").hover(position={"x": 300, "y": 10})
    expect(page.locator(".flame .tip")).to_contain_text("POST /order")
    page.locator(".flame canvas").click(position={"x": 300, "y": 10})
    expect(page.locator(".row[aria-selected=true] .name")).to_have_text("POST /order")


def test_a_trace_that_is_not_there_says_so_and_what_to_do(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/ui/trace/{TRACE.hex()}")
    expect(page.get_by_role("heading")).to_have_text("Not found")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_key_is_asked_for_where_one_is_needed_and_kept_for_the_session(site: Site, page: Page) -> None:
    address = a_failing_order(site)
    site.key = "sp_secret"
    page.goto(address)
    page.get_by_label("API key").fill("wrong")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading")).to_have_text("This key does not open that")
    page.get_by_label("API key").fill("sp_secret")
    page.get_by_role("button", name="Open").click()
    expect(page.locator(".answers")).to_contain_text("5 spans")
    page.reload()
    expect(page.locator(".answers")).to_contain_text("5 spans")
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["", "?view=flame", "?view=operations"])
def test_axe_finds_nothing_serious(site: Site, page: Page, scheme: str, state: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(a_failing_order(site) + state)
    expect(page.locator(".answers")).to_be_visible()
    if not state:
        page.keyboard.press("e")
        expect(page.get_by_role("complementary")).to_contain_text("card declined")
    found = [rule for rule in Axe().run(page).response["violations"] if rule["impact"] in {"serious", "critical"}]
    assert not found, [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found]


def test_of_a_trace_of_ten_thousand_spans_only_the_rows_in_sight_exist(site: Site, page: Page) -> None:
    requests = huge(10_000)
    site.archive.add(*requests, received_ns=time.time_ns())
    trace_id = requests[0].resource_spans[0].scope_spans[0].spans[0].trace_id.hex()
    page.goto(f"{site.url}/ui/trace/{trace_id}")
    expect(page.locator(".answers")).to_contain_text("10\u202f000 spans")
    before = page.locator(".row").count()
    assert before < 80
    page.locator(".waterfall").evaluate("grid => { grid.scrollTop = grid.scrollHeight / 2 }")
    expect(page.locator(".row:visible").first).to_be_visible()
    assert page.locator(".row").count() <= before + 20


def test_a_part_of_the_minimap_that_is_dragged_over_is_what_the_waterfall_shows(site: Site, page: Page) -> None:
    page.goto(a_failing_order(site))
    box = page.locator(".minimap").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 20, steps=3)
    page.mouse.up()
    expect(page.locator(".axis span").first).to_have_text(re.compile("^2[45]"))
    assert "from=2" in page.url
    page.locator(".minimap").dblclick()
    expect(page.locator(".axis span").first).to_have_text("0 µs")


def test_only_what_matches_is_left_with_what_leads_to_it(site: Site, page: Page) -> None:
    page.goto(a_failing_order(site) + "?find=bank&only=1")
    expect(page.locator(".row.found .name")).to_have_text("call bank")
    assert rows(page) == ["POST /order", "charge", "call bank"]


@pytest.mark.parametrize(
    ("title", "holds"), [("OTLP", "resourceSpans"), ("Jaeger", "processes"), ("Zipkin", "localEndpoint")]
)
def test_a_trace_can_be_downloaded_for_other_tools(site: Site, page: Page, title: str, holds: str) -> None:
    page.goto(a_failing_order(site))
    with page.expect_download() as coming:
        page.get_by_role("button", name=title, exact=True).click()
    assert coming.value.suggested_filename == f"trace-{TRACE.hex()}.{title.lower()}.json"
    assert holds in coming.value.path().read_text()
