"""Tenant names: the first component of each object key and item key, so they must need no escaping anywhere."""

from __future__ import annotations

import re

from .errors import Rejected

DEFAULT_TENANT = "default"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def tenant_name(text: str) -> str:
    """The name itself, or Rejected: 1 to 64 of a-z, 0-9, `-` and `_`, beginning with a letter or a digit."""
    if not _NAME.fullmatch(text):
        raise Rejected(
            f"a tenant's name is 1 to 64 of a-z, 0-9, - and _, beginning with a letter or digit, not {text[:80]!r}"
        )
    return text
