"""The map's layout by itself, under Node: what a page of a thousand links would take too long to send."""

from __future__ import annotations

import json
import random
import subprocess
from itertools import combinations
from typing import Any

from infra import node
from infra.paths import WEB


def laid_out(names: list[str], links: list[dict[str, object]]) -> dict[str, dict[str, Any]]:
    """Each name's place."""
    script = (
        f'import {{ laidOut }} from "{(WEB / "map" / "layout.js").as_uri()}";\n'
        f"const {{ places }} = laidOut({json.dumps(names)}, {json.dumps(links)});\n"
        "console.log(JSON.stringify(Object.fromEntries(places)));\n"
    )
    done = subprocess.run(
        [str(node.NODE), "--no-warnings", "--input-type=module", "-"],
        input=script,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def link(parent: str, child: str, calls: int = 1) -> dict[str, object]:
    return {"parent": parent, "child": child, "calls": calls, "errors": 0}


def test_whoever_calls_stands_left_of_whom_it_calls() -> None:
    places = laid_out(["a", "b", "c"], [link("a", "b"), link("b", "c"), link("a", "c")])
    assert places["a"]["x"] < places["b"]["x"] < places["c"]["x"]


def test_of_a_circle_the_link_with_the_least_traffic_goes_backwards() -> None:
    places = laid_out(["a", "b"], [link("b", "a", 1), link("a", "b", 100)])
    assert places["a"]["x"] < places["b"]["x"]


def test_a_service_that_calls_itself_has_a_place() -> None:
    assert laid_out(["a"], [link("a", "a")])["a"]["x"] == 0


def test_a_thousand_links_are_laid_out_and_no_card_covers_another() -> None:
    draw = random.Random(1)
    names = [f"service {number}" for number in range(200)]
    pairs = [draw.sample(names, 2) for _ in range(1000)]
    links = [link(parent, child, draw.randrange(1, 1000)) for parent, child in pairs]
    places = laid_out(names, links)
    assert set(places) == set(names)
    spots = {(place["layer"], place["at"]) for place in places.values()}
    assert len(spots) == len(names)
    for one, other in combinations([place for place in places.values() if place["layer"] == 3], 2):
        assert abs(one["y"] - other["y"]) >= 58
