"""Whose turn it is: of one firing the messages go out one after another, however many are due at once."""

from __future__ import annotations

from collections.abc import Iterable

from trigger_worker.store.records import QueuedMessage


def take_turns(
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
