"""Whether a text is a regular expression of RE2, whose syntax Go and DuckDB have: no back references, no lookaround.

Source: github.com/google/re2/wiki/Syntax. Checked here because Python's `re` has another syntax, and so that a bad
expression is the query's error and not the engine's. Linear in time, without recursion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

REPEAT_MAX = 1000
NESTING_MAX = 1000

_REPEAT = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?\}")
_GROUP = re.compile(r"\(\?(?:P<\w+>|[imsU]*(?:-[imsU]+)?([:)]))")
_ESCAPE = re.compile(
    r"\\(?:[pP](?:[CLMNPSZ]|\{\^?[A-Za-z_]+\})|0[0-7]{0,2}|[1-7][0-7]{1,2}|x[0-9a-fA-F]{2}|x\{[0-9a-fA-F]{1,6}\}"
    r"|[afnrtvdDsSwW]|[!-/:-@\[-`{-~])"
)
_ASSERTION = re.compile(r"\\[AbBz]")
_POSIX = re.compile(r"\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]")
_CLASSES = {rf"\{letter}" for letter in "dDsSwWpP"}
_CLASS_OF_MANY = re.compile(rf"\\[dDsSwWpP]|{_POSIX.pattern}")
_ESCAPED = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


class _Wrong(ValueError):
    """What is wrong with the expression."""


@dataclass(slots=True)
class _Scan:
    """A walk over the pattern. `repeats` holds, for each open group, how often what it holds is repeated at most."""

    pattern: str
    at: int = 0
    repeats: list[int] = field(default_factory=lambda: [1])
    last: int = 0  # repeats within the atom before, 0 where there is none
    repeated: bool = False  # the atom before has its repetition already


def complaint(pattern: str) -> str | None:
    """What is wrong with the pattern, or None. Unicode classes and what is too large are left to RE2 itself."""
    scan = _Scan(pattern)
    try:
        while scan.at < len(pattern):
            _STEPS.get(pattern[scan.at], _plain)(scan)
        if len(scan.repeats) > 1:
            raise _Wrong("`(` without `)`")
    except _Wrong as wrong:
        return str(wrong)
    return None


def _atom(scan: _Scan, end: int, repeats: int = 1) -> None:
    scan.at, scan.last, scan.repeated = end, repeats, False
    scan.repeats[-1] = max(scan.repeats[-1], repeats)


def _plain(scan: _Scan) -> None:
    _atom(scan, scan.at + 1)


def _alternative(scan: _Scan) -> None:
    scan.at, scan.last = scan.at + 1, 0


def _backslash(scan: _Scan) -> None:
    if scan.pattern.startswith(r"\Q", scan.at):
        end = scan.pattern.find(r"\E", scan.at)
        _atom(scan, len(scan.pattern) if end < 0 else end + 2)
        return
    found = _ASSERTION.match(scan.pattern, scan.at)
    _atom(scan, found.end() if found else _escape_end(scan.pattern, scan.at))


def _escape_end(pattern: str, at: int) -> int:
    found = _ESCAPE.match(pattern, at)
    if not found or (found[0].startswith(r"\x{") and int(found[0][3:-1], 16) > 0x10FFFF):
        raise _Wrong(f"`{pattern[at : at + 2]}` is no escape of RE2")
    return found.end()


def _open(scan: _Scan) -> None:
    end = scan.at + 1
    if scan.pattern.startswith("(?", scan.at):
        found = _GROUP.match(scan.pattern, scan.at)
        if not found:
            raise _Wrong(
                f"`{scan.pattern[scan.at : scan.at + 4]}` begins no group that RE2 knows, which has no lookaround"
            )
        end = found.end()
        if found[1] == ")":  # flags for what follows; what is repeated after them stands before them
            scan.at, scan.repeated = end, False
            return
    scan.repeats.append(1)
    if len(scan.repeats) > NESTING_MAX:
        raise _Wrong(f"groups are nested more than {NESTING_MAX} deep")
    scan.at, scan.last = end, 0


def _close(scan: _Scan) -> None:
    if len(scan.repeats) == 1:
        raise _Wrong("`)` without `(`")
    _atom(scan, scan.at + 1, scan.repeats.pop())


def _repetition(scan: _Scan) -> None:
    _repeat(scan, scan.at + 1, 1)


def _counted(scan: _Scan) -> None:
    found = _REPEAT.match(scan.pattern, scan.at)
    if not found:
        _plain(scan)
        return
    if max(len(found[1]), len(found[3] or "")) > len(str(REPEAT_MAX)):
        raise _Wrong(f"`{found[0][:20]}` repeats more than {REPEAT_MAX} times")
    least = int(found[1])
    most = int(found[3]) if found[3] else least
    if most < least:
        raise _Wrong(f"`{found[0]}` ends before it begins")
    _repeat(scan, found.end(), most)


def _repeat(scan: _Scan, end: int, times: int) -> None:
    if not scan.last or scan.repeated:
        raise _Wrong(f"`{scan.pattern[scan.at]}` has nothing to repeat")
    total = scan.last * max(times, 1)
    if total > REPEAT_MAX:
        raise _Wrong(f"it repeats more than {REPEAT_MAX} times")
    _atom(scan, end + scan.pattern.startswith("?", end), total)
    scan.repeated = True


def _class(scan: _Scan) -> None:
    at = scan.at + 1 + scan.pattern.startswith("^", scan.at + 1)
    first = True
    while first or not scan.pattern.startswith("]", at):
        if at >= len(scan.pattern):
            raise _Wrong("`[` without `]`")
        at = _class_item(scan.pattern, at)
        first = False
    _atom(scan, at + 1)


def _class_item(pattern: str, at: int) -> int:
    """The end of one character, one range or one class of many characters."""
    end = _class_character(pattern, at)
    if not pattern.startswith("-", end) or pattern.startswith("-]", end) or end + 1 >= len(pattern):
        return end
    if _CLASS_OF_MANY.match(pattern, at):
        return end
    last_end = _escape_end(pattern, end + 1) if pattern[end + 1] == "\\" else end + 2
    if pattern[end + 1 : end + 3] in _CLASSES or _point(pattern[at:end]) > _point(pattern[end + 1 : last_end]):
        raise _Wrong(f"`{pattern[at:last_end]}` is no range")
    return last_end


def _class_character(pattern: str, at: int) -> int:
    if pattern.startswith("[:", at):
        found = _POSIX.match(pattern, at)
        if found:
            return found.end()
        if ":]" in pattern[at + 2 :]:
            raise _Wrong("`[:` is followed by no class that RE2 knows")
        return at + 1
    return _escape_end(pattern, at) if pattern[at] == "\\" else at + 1


def _point(character: str) -> int:
    """The code point of one character, escaped or not."""
    if character[0] != "\\":
        return ord(character)
    if character[1] == "x":
        return int(character[2:].strip("{}"), 16)
    if character[1].isdigit():
        return int(character[1:], 8)
    return _ESCAPED.get(character[1], ord(character[1]))


_STEPS = {
    "\\": _backslash,
    "[": _class,
    "(": _open,
    ")": _close,
    "|": _alternative,
    "*": _repetition,
    "+": _repetition,
    "?": _repetition,
    "{": _counted,
}
