"""Which version of Spandrel this is, for those who ask it over HTTP."""

from __future__ import annotations

VERSION = "0.1.0"  # pyproject.toml has the same
