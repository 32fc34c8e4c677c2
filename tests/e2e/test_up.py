from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.running import DESCRIPTION
from commands.shop import SERVICES
from infra.exclusive import exclusively

from .http import ask

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """`up` says in one file of the checkout where it is, so tests of it go one after the other."""
    with exclusively(DESCRIPTION.parent / "tests-of-up"):
        yield


class Up:
    """`./spandrel up` as a process, as a shell would start it; with a folder whose modules come before all others."""

    def __init__(self, *arguments: str, shadow: Path | None = None) -> None:
        path = [*([str(shadow)] if shadow else []), str(ROOT), str(ROOT / "functions")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "commands", "up", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        self._said = ""

    def url(self) -> str:
        """Waits for the ready line, and gives the address in it."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready http://127.0.0.1:"), self.end()
        return line.removeprefix("ready ").rstrip("\n")

    def wait_until_it_says(self, text: str) -> None:
        assert self.process.stderr is not None
        while text not in self._said:
            line = self.process.stderr.readline()
            assert line, f"it ended without saying {text!r}: {self._said}"
            self._said += line

    def end(self, by: signal.Signals | None = None) -> tuple[int, str, str]:
        """(exit code, what else came on stdout, all that came on stderr)"""
        if by is not None:
            self.process.send_signal(by)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, self._said + err

    def descendants(self) -> set[int]:
        return _descendants(self.process.pid)


@contextlib.contextmanager
def up(*arguments: str, port: int = 0, shadow: Path | None = None) -> Iterator[Up]:
    running = Up("--port", str(port), *arguments, shadow=shadow)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Another command of ./spandrel, in a second terminal."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "functions")])
    return subprocess.run(
        [sys.executable, "-m", "commands", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )


def _descendants(pid: int) -> set[int]:
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, table.splitlines())}
    found, before = {pid}, set[int]()
    while found != before:
        before = set(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found - {pid}


def assert_gone(pids: set[int], within_s: float = 5) -> None:
    deadline_s = time.monotonic() + within_s
    left = set(pids)
    while left and time.monotonic() < deadline_s:
        left = {pid for pid in left if _is_alive(pid)}
        time.sleep(0.02)
    assert not left


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop_and_leaves_nothing_behind(by: signal.Signals) -> None:
    with up() as running:
        url = running.url()
        assert ask(url, "GET", "/health").status == 200
        assert json.loads(DESCRIPTION.read_text())["api"] == url
        started = running.descendants()
        assert len(started) >= 4
        code, out, err = running.end(by)
    assert (code, out) == (0, "")
    assert "Traceback" not in err
    assert_gone(started)
    assert not DESCRIPTION.exists()
    with pytest.raises(ConnectionRefusedError):
        ask(url, "GET", "/health")


@pytest.mark.parametrize("step", ["synthesising the template", "creating the stack", "starting the functions"])
def test_it_can_be_stopped_while_it_starts(step: str) -> None:
    with up() as running:
        running.wait_until_it_says(step)
        started = running.descendants()
        code, out, err = running.end(signal.SIGTERM)
        left = started | running.descendants()
    assert (code, out) == (0, "")
    assert "Traceback" not in err
    assert_gone(left)


def test_its_functions_end_when_it_is_killed() -> None:
    with up() as running:
        running.url()
        started = running.descendants()
        assert len(started) >= 4
        running.process.kill()
        assert_gone(started)


def test_a_busy_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with up(port=port) as running:
            code, out, err = running.end()
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        f"spandrel up: port {port} cannot be had (Address already in use); --port N takes another"
    ]


def test_an_incomplete_installation_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "moto.py").write_text("raise ModuleNotFoundError(\"No module named 'moto'\")\n")
    with up(shadow=tmp_path) as running:
        code, out, err = running.end()
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith(f"spandrel up: {sys.prefix} is incomplete (No module named 'moto')")
    assert "Traceback" not in err


def test_with_auth_a_key_is_asked_for_and_one_that_was_made_is_taken() -> None:
    with up("--auth") as running:
        url = running.url()
        assert ask(url, "GET", "/api/v3/services").status == 401
        made = command("key", "create", "--scope", "query")
        key = next(word for word in made.stdout.split() if word.startswith("sp_"))
        assert ask(url, "GET", "/api/v3/services", headers={"x-api-key": key}).status == 200
        assert ask(url, "POST", "/v1/traces", b"", {"x-api-key": key}).status == 403


def test_the_demo_finds_the_stack_by_itself_and_sends_a_shop_with_errors_and_one_slow_order() -> None:
    with up() as running:
        url = running.url()
        told = dict(
            line.split(maxsplit=1) for line in command("demo", "--traces", "40", "--seed", "1").stdout.splitlines()
        )
        slowest = json.loads(ask(url, "GET", told["the"].split()[-1].removeprefix(url)).body)
        services = ask(url, "GET", "/api/v3/services").json["services"]
        links = ask(url, "GET", told["dependencies"].removeprefix(url)).json["data"]
    assert services == sorted(SERVICES)
    assert told["services"] == ", ".join(services)
    spans = [
        span
        for resource in slowest["result"]["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    seconds = [(int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1e9 for span in spans]
    assert max(seconds) > 1
    assert {("frontend", "checkout"), ("checkout", "payment")} <= {(link["parent"], link["child"]) for link in links}
    assert any(link["errorCount"] for link in links)
