"""Free ports on loopback."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

#: Below the ports that systems give to outgoing connections: one of those may take a port before its server does.
_PORTS: Final = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Return ports that no process uses at the moment, all different."""
    # Not from the seed of a run: two processes of one run must not choose alike.
    candidates = iter(random.SystemRandom().sample(_PORTS, len(_PORTS)))
    with ExitStack() as held:
        return [_free(candidates, held) for _ in range(count)]


def _free(candidates: Iterator[int], held: ExitStack) -> int:
    for port in candidates:
        probe = socket.socket()
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            probe.close()
        else:
            held.enter_context(probe)
            return port
    raise OSError("no port is free")
