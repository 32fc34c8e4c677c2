"""README says what is so: its tables are held to the code that they describe."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from commands.__main__ import COMMANDS
from infra.settings import Settings
from spandrel.model import limits
from spandrel.model.routes import ROUTES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()

OURS = (  # the limits that a user can meet; the others are AWS's or inside
    "BODY_BYTES",
    "DECODED_BODY_BYTES",
    "DECODED_STRUCTS_BYTES",
    "SPANS_MAX",
    "JSON_VALUES_MAX",
    "JSON_OBJECTS_MAX",
    "VALUE_MAX",
    "ANSWER_SPANS_MAX",
    "ANSWER_URL_SECONDS",
    "SEARCH_LIMIT_MAX",
    "SEARCH_WINDOW_MAX_HOURS",
    "METRIC_STEPS_MAX",
    "METRIC_POINTS_MAX",
    "QUERY_BLOCKS_MAX",
    "QUERY_BYTES_MAX",
)


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_every_command_is_listed_as_help_says_it() -> None:
    assert rows("Commands") == [[f"`./spandrel {name}`", line] for name, line in COMMANDS.items()]


def test_every_setting_is_listed_with_its_default_and_meaning() -> None:
    expected = [
        [f"`{name}`", f"`{json.dumps(field.get_default(), default=dict)}`", field.description or ""]
        for name, field in Settings.model_fields.items()
    ]
    assert rows("Deploy it") == expected


def test_every_limit_that_a_user_can_meet_is_listed_with_its_value() -> None:
    listed = dict(rows("Limits"))
    values = {name: getattr(limits, name) for name in OURS}
    for name, value in values.items():
        assert any(shown(name, value) == cell for cell in listed.values()), f"{name} = {shown(name, value)}"
    assert len(listed) == len(values)


def shown(name: str, value: int) -> str:
    if name.endswith(("_BYTES", "_BYTES_MAX")) or name == "VALUE_MAX":
        return f"{value // limits.MIB} MiB" if value >= limits.MIB else f"{value // limits.KIB} KiB"
    unit = {"ANSWER_URL_SECONDS": " s", "SEARCH_WINDOW_MAX_HOURS": " h"}.get(name, "")
    return f"{value:,}{unit}"


def test_every_path_that_readme_names_is_routed_and_with_that_scope() -> None:
    for what, _, scope in rows("Ask for traces"):
        method, path = what.strip("`").split(" ")
        assert matching(method, path) == {scope or None}, what


def matching(method: str, path: str) -> set[str | None]:
    found = [route for route in ROUTES if route.method == method and re.fullmatch(_pattern(route.path), path)]
    most_exact = max(found, key=lambda route: len(route.path.replace("{proxy+}", "")))
    return {most_exact.scope}


def _pattern(path: str) -> str:
    return re.sub(r"\{\w+\}", "[^/]+", path.replace("{proxy+}", ".+"))


@pytest.mark.parametrize(
    "page", ["README.md", "CHANGELOG.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_within_the_project_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text()):
        assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"


def test_a_benchmark_that_readme_quotes_can_be_run() -> None:
    tree = ast.parse((ROOT / "commands" / "bench.py").read_text())
    names = next(n.value for n in ast.walk(tree) if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "NAMES")
    for quoted in re.findall(r"spandrel bench (\w+)", README):
        assert quoted in ast.literal_eval(names)
