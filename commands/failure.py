"""How a command says that it cannot go on."""

from __future__ import annotations


class CommandFailed(Exception):
    """What a command cannot do, in one line for the person at the terminal."""
