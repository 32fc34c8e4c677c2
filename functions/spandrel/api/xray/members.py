"""The members of a call's input, each read by its name and refused by it.

Refusals are worded as AWS words them ("1 validation error detected: Value null at 'startTime' failed to satisfy
constraint: Member must not be null"), and null is the same as nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from spandrel.model.errors import Rejected
from spandrel.wire.xray.fields import TIME_END_S, nanoseconds

_TOLD_CHARACTERS = 80


class Members:
    """The members by their names, as JSON has them in `all`."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.all = members

    def text(self, name: str, most: int | None = None) -> str | None:
        """A text of at most `most` characters, empty ones too; None where there is none."""
        value = self._of_type(name, str, "a string")
        if value is not None and most is not None and len(value) > most:
            raise invalid(name, value, f"Member must have length less than or equal to {most}")
        return value

    def required_text(self, name: str, most: int | None = None) -> str:
        """A text that is there and not empty."""
        value = self._present(name, self.text(name, most))
        if not value:
            raise invalid(name, value, "Member must have length greater than or equal to 1")
        return value

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        """One of the texts of an enumeration."""
        value = self.text(name)
        if value is not None and value not in choices:
            raise invalid(name, value, f"Member must satisfy enum value set: [{', '.join(choices)}]")
        return value

    def boolean(self, name: str) -> bool | None:
        return self._of_type(name, bool, "a boolean")

    def integer(self, name: str) -> int | None:
        return self._of_type(name, int, "an integer")

    def object(self, name: str) -> Members | None:
        """A structure, with members of its own."""
        value = self._of_type(name, dict, "a structure")
        return None if value is None else Members(value)

    def required_texts(self, name: str, most: int, most_characters: int) -> list[str]:
        """A list of 1 to `most` texts that are not empty, each of at most `most_characters`."""
        values = self._present(name, self._of_type(name, list, "a list"))
        if not 1 <= len(values) <= most:
            raise invalid(name, values, f"Member must have length between 1 and {most}")
        for place, value in enumerate(values, start=1):
            if type(value) is not str or not 1 <= len(value) <= most_characters:
                constraint = f"Member must be a string of length between 1 and {most_characters}"
                raise invalid(f"{name}.{place}.member", value, constraint)
        return values

    def required_time_ns(self, name: str) -> int:
        """A time: a number of seconds since 1970, with a fraction or not -> unix nanoseconds."""
        seconds = self._present(name, self.all.get(name))
        if type(seconds) not in {int, float} or not 0 <= seconds < TIME_END_S:
            raise invalid(name, seconds, "Member must be a timestamp in seconds since 1970")
        return nanoseconds(seconds)

    def _of_type(self, name: str, wanted: type, called: str) -> Any:
        value = self.all.get(name)
        if value is not None and type(value) is not wanted:
            raise invalid(name, value, f"Member must be {called}")
        return value

    @staticmethod
    def _present(name: str, value: Any) -> Any:
        if value is None:
            raise invalid(name, None, "Member must not be null")
        return value


def invalid(name: str, value: Any, constraint: str) -> Rejected:
    """What is wrong with a member's value, as AWS says it."""
    told = "null" if value is None else f"'{str(value)[:_TOLD_CHARACTERS]}'"
    at = name[:1].lower() + name[1:]
    return Rejected(f"1 validation error detected: Value {told} at '{at}' failed to satisfy constraint: {constraint}")
