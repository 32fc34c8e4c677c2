from __future__ import annotations

import subprocess
from collections.abc import Mapping

import pytest

from infra import node
from show.joined import joined


def said(modules: Mapping[str, str]) -> str:
    """What the joined modules print."""
    done = subprocess.run(
        [str(node.NODE), "--input-type=module", "-"],
        input=joined(modules, "main.js"),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_what_modules_export_is_what_others_import_under_the_name_they_give_it() -> None:
    modules = {
        "main.js": 'import { twice, ROOT as BASE } from "./deep/sums.js";\nimport { Box } from "./box.js";\n'
        "const twiceAs = 1;\nconsole.log(twice(BASE), new Box().size, twiceAs);\n",
        "deep/sums.js": 'import { add } from "../box.js";\nexport const ROOT = 4;\n'
        "export function twice(x) {\n  return add(x, x);\n}\n",
        "box.js": "export class Box {\n  size = 3;\n}\nexport function add(a, b) {\n  return a + b;\n}\n",
    }
    assert said(modules) == "8 3 1"


def test_a_module_runs_once_and_before_those_that_import_it() -> None:
    modules = {
        "main.js": 'import { a } from "./a.js";\nimport { b } from "./b.js";\nconsole.log("main", a, b);\n',
        "a.js": 'import { b } from "./b.js";\nexport const a = b + 1;\nconsole.log("a");\n',
        "b.js": 'export const b = 1;\nconsole.log("b");\n',
    }
    assert said(modules).split("\n") == ["b", "a", "main 2 1"]


def test_names_of_one_module_are_not_seen_by_another() -> None:
    modules = {
        "main.js": 'import { one } from "./a.js";\nconst hidden = "main";\nconsole.log(hidden, one(), typeof other);\n',
        "a.js": 'const hidden = "a", other = 1;\nexport function one() {\n  return hidden;\n}\n',
    }
    assert said(modules) == "main a undefined"


@pytest.mark.parametrize(
    ("modules", "why"),
    [
        ({"main.js": 'import { a } from "./a.js";\n'}, "is not there"),
        ({"main.js": 'import { a } from "./a.js";\n', "a.js": 'import { b } from "./main.js";\n'}, "in a circle"),
        ({"main.js": 'import * as a from "./a.js";\n', "a.js": ""}, "cannot be joined"),
        ({"main.js": "export default 1;\n"}, "cannot be joined"),
    ],
)
def test_what_cannot_be_joined_is_refused(modules: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        joined(modules, "main.js")
