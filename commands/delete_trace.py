"""Deletes all spans of a trace, so far received: from answers at once, from every object within hours.

    ./spandrel delete-trace 5b8efff798038103d269b633813fc60c

To delete it again is no error, and covers what was received meanwhile.
"""

from __future__ import annotations

import argparse

from spandrel.model.deletions import Deletion
from spandrel.model.tenant import DEFAULT_TENANT, tenant_name
from spandrel.model.trace_ids import trace_id_of

from .deleting import carry_out
from .stack import add_choice, chosen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trace_id", help="1 to 32 hex digits")
    parser.add_argument("--tenant", default=DEFAULT_TENANT, help="whose trace it is (default: %(default)s)")
    add_choice(parser)


def run(arguments: argparse.Namespace) -> int:
    with chosen(arguments) as stack:
        wanted = Deletion(tenant_name(arguments.tenant), 0, 0, trace_id=trace_id_of(arguments.trace_id))
        print(carry_out(wanted, stack))
    return 0
