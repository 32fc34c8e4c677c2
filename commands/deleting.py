"""What the commands that delete have in common: the deletion itself, and the report of what follows when."""

from __future__ import annotations

import time
from dataclasses import replace

from plan.keeper import LATE_NS
from spandrel.aws.ledger import GRACE_S
from spandrel.model.catalogue import Block
from spandrel.model.deletions import Deletion
from spandrel.model.levels import parts_of
from spandrel.model.limits import MIB
from spandrel.model.retention import DAY_NS

from .failure import CommandFailed
from .stack import Stack

DELETIONS_MAX = 1000  # of one tenant at once: each is a condition in every question until its blocks are rewritten
KEEPER_MINUTES = 5  # between two rounds (infra/compaction.py)


def carry_out(wanted: Deletion, stack: Stack) -> str:
    """Hides the spans from now on -> what is to be told about it."""
    book, blocks = stack.deletions(), stack.catalogue().blocks(wanted.tenant, 0, 2**64)
    if len(book.deletions(wanted.tenant).pending) >= DELETIONS_MAX:
        raise CommandFailed(f"{wanted.tenant} has {DELETIONS_MAX} deletions that are not done with: wait for some")
    # Whatever clock is wrong, this one or the receiver's: what is in the catalogue by now came before.
    before_ns = max([time.time_ns(), *(block.received_ns + 1 for block in blocks)])
    deletion = book.delete(replace(wanted, before_ns=before_ns))
    about = [block for block in blocks if deletion.is_about(block)]
    return report(about, stack.merges_a_minute)


def report(about: list[Block], jobs_a_round: int) -> str:
    """When what is left where."""
    size_mib = sum(block.size_bytes for block in about) / MIB
    rounds = -(-len(list(parts_of(about))) // jobs_a_round)
    minutes = KEEPER_MINUTES * (rounds + 1) + GRACE_S // 60
    return "\n".join(
        [
            "From now on no trace, search or dependency graph shows these spans. Names of services and operations,",
            "and metrics that were computed before, follow when the blocks are rewritten.",
            f"{len(about)} blocks of {size_mib:.1f} MiB may hold them. Those that do are rewritten, and the old",
            f"objects deleted, within about {minutes} minutes; ./spandrel deletions shows how far that is.",
            "Spans that were received until now are covered, even if they are stored later (up to",
            f"{LATE_NS // DAY_NS} days); spans that are received from now on are not.",
        ]
    )
