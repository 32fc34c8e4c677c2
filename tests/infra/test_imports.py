"""Which modules a package carries: those that are imported, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra import imports

TREE = {
    "greet/__init__.py": "",
    "greet/handler.py": "import json\nfrom words.verbs import hello\nfrom .reply import answer\n",
    "greet/reply.py": "def answer():\n    from words import nouns\n    import numpy.linalg\n    return nouns\n",
    "greet/requirements.txt": "numpy\n",
    "words/__init__.py": "",
    "words/verbs/__init__.py": "from .spoken import hello\n",
    "words/verbs/spoken.py": "from ..sounds import *\nhello = 'hello'\n",
    "words/verbs/irregular.txt": "go went gone\n",
    "words/sounds.py": "",
    "words/nouns.py": "",
    "words/adjectives.py": "import pandas\n",
    "other/__init__.py": "import words.adjectives\n",
}


@pytest.fixture(autouse=True)
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in TREE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(imports, "FUNCTIONS", tmp_path)


def carried() -> set[str]:
    return {path.as_posix() for path in imports.files_of("greet")}


def test_a_function_carries_its_own_modules() -> None:
    assert {"greet/__init__.py", "greet/handler.py", "greet/reply.py"} <= carried()


def test_it_carries_what_it_imports_directly_or_not() -> None:
    assert {"words/verbs/__init__.py", "words/verbs/spoken.py", "words/sounds.py"} <= carried()


def test_imports_inside_of_functions_count() -> None:
    assert "words/nouns.py" in carried()


def test_the_packages_on_the_way_come_too() -> None:
    assert "words/__init__.py" in carried()


def test_data_beside_a_module_comes_too() -> None:
    assert "words/verbs/irregular.txt" in carried()


def test_what_nobody_imports_stays_behind() -> None:
    assert not {"words/adjectives.py", "other/__init__.py", "greet/requirements.txt"} & carried()


def test_strangers_are_named_as_they_are_imported() -> None:
    assert {"json", "numpy.linalg"} <= imports.third_party_of("greet")
    assert not {name for name in imports.third_party_of("greet") if name.startswith(("words", "pandas"))}
