"""Messages that wait for their time, earliest first. Its content follows from ClickHouse: a restart reads it again."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence

from trigger_worker.store.feed import Visitor
from trigger_worker.store.records import QueuedMessage


class Outbox:
    """A heap of queued messages; what is not due costs nothing."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, str]] = []
        self._messages: dict[str, QueuedMessage] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def message_ids(self) -> set[str]:
        """Return the ids of all that wait."""
        return set(self._messages)

    @property
    def next_due(self) -> int | None:
        """Epoch milliseconds at which the earliest message is due, or None when none waits."""
        return self._heap[0][0] if self._heap else None

    def add(self, messages: Iterable[QueuedMessage]) -> None:
        """Take messages; one that waits already is given its new time."""
        for message in messages:
            self._messages[message.message_id] = message
            heapq.heappush(self._heap, _place(message))

    def take_due(self, now_ms: int) -> list[QueuedMessage]:
        """Return what is due and let go of it: earliest first, of the same instant the highest priority first."""
        due: list[QueuedMessage] = []
        while self._heap and self._heap[0][0] <= now_ms:
            place = heapq.heappop(self._heap)
            message = self._messages.get(place[2])
            # An entry whose message has moved to another place, or is gone, is a leftover.
            if message is not None and _place(message) == place:
                due.append(self._messages.pop(message.message_id))
        return due


def _place(message: QueuedMessage) -> tuple[int, int, str]:
    return message.due_at, -message.priority, message.message_id


def one_per_firing(
    due: Iterable[QueuedMessage], under_way: Iterable[QueuedMessage]
) -> tuple[list[QueuedMessage], list[QueuedMessage]]:
    """Return the messages whose turn it is, and those that wait for an earlier one of their firing, both in order.

    After a standstill several steps of a sequence are due together: each is to know what became of the one before.

    Args:
        due: in the order in which they should go out.
        under_way: being handed over.
    """
    busy = {message.fire_id for message in under_way}
    turn: list[QueuedMessage] = []
    waiting: list[QueuedMessage] = []
    for message in due:
        (waiting if message.fire_id in busy else turn).append(message)
        busy.add(message.fire_id)
    return turn, waiting


def first_batch(due: Sequence[QueuedMessage], most: int) -> tuple[list[QueuedMessage], list[QueuedMessage]]:
    """Return the messages to decide on first, and the others, both in their order.

    What is for one visitor stays together: only together can it be weighed.

    Args:
        due: in the order in which they should go out.
        most: messages of a portion, unless the first visitor alone has more.
    """
    if len(due) <= most:
        return list(due), []
    room = most
    chosen: set[Visitor] = set()
    for visitor, count in Counter(map(_visitor, due)).items():
        if chosen and count > room:
            break
        chosen.add(visitor)
        room -= count
    portion = [message for message in due if _visitor(message) in chosen]
    return portion, [message for message in due if _visitor(message) not in chosen]


def _visitor(message: QueuedMessage) -> Visitor:
    return Visitor(message.site, message.visitor_id)
