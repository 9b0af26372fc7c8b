"""Tells a wrong clock of a sender from a request that was long on its way, by what its requests have shown so far.

A request names when it was sent by the sender's clock (`sentAt`). From then until the receipt by ours passes the
journey, which is never negative, on top of what the clock is wrong by. So the smallest difference that a client has
shown is what its clock is wrong by at most, and a negative one proves that it is ahead. `docs/events.md` has the rule.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

#: A smaller difference is the journey rather than the clock, and correcting it would put events out of order.
SKEW_TOLERANCE_MS: Final = 5_000
#: The longest journey of a request that nobody kept back.
JOURNEY_MS: Final = 120_000
#: A first difference up to this is taken for a clock: most wrong ones are wrong by minutes, or by a missed hour of
#: summer time. A larger one is taken for a request that was kept back, until the client's next ones say otherwise.
CLOCK_MS: Final = 90 * 60_000
#: Two requests that are so far apart, and show the same difference, show a clock: those of a queue come together.
APART_MS: Final = 10_000
#: Clients whose clocks are remembered; the one that was not heard of for longest is forgotten first.
MAX_CLIENTS: Final = 100_000


class ClientClock(msgspec.Struct, frozen=True):
    """What is known of a client's clock.

    Args:
        behind_ms: what it is behind ours by, negative where it is ahead; None while nothing tells.
        doubt_ms: a difference that may be a clock or a delay, of the first request that showed it; None for none.
        doubted_at: when that request came, epoch ms.
    """

    behind_ms: int | None = None
    doubt_ms: int | None = None
    doubted_at: int = 0

    @property
    def correction_ms(self) -> int:
        """What to add to the client's times."""
        behind = self.behind_ms
        return 0 if behind is None or abs(behind) <= SKEW_TOLERANCE_MS else behind


UNKNOWN: Final = ClientClock()


def learn(known: ClientClock, difference_ms: int, received_at: int, *, is_stamped: bool = False) -> ClientClock:
    """Return what is known of a client's clock after another request.

    Args:
        known: what was known before.
        difference_ms: from the request's `sentAt` to its receipt, ms.
        received_at: when it came, epoch ms.
        is_stamped: whether the sender is known to write `sentAt` anew with each attempt, as our own SDK does.
    """
    behind = known.behind_ms
    if behind is None:
        is_clock = difference_ms <= SKEW_TOLERANCE_MS or JOURNEY_MS < difference_ms <= CLOCK_MS
        if is_clock or (is_stamped and difference_ms > CLOCK_MS):
            return ClientClock(difference_ms)
    elif difference_ms < behind:
        return ClientClock(difference_ms, known.doubt_ms, known.doubted_at)
    elif difference_ms - behind <= JOURNEY_MS:
        return known
    elif abs(difference_ms) <= SKEW_TOLERANCE_MS:
        # Somebody has set it right.
        return ClientClock(difference_ms)
    return _doubted(known, difference_ms, received_at)


def _doubted(known: ClientClock, difference_ms: int, received_at: int) -> ClientClock:
    """Return what is known after a difference that may be a clock or a delay: a clock, where it comes again later."""
    doubt = known.doubt_ms
    if doubt is None or abs(difference_ms - doubt) > SKEW_TOLERANCE_MS:
        return ClientClock(known.behind_ms, difference_ms, received_at)
    return known if received_at - known.doubted_at < APART_MS else ClientClock(min(doubt, difference_ms))


class ClientClocks:
    """The clocks of the clients that were heard of of late, by site and visitor id, in the memory of this process."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], ClientClock] = OrderedDict()

    def of(self, client: tuple[str, str]) -> ClientClock:
        """Return what is known of a client's clock."""
        return self._known.get(client, UNKNOWN)

    def note(self, client: tuple[str, str], clock: ClientClock) -> None:
        """Remember what is known of a client's clock."""
        self._known[client] = clock
        self._known.move_to_end(client)
        if len(self._known) > MAX_CLIENTS:
            self._known.popitem(last=False)

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget the clocks of visitors who were erased, told by site and id."""
        for client in [each for each in self._known if is_erased(*each)]:
            del self._known[client]


class RequestClocks:
    """Corrects the times of one request's events, each by what was known before it: its other events change nothing.

    Args:
        clocks: what earlier requests have shown, and where this one's is noted.
        site: the name of the site that it is for.
        received_at: when it came, epoch ms.
        is_stamped: as that of `learn`.
    """

    __slots__ = ("_before", "_clocks", "_found", "_is_stamped", "_last", "_received_at", "_site")

    def __init__(self, clocks: ClientClocks, site: str, received_at: int, *, is_stamped: bool) -> None:
        self._clocks = clocks
        self._site = site
        self._received_at = received_at
        self._is_stamped = is_stamped
        #: What was asked last, and the answer: most requests are of one client, sent once.
        self._last: tuple[str, int, int] = ("", 0, 0)
        self._before: dict[tuple[str, str], ClientClock] = {}
        self._found: dict[tuple[str, int], int] = {}

    def correction_ms(self, visitor_id: str, sent: int) -> int:
        """Return what to add to the times of a client.

        Args:
            visitor_id: the client's id on the site.
            sent: when it says that it sent them, epoch ms by its own clock.
        """
        last_visitor, last_sent, found = self._last
        if last_visitor != visitor_id or last_sent != sent:
            found = self._look_up(visitor_id, sent)
            self._last = visitor_id, sent, found
        return found

    def _look_up(self, visitor_id: str, sent: int) -> int:
        found = self._found.get((visitor_id, sent))
        if found is None:
            found = self._found[visitor_id, sent] = self._learn(visitor_id, self._received_at - sent)
        return found

    def _learn(self, visitor_id: str, difference_ms: int) -> int:
        client = self._site, visitor_id
        now, before = self._clocks.of(client), self._before.get(client)
        clock = learn(now, difference_ms, self._received_at, is_stamped=self._is_stamped)
        self._clocks.note(client, clock)
        if before is None:
            self._before[client] = now
        else:
            clock = learn(before, difference_ms, self._received_at, is_stamped=self._is_stamped)
        return clock.correction_ms
