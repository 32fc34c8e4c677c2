"""Runs the whole stack on this machine and serves it, until Ctrl-C. What it stores goes when it stops.

Any OpenTelemetry SDK can send to it as it is: http://127.0.0.1:4318 is where they send by default. No API key is needed
unless --auth asks for one.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from types import FrameType
from typing import TYPE_CHECKING

from local.failures import CannotStart

from . import running
from .assembly import ROOT, synthesising
from .failure import CommandFailed
from .running import Running

if TYPE_CHECKING:
    from local.stack import LocalStack

HOST = "127.0.0.1"
PORT = 4318  # OTLP/HTTP's own
LOG = ROOT / ".spandrel" / "functions.log"
OPEN = {"SPANDREL_OPEN_TENANT": "default"}  # the one difference to what deploys: requests without a key have a tenant
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, default=PORT, metavar="N", help="default: %(default)s; 0 is any free one")
    parser.add_argument("--auth", action="store_true", help="ask for an API key, as the deployed stack does")
    parser.add_argument("--verbose", action="store_true", help="show what the functions write")


def run(arguments: argparse.Namespace) -> int:
    logging.basicConfig(format="spandrel up: %(message)s")
    with until_told_to_stop(), ExitStack() as opened:
        sockets = [opened.enter_context(closing(each)) for each in listening(arguments.port)]
        stack = opened.enter_context(started(sockets, arguments))
        opened.enter_context(described(stack))
        print(f"ready {stack.url}", flush=True)
        announce(f"what the functions write is in {LOG.relative_to(ROOT)}; Ctrl-C stops all")
        threading.Event().wait()
    return 0


def announce(step: str) -> None:
    print(f"spandrel up: {step}", file=sys.stderr, flush=True)


class _ToldToStop(BaseException):
    """A signal came. Not an Exception, so that nobody takes it for a failure of what it interrupts."""


@contextmanager
def until_told_to_stop() -> Iterator[None]:
    """Ends the block, wherever it is, when a signal asks for it; a second one does not disturb what ends it."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        for each in STOPPING:
            signal.signal(each, signal.SIG_IGN)
        raise _ToldToStop

    before = {each: signal.signal(each, stop) for each in STOPPING}
    try:
        yield
    except _ToldToStop:
        announce("stopped")
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def listening(port: int) -> list[socket.socket]:
    """Sockets of loopback, by IPv4 and, where the machine has it, IPv6: SDKs say `localhost`. CommandFailed."""
    try:
        first = socket.create_server((HOST, port))
    except OSError as error:
        raise CommandFailed(
            f"port {port} cannot be had ({os.strerror(error.errno or 0)}); --port N takes another"
        ) from error
    try:
        return [first, socket.create_server(("::1", first.getsockname()[1]), family=socket.AF_INET6)]
    except OSError:
        return [first]


@contextmanager
def started(sockets: list[socket.socket], arguments: argparse.Namespace) -> Iterator[LocalStack]:
    """The stack while it serves. CommandFailed when it cannot start."""
    try:
        with synthesising() as synthesis:
            announce("synthesising the template")
            from local.stack import LocalStack  # takes seconds, in which the template is being synthesised

            assembly = synthesis.assembly()
        with LocalStack(
            assembly,
            ROOT / "functions",
            LOG,
            sockets=sockets,
            authorizer={} if arguments.auth else OPEN,
            announce=announce,
            verbose=arguments.verbose,
            keep_schedules=True,
        ) as stack:
            yield stack
    except CannotStart as error:
        raise CommandFailed(str(error)) from error
    except ImportError as error:
        raise CommandFailed(f"{sys.prefix} is incomplete ({error}): remove it and run ./spandrel up again") from error


@contextmanager
def described(stack: LocalStack) -> Iterator[None]:
    """Tells the other commands where the stack is, while it is there."""
    who = stack.aws.administrator
    keys = {"access_key": who["AWS_ACCESS_KEY_ID"], "secret_key": who["AWS_SECRET_ACCESS_KEY"]}
    told = Running(stack.url, stack.aws.endpoint, stack.aws.region, **keys, outputs=stack.stack.outputs)
    text = json.dumps(asdict(told), indent=1)
    running.DESCRIPTION.write_text(text)
    try:
        yield
    finally:
        if running.DESCRIPTION.exists() and running.DESCRIPTION.read_text() == text:  # not that of a later `up`
            running.DESCRIPTION.unlink()


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError(text)
    return port
