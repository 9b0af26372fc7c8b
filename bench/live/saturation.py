"""A closed load: so many requests under way at any time, each followed by the next once it is answered."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

from bench.live.bodies import prepare
from bench.live.traffic import read_token
from bench.live.wire import Requests, Wire
from bench.shop import new_visitor, stored_visitor, uuid7

#: Of visitors who are introduced, one of so many has a stored history.
STORED_ONE_OF: Final = 10
_INTRODUCED_WITHIN_SECONDS: Final = 600.0


class Saturation:
    """Keeps a server busy.

    Args:
        wire: to the server.
        connections: how many requests are under way at any time.
    """

    def __init__(self, wire: Wire, connections: int) -> None:
        self.answered = 0
        self.refused = 0
        self._wire = wire
        self._connections = connections
        self._requests = Requests(wire, connections)
        self._source: Iterator[bytes] = iter(())
        self._on_reply: Callable[[bytes], None] = _ignore

    def run(self, source: Iterator[bytes], seconds: float, on_reply: Callable[[bytes], None] | None = None) -> float:
        """Send requests until there are no more or the time is over, and return how many seconds it took.

        Args:
            source: the requests.
            seconds: after which none is sent any more; those under way are waited for.
            on_reply: takes each reply with status 200.
        """
        self._source, self._on_reply = source, on_reply or _ignore
        self.answered = self.refused = 0
        begun = time.monotonic()
        for _ in range(self._connections):
            self._send_next()
        while self._requests.under_way:
            self._wire.poll(0.1)
            if time.monotonic() - begun > seconds:
                self._source = iter(())
        return time.monotonic() - begun

    def _send_next(self) -> None:
        request = next(self._source, None)
        if request is not None:
            self._requests.send(request, self._take)

    def _take(self, status: int, reply: bytes) -> None:
        if status == 200:
            self.answered += 1
            self._on_reply(reply)
        else:
            self.refused += 1
        self._send_next()


def batches(visitors: list[bytes], events: int) -> Iterator[bytes]:
    """Yield requests of so many events each, without end, of the visitors in turn."""
    prepared, choose, numbers = prepare(random.Random(3), events), random.Random(5), count(1)
    while True:
        for visitor in visitors:
            now_ms = time.time_ns() // 1_000_000
            ids = [uuid7(now_ms, next(numbers)).encode() for _ in range(events)]
            yield choose.choice(prepared).fill(visitor, ids, now_ms)


def new_visitors(number: int, stored: int = 0) -> list[bytes]:
    """Return ids of visitors who were born now; of `STORED_ONE_OF`, one has a stored history when there are any."""
    now_ms = time.time_ns() // 1_000_000
    return [
        stored_visitor(n % stored).encode() if stored and n % STORED_ONE_OF == 0 else new_visitor(now_ms, n)
        for n in range(number)
    ]


def introduce(wire: Wire, visitors: list[bytes]) -> list[bytes]:
    """Send an event of each visitor, and return the tokens that open their streams."""
    tokens: list[bytes] = []
    source = batches(visitors, 1)
    first = (next(source) for _ in visitors)
    Saturation(wire, 16).run(first, _INTRODUCED_WITHIN_SECONDS, lambda reply: tokens.append(read_token(reply)))
    return tokens


def _ignore(reply: bytes) -> None:
    """Do nothing with a reply."""
