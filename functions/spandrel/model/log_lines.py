"""What functions log and the template counts: a line spelt differently in the two places would count nothing."""

from __future__ import annotations

UNREAD_BLOCKS = "blocks cannot be read"
