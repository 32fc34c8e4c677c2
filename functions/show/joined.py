"""Modules of a page as one: a new account has ten Lambda functions at a time, and a browser that finds twenty modules
asks for them all at once.

Each module becomes a function that is called once, in the order of their imports, so that names stay apart. Of what
modules can say, that is what ours do: named imports, and exports where something is declared.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_AS = re.compile(r"(?<=\w) as (?=\w)")
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def joined(modules: Mapping[str, str], entry: str) -> str:
    """Modules by their paths -> one that does what the entry and all that it imports do.

    ValueError for a module that is not there, an import that leads round in a circle, or a way of importing or
    exporting that is not known here.
    """
    order: list[str] = []
    _visit(entry, modules, order, ())
    names = {path: f"$module{number}" for number, path in enumerate(order)}
    return "".join(_wrapped(path, modules[path], names) for path in order)


def _visit(path: str, modules: Mapping[str, str], order: list[str], way: tuple[str, ...]) -> None:
    if path in order:
        return
    if path in way or path not in modules:
        raise ValueError(
            f"{' -> '.join((*way, path))} " + ("goes round in a circle" if path in way else "is not there")
        )
    for _, target in _imports(path, modules[path]):
        _visit(target, modules, order, (*way, path))
    order.append(path)


def _imports(path: str, source: str) -> Iterator[tuple[str, str]]:
    """What is imported, as it is written, and the path of the module it comes from."""
    for found in _IMPORT.finditer(source):
        yield found[1], posixpath.normpath(posixpath.join(posixpath.dirname(path), found[2]))


def _wrapped(path: str, source: str, names: Mapping[str, str]) -> str:
    imports = "".join(
        f"const {{{_AS.sub(': ', what)}}} = {names[target]};\n" for what, target in _imports(path, source)
    )
    exports = ", ".join(found[1] for found in _EXPORT.finditer(source))
    body = _EXPORT.sub("", _IMPORT.sub("", source))
    if other := _OTHER.search(body):
        raise ValueError(f"{path}: {other[0]!r} cannot be joined")
    return f"// {path}\nconst {names[path]} = (() => {{\n{imports}{body}\nreturn {{ {exports} }};\n}})();\n"
