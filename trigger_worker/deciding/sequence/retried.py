"""Messages that failed and that a person asked for again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable

from trigger_worker.store.feed import News
from trigger_worker.store.groups import in_groups, itself
from trigger_worker.store.message_event import RETRIED
from trigger_worker.store.messages import read_queue_of
from trigger_worker.store.records import QueuedMessage
from warehouse.connection import Warehouse


def read_retried(
    warehouse: Warehouse, news: Iterable[News], known: Callable[[], Container[str]]
) -> list[QueuedMessage]:
    """Return the messages that news says are asked for again, and whose rows say so, too.

    Args:
        warehouse: where they are.
        news: what became visible.
        known: tells the ids of messages that wait already or are being handed over.
    """
    visitors: dict[str, set[str]] = defaultdict(set)
    for item in news:
        if item.event == RETRIED:
            visitors[item.visitor.site].add(item.visitor.visitor_id)
    if not visitors:
        return []
    # Before the rows are read: what is settled meanwhile must not come back.
    known_ids = known()
    return [
        message
        for site, ids in visitors.items()
        for group in in_groups(sorted(ids), itself)
        for message in read_queue_of(warehouse, site, group)
        if message.retries and message.message_id not in known_ids
    ]
