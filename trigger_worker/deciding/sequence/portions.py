"""Messages that are due, in portions to decide on together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from trigger_worker.store.feed import Visitor
from trigger_worker.store.records import QueuedMessage


def first_portion(due: Sequence[QueuedMessage], most: int) -> tuple[list[QueuedMessage], list[QueuedMessage]]:
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
