"""The outbox: messages that wait for their time, and which of the messages that are due are decided on first.

Its content follows from ClickHouse: a worker that starts reads it again.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Visitor


class Outbox:
    """A heap of waiting messages, the earliest first; a message that is not due costs nothing."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, str]] = []
        self._messages: dict[str, QueuedMessage] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def message_ids(self) -> set[str]:
        """Return the ids of all waiting messages."""
        return set(self._messages)

    @property
    def next_due(self) -> int | None:
        """The instant at which the earliest message is due, epoch ms; None when none waits."""
        return self._heap[0][0] if self._heap else None

    def add(self, messages: Iterable[QueuedMessage]) -> None:
        """Add messages; a message that waits already gets its new time."""
        for message in messages:
            self._messages[message.message_id] = message
            heapq.heappush(self._heap, _place(message))

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> int:
        """Forget the messages to people who were erased, and return how many they were."""
        gone = [
            message_id
            for message_id, message in self._messages.items()
            if is_erased(message.visitor.site, message.visitor.visitor_id)
        ]
        for message_id in gone:
            del self._messages[message_id]
        if gone:
            self._heap = [_place(message) for message in self._messages.values()]
            heapq.heapify(self._heap)
        return len(gone)

    def take_due(self, now_ms: int) -> list[QueuedMessage]:
        """Remove and return the messages that are due at `now_ms` (epoch ms), by time and then by priority."""
        due: list[QueuedMessage] = []
        while self._heap and self._heap[0][0] <= now_ms:
            place = heapq.heappop(self._heap)
            message = self._messages.get(place[2])
            # An entry whose message has moved to another place, or is gone, is a leftover.
            if message is not None and _place(message) == place:
                due.append(self._messages.pop(message.message_id))
        return due


def one_per_firing(
    due: Iterable[QueuedMessage], under_way: Iterable[QueuedMessage]
) -> tuple[list[QueuedMessage], list[QueuedMessage]]:
    """Return the first due message of each firing, and the messages that wait for it, both in order.

    After a standstill several steps of a sequence are due together: each depends on what became of the one before.

    Args:
        due: the messages, in the order in which they should go out.
        under_way: messages that are being handed over; later messages of their firings wait.
    """
    busy = {message.fire_id for message in under_way}
    turn: list[QueuedMessage] = []
    waiting: list[QueuedMessage] = []
    for message in due:
        (waiting if message.fire_id in busy else turn).append(message)
        busy.add(message.fire_id)
    return turn, waiting


def first_batch(due: Sequence[QueuedMessage], most: int) -> tuple[list[QueuedMessage], list[QueuedMessage]]:
    """Return the messages to decide on first, and the other messages, both in order.

    Messages to one visitor stay together: the gate weighs them against each other.

    Args:
        due: the messages, in the order in which they should go out.
        most: the most messages of the batch, unless the first visitor alone has more.
    """
    if len(due) <= most:
        return list(due), []
    room = most
    chosen: set[Visitor] = set()
    for visitor, count in Counter(message.visitor for message in due).items():
        if chosen and count > room:
            break
        chosen.add(visitor)
        room -= count
    batch = [message for message in due if message.visitor in chosen]
    return batch, [message for message in due if message.visitor not in chosen]


def _place(message: QueuedMessage) -> tuple[int, int, str]:
    return message.due_at, -message.priority, message.message_id
