"""Messages as senders write them, on their way through the pipeline to a shop's worker or into its ClickHouse."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from collector.intake.draft import EventWarning, Receipt
from collector.intake.pipeline import run
from collector.sites import Site
from tests.trigger_worker.shop import Shop
from tests.trigger_worker.stored import store
from warehouse.event import format_time

#: How events reach the worker: as a collector accepts them, or by ClickHouse alone.
Way = Literal["bus", "stored"]
WAYS: tuple[Way, ...] = ("bus", "stored")

_ids = itertools.count(1)


def sends(
    shop: Shop, *messages: Mapping[str, Any], way: Way = "stored", context: Mapping[str, Any] | None = None
) -> list[EventWarning]:
    """Let the shop's server send messages now, each of the type `track` where it says no other; return the warnings.

    Raises:
        AssertionError: one of them is dropped.
    """
    told = [{"type": "track", "messageId": f"sent-{next(_ids)}", **message} for message in messages]
    outcome = run(
        [msgspec.Raw(msgspec.json.encode(message)) for message in told],
        Site("shop", "key"),
        Receipt(received_at=shop.now_ms, is_from_server=True),
        context or {},
    )
    assert outcome.drops == []
    if way == "bus":
        shop.worker.hear(outcome.rows, shop.now_ms)
    else:
        stamp = {"ingested_at": format_time(shop.now_ms)}
        store(shop.warehouse, *({**msgspec.to_builtins(row), **stamp} for row in outcome.rows))
    return outcome.warnings


def happened(event: str, visitor: str = "anna", **properties: Any) -> dict[str, Any]:
    """Return the message of an event."""
    return {"event": event, "userId": visitor, "properties": properties}


def identifies(visitor: str = "anna", **traits: Any) -> dict[str, Any]:
    """Return the message that tells traits."""
    return {"type": "identify", "userId": visitor, "traits": traits}
