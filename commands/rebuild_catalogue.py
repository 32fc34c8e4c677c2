"""Makes the catalogue again from the bucket alone: all blocks that are live, and the deletions.

    ./spandrel rebuild-catalogue --deployed

For a table that was lost or emptied; entries that are there stay as they are. It reads the footers of all blocks, about
a cent for 20,000 of them, and can be started again where it was stopped. Traces, searches, dependencies and names are
then what they were. The stack may take spans meanwhile.
"""

from __future__ import annotations

import argparse

from spandrel.aws.rebuilding import Rebuilt

from .failure import CommandFailed
from .rebuilding import Rebuilding
from .stack import add_choice, chosen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_choice(parser)


def run(arguments: argparse.Namespace) -> int:
    unreadable: list[str] = []
    with chosen(arguments) as stack:
        rebuilt = Rebuilt(stack.client("dynamodb"), stack.table)
        for day in Rebuilding(stack.objects(), stack.catalogue(), stack.deletions(), rebuilt).run():
            print(f"{day.tenant} {day.day}: {day.added} blocks were missing", flush=True)
            unreadable += day.unreadable
    if unreadable:
        raise CommandFailed("all is rebuilt but for objects that are no blocks: " + "; ".join(unreadable))
    print("the catalogue names every live block of the bucket")
    return 0
