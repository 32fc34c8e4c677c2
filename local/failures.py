"""Why a stack does not start on this machine."""

from __future__ import annotations


class CannotStart(Exception):
    """Base of all such reasons. `str(error)` is for the person who asked for the stack."""


class StackRefused(CannotStart):
    """CloudFormation, or this machine's part of it, does not take the template."""


class NotServed(CannotStart):
    """The stack has something that this machine does not do as AWS does."""


class CannotAssume(CannotStart):
    """A service cannot act under a role of the stack."""


class InitFailed(CannotStart):
    """A function's process ended, or gave up, before it asked for its first event."""
