"""Messages as SDKs send them, and what the pipeline makes of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from collector.intake.draft import Drop, Receipt
from collector.intake.pipeline import process
from collector.sites import Site
from warehouse.event import EventRow

#: Sunday 22 November 2026, 12:00 UTC, in milliseconds.
NOON = 1_795_348_800_000
SHOP = Site("shop", "shop-key")
RECEIPT = Receipt(received_at=NOON)


def message(**fields: Any) -> dict[str, Any]:
    """A product view of an anonymous visitor, with what a test wants otherwise; None removes a field."""
    usual = {
        "type": "track",
        "event": "view_item",
        "messageId": "m-1",
        "anonymousId": "cookie",
        "timestamp": "2026-11-22T11:59:58.250Z",
    }
    return {name: value for name, value in {**usual, **fields}.items() if value is not None}


def processed(
    sent: Mapping[str, Any] | bytes,
    site: Site = SHOP,
    receipt: Receipt = RECEIPT,
    context: Mapping[str, Any] | None = None,
) -> EventRow | Drop:
    """What becomes of a message, given as an object or as its JSON."""
    raw = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    return process(msgspec.Raw(raw), site, receipt, context or {})


def kept(sent: Mapping[str, Any] | bytes, **circumstances: Any) -> EventRow:
    """The row of a message that must be kept."""
    outcome = processed(sent, **circumstances)
    assert isinstance(outcome, EventRow), outcome
    return outcome


def props(row: EventRow) -> dict[str, Any]:
    """What a row has besides its columns."""
    return dict(msgspec.json.decode(row.props)) if row.props else {}


def dropped(sent: Mapping[str, Any] | bytes, **circumstances: Any) -> Drop:
    """The drop of a message that must not be kept."""
    outcome = processed(sent, **circumstances)
    assert isinstance(outcome, Drop), outcome
    return outcome
