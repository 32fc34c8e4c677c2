"""What goes wrong on purpose: chosen calls to AWS are refused, or something happens just before they are made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .answers import Answer
from .calls import AwsCall

Fault = Callable[[AwsCall], Answer | None]
"""Gets a call before AWS does; an answer takes the place of AWS's own, None lets the call through."""


@dataclass
class Planned:
    """A fault that waits for its calls. `met` are those that it has seen."""

    service: str
    operation: str
    fault: Fault
    times: int | None
    met: list[AwsCall] = field(default_factory=list)

    def is_for(self, call: AwsCall) -> bool:
        spent = self.times is not None and len(self.met) >= self.times
        return not spent and (call.service, call.operation) == (self.service, self.operation)


class Faults:
    """The faults of one local AWS. Calls come in many threads."""

    def __init__(self) -> None:
        self._planned: list[Planned] = []
        self._lock = threading.Lock()

    @contextmanager
    def on(self, service: str, operation: str, fault: Fault, times: int | None = None) -> Iterator[Planned]:
        """While it lasts, `fault` meets each such call, or the first `times` of them."""
        planned = Planned(service, operation, fault, times)
        with self._lock:
            self._planned.append(planned)
        try:
            yield planned
        finally:
            with self._lock:
                self._planned.remove(planned)

    def answer(self, call: AwsCall) -> Answer | None:
        """What the first fault for this call answers; None when AWS is to answer."""
        with self._lock:
            planned = next((planned for planned in self._planned if planned.is_for(call)), None)
            if planned is None:
                return None
            planned.met.append(call)
        return planned.fault(call)
