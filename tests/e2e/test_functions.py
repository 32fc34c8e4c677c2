from __future__ import annotations

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local.failures import InitFailed
from local.stack import LocalStack

from .http import post_json
from .small import template


def told(stack: LocalStack) -> dict[str, Any]:
    """What the function `echo` knows of itself."""
    answer: dict[str, Any] = post_json(stack.url, "/echo", {}).json
    return answer


def log_of(stack: LocalStack) -> str:
    return stack.log_path.read_text()


def test_a_function_has_the_templates_environment_and_lambdas(small: LocalStack) -> None:
    environment = told(small)["environment"]
    assert environment["COLOUR"] == "blue"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"].startswith("Small-Echo")
    assert environment["_HANDLER"] == "echo.handler.handle"
    assert environment["AWS_ENDPOINT_URL"] == small.aws.endpoint


def test_a_function_has_nothing_of_the_environment_of_this_machine(
    small: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "the-developers-own")
    post_json(small.url, "/echo", {"do": "exit"})
    environment = told(small)["environment"]
    assert not {"AWS_PROFILE", "HOME", "PYTHONPATH"} & environment.keys()


def test_a_function_keeps_its_memory_between_events_and_after_an_error(small: LocalStack) -> None:
    before = told(small)
    post_json(small.url, "/echo", {"do": "raise"})
    after = told(small)
    assert (after["pid"], after["invocations"]) == (before["pid"], before["invocations"] + 2)


def test_a_function_that_crashes_starts_anew_with_the_next_event(small: LocalStack) -> None:
    before = told(small)
    assert post_json(small.url, "/echo", {"do": "exit"}).status == 500
    after = told(small)
    assert after["pid"] != before["pid"]
    assert "Runtime.ExitError" in log_of(small)


def test_a_function_is_ended_at_its_timeout(small: LocalStack) -> None:
    assert post_json(small.url, "/brief", {"do": "sleep", "with": 30}).status == 500
    assert "Task timed out after 1 seconds" in log_of(small)
    assert post_json(small.url, "/brief", {"answer": "as new"}).body == b"as new"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what memory a process takes")
def test_a_function_is_ended_when_it_takes_more_memory_than_it_has(small: LocalStack) -> None:
    assert post_json(small.url, "/echo", {"do": "take memory", "with": 300}).status == 500
    assert "Task took more than 128 MB" in log_of(small)


def test_events_at_the_same_time_run_in_processes_of_their_own(small: LocalStack, tmp_path: Path) -> None:
    meet = {"do": "meet", "with": str(tmp_path)}
    with ThreadPoolExecutor(2) as clients:
        replies = list(clients.map(lambda _: post_json(small.url, "/echo", meet), range(2)))
    assert len({reply.json for reply in replies}) == 2


def test_what_functions_write_is_in_the_log_under_their_label(small: LocalStack) -> None:
    post_json(small.url, "/echo", {"do": "raise"})
    log = log_of(small)
    assert "echo: about to fail\n" in log
    assert re.search(r"echo: REPORT RequestId: \S+\tDuration: [\d.]+ ms\tMemory Size: 128 MB\tMemory Used: \d+ MB", log)
    assert "ValueError" in log


def test_a_function_that_cannot_start_keeps_the_stack_from_starting(tmp_path: Path) -> None:
    functions = tmp_path / "functions"
    for label in ("echo", "authorize", "work", "remind"):
        (functions / label).mkdir(parents=True)
        (functions / label / "handler.py").write_text(
            "import nothing_of_that_name\n" if label == "work" else "handle = 1"
        )
    stack = LocalStack(template.write_assembly(tmp_path), functions, tmp_path / "log")
    with pytest.raises(InitFailed, match=r"^work: Runtime.ImportModuleError: .*nothing_of_that_name"):
        stack.__enter__()


def test_no_process_and_no_port_outlives_the_stack(tmp_path: Path) -> None:
    with LocalStack(template.write_assembly(tmp_path), template.FUNCTIONS, tmp_path / "log") as stack:
        pids = [environment.pid for environment in stack.services.lambda_service.running]
        urls = [stack.url, stack.aws.endpoint]
    assert len(pids) >= 3
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    for url in urls:
        with pytest.raises(ConnectionRefusedError):
            post_json(url, "/", {})
