"""What stands on this machine for the agent or the daemon of a system whose clients send datagrams."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Agent:
    """It keeps the datagrams that it gets."""

    socket: socket.socket
    datagrams: list[bytes] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def listen(self) -> None:
        while datagram := self.socket.recv(64 * 1024):
            self.datagrams.append(datagram)


@contextmanager
def agent_on_a_port() -> Iterator[Agent]:
    """Ends with an empty datagram, which comes after all that were sent before."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(60)
        agent = Agent(bound)
        listening = threading.Thread(target=agent.listen)
        listening.start()
        try:
            yield agent
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", bound.getsockname())
            listening.join()
    assert agent.datagrams
