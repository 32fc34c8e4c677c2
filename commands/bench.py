"""Measures what README promises, and prints it: speed, size and cost, each beside a yardstick of the same run.

The figures are of this machine at this moment; compare within a run. A missed target makes the exit code 1.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

from benchmarks.figures import Figure, as_objects, as_table

NAMES = (
    "store",
    "receive",
    "wire",
    "compact",
    "search",
    "cost",
    "layout",
    "lookup",
    "index",
    "up",
    "ui",
    "traceql",
    "links",
    "apis",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as a list of objects")


def run(arguments: argparse.Namespace) -> int:
    unknown = sorted(set(arguments.names) - set(NAMES))
    if unknown:
        print(f"spandrel bench: no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in arguments.names or NAMES:
        print(f"spandrel bench: {name}", file=sys.stderr, flush=True)
        figures += importlib.import_module(f"benchmarks.{name}").figures()
    print(as_table(figures))
    if arguments.json:
        arguments.json.write_text(json.dumps(as_objects(figures), indent=1) + "\n")
    return 1 if any(figure.holds is False for figure in figures) else 0
