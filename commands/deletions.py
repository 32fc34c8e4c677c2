"""Lists the deletions that are not done with, and how many blocks each may still have spans in.

A deletion stays in the list, with 0 blocks, as long as a request that was received before it can still be stored.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime

from spandrel.model.deletions import Deletion
from spandrel.model.tenant import DEFAULT_TENANT, tenant_name

from .stack import Stack, add_choice, chosen
from .table import printed

HEADINGS = ("WHAT", "RECEIVED BEFORE", "BLOCKS LEFT")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", default=DEFAULT_TENANT, help="whose they are (default: %(default)s)")
    add_choice(parser)


def run(arguments: argparse.Namespace) -> int:
    with chosen(arguments) as stack:
        printed([HEADINGS, *_rows(stack, tenant_name(arguments.tenant))])
    return 0


def _rows(stack: Stack, tenant: str) -> Iterator[tuple[str, str, str]]:
    pending = stack.deletions().deletions(tenant).pending
    blocks = stack.catalogue().blocks(tenant, 0, 2**64) if pending else ()
    for deletion in pending:
        before = datetime.fromtimestamp(deletion.before_ns // 10**9, UTC).isoformat(timespec="seconds")
        yield _what(deletion), before, str(sum(map(deletion.is_about, blocks)))


def _what(deletion: Deletion) -> str:
    if deletion.trace_id:
        return f"trace {deletion.trace_id.hex()}"
    return "=".join(deletion.attribute or ())
