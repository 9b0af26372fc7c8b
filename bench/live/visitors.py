"""The visitors of a load: born in it, known from it, or returning with a stored history."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import Final

from bench.live.wire import Stream
from bench.shop import new_visitor, stored_visitor

#: Visitors without an open page who are remembered; of more, the least recently active leave.
MAX_REMEMBERED: Final = 3_000
#: A newborn's id is made with its first event, which is this much older than the request, in ms.
BORN_BEFORE_MS: Final = 300


class Kind(Enum):
    """What the product can know of the visitor of a request before it comes."""

    NEWBORN = "newborn"
    KNOWN = "known"
    RETURNING = "returning"


@dataclass(eq=False)
class Page:
    """A page of a visitor with an open stream, until it is left.

    Args:
        visitor: the anonymous id.
        left_at: when the visitor leaves it, in seconds of the monotonic clock.
        unread: the end of what was received, in which a banner may be cut off.
    """

    visitor: bytes
    left_at: float
    stream: Stream | None = None
    unread: bytes = field(default=b"", repr=False)

    def close(self) -> None:
        """Leave the page."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None


class Crowd:
    """Chooses the visitor of each request.

    Args:
        choose: makes the same choices of the same seed.
        stored: how many visitors have a stored history.
    """

    def __init__(self, choose: random.Random, stored: int) -> None:
        self._stored = list(range(stored))
        choose.shuffle(self._stored)
        self._returned = 0
        self._numbers = count(1)
        self._others: deque[bytes] = deque(maxlen=MAX_REMEMBERED)
        self._pages: deque[Page] = deque()
        self._leaving: deque[Page] = deque()

    def newborn(self, now_ms: int) -> bytes:
        """Return the id of a visitor whom nobody has seen; it was made a moment ago."""
        return new_visitor(now_ms - BORN_BEFORE_MS, next(self._numbers))

    def returning(self) -> bytes:
        """Return the id of a visitor with a stored history who was not here in this run, while there are any."""
        number = self._stored[self._returned % len(self._stored)]
        self._returned += 1
        return stored_visitor(number).encode()

    def known(self) -> bytes | None:
        """Return the visitor, among those without an open page, whose latest request is longest ago."""
        if not self._others:
            return None
        visitor = self._others.popleft()
        self._others.append(visitor)
        return visitor

    def known_on_page(self) -> bytes | None:
        """Return the visitor, among those with an open page, whose latest request is longest ago."""
        while self._pages:
            page = self._pages.popleft()
            if page.stream is not None and page.stream.is_open:
                self._pages.append(page)
                return page.visitor
        return None

    def remember(self, visitor: bytes) -> None:
        """Count a visitor without an open page among the known."""
        self._others.append(visitor)

    def enter(self, page: Page) -> None:
        """Count a visitor among the known for as long as a page is open."""
        self._pages.append(page)
        self._leaving.append(page)

    def leave(self, now: float) -> None:
        """Close the pages whose visitors have left by `now`, in seconds of the monotonic clock."""
        while self._leaving and self._leaving[0].left_at <= now:
            self._leaving.popleft().close()
