"""Why Node or npm could not do it is told in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra import node


def test_packages_that_cannot_be_had_are_told_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "CACHE", tmp_path / "kept")
    for name, value in {"registry": "http://127.0.0.1:9", "cache": str(tmp_path), "fetch_retries": "0"}.items():
        monkeypatch.setenv(f"npm_config_{name}", value)
    pinned = tmp_path / "pinned"
    pinned.mkdir()
    named = {"name": "pinned", "dependencies": {"zipkin": "0.22.0"}}
    zipkin = {"version": "0.22.0", "integrity": "sha512-AAAA"}
    lock = {"name": "pinned", "lockfileVersion": 3, "packages": {"": named, "node_modules/zipkin": zipkin}}
    (pinned / "package.json").write_text(json.dumps(named))
    (pinned / "package-lock.json").write_text(json.dumps(lock))
    with pytest.raises(node.NodeFailed, match="zipkin failed, reason: connect ECONNREFUSED"):
        node.install(pinned)
    with pytest.raises(node.NodeFailed):
        node.install(pinned)  # what did not come is not taken for there


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("throw new RangeError('too far')", "^RangeError: too far$"),
        ("console.error('first\\nlast'); process.exit(2)", "^last$"),
        ("process.exit(3)", "^exit code 3$"),
    ],
)
def test_a_script_that_fails_is_told_by_its_error_or_its_last_line(tmp_path: Path, script: str, why: str) -> None:
    (tmp_path / "script.mjs").write_text(script)
    with pytest.raises(node.NodeFailed, match=why):
        node.run(str(tmp_path / "script.mjs"))
