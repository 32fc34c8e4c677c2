"""Deletes all spans that have an attribute of a certain value, so far received: a person's data, say.

    ./spandrel delete-spans --attribute user.id=4711 --tenant shop

The value is compared as text and stands for a number, a boolean or bytes too (42, true, AA==). It is looked for among
the attributes of spans, their resources, scopes, events and links. A span goes whole, and the others of its trace stay.
"""

from __future__ import annotations

import argparse

from spandrel.model.deletions import Deletion
from spandrel.model.limits import VALUE_MAX
from spandrel.model.tenant import DEFAULT_TENANT, tenant_name

from .deleting import carry_out
from .failure import CommandFailed
from .stack import add_choice, chosen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--attribute", required=True, metavar="KEY=VALUE", help="the key ends at the first `=`")
    parser.add_argument("--tenant", default=DEFAULT_TENANT, help="whose spans they are (default: %(default)s)")
    add_choice(parser)


def run(arguments: argparse.Namespace) -> int:
    wanted = attribute(arguments.attribute)
    with chosen(arguments) as stack:
        print(carry_out(Deletion(tenant_name(arguments.tenant), 0, 0, attribute=wanted), stack))
    return 0


def attribute(text: str) -> tuple[str, str]:
    """`KEY=VALUE` -> key and value."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise CommandFailed(f"--attribute is KEY=VALUE, not {text!r}")
    if len(text) > VALUE_MAX:
        raise CommandFailed(f"--attribute is at most {VALUE_MAX} characters: no span has a longer value")
    return key, value
