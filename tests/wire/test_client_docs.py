"""docs/wire.md: the table of the clients that are tested."""

from __future__ import annotations

import json
import re

from infra.paths import ROOT

from . import client_programs


def test_the_clients_for_node_have_the_versions_that_the_tests_install() -> None:
    (row,) = re.findall(r"^\| for Node: .*$", (ROOT / "docs" / "wire.md").read_text(), re.MULTILINE)
    told = dict(re.findall(r"([@\w/-]+) (\d+\.\d+\.\d+)", row))
    installed = json.loads((client_programs.NODE / "package.json").read_text())["dependencies"]
    assert told == {name: installed.get(name) for name in told}
    exporters = {name for name in installed if "/exporter-" in name}
    assert set(told) == exporters | {"zipkin", "jaeger-client"}
