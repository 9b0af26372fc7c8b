"""When it happened, by one clock."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Final

import msgspec

from collector.intake.draft import Draft
from collector.intake.drops import Drop, DropReason
from warehouse.event import epoch_ms, format_time

#: A smaller difference between the clocks is the request's own travel time rather than skew, and correcting it
#: would put events of one visitor out of order.
SKEW_TOLERANCE_MS: Final = 5_000
_LATEST_MS: Final = 4_102_444_800_000  # 2100-01-01, the end of what DateTime64 holds safely in every function


def correct_time(draft: Draft) -> Draft | Drop:
    """Place the event on the collector's clock, never after its receipt; an import's time is trusted as it stands."""
    message, receipt = draft.message, draft.receipt
    stated = parse_time(message.original_timestamp)
    if stated is None:
        stated = parse_time(message.timestamp)
    received = format_time(receipt.received_at)
    if receipt.source == "import":
        if stated is None:
            return draft.dropped(DropReason.NO_TIMESTAMP, f"timestamp {message.timestamp!r} is no ISO 8601 time")
        return draft.with_columns(ts=format_time(stated), received_at=received)
    if stated is None:
        stated = receipt.received_at
    sent = parse_time(message.sent_at if message.sent_at is not None else receipt.sent_at)
    skew = receipt.received_at - sent if sent is not None else 0
    if abs(skew) > SKEW_TOLERANCE_MS:
        stated += skew
    return draft.with_columns(ts=format_time(max(0, min(stated, receipt.received_at))), received_at=received)


def parse_time(value: object) -> int | None:
    """Return epoch milliseconds of an ISO 8601 text or a number of (milli)seconds, or None when it is neither."""
    moment: int | None = None
    if isinstance(value, str):
        with contextlib.suppress(msgspec.ValidationError):
            moment = epoch_ms(msgspec.convert(value, datetime, strict=False))
    elif isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LATEST_MS:
        moment = int(value if value > 1e11 else value * 1000)
    return moment if moment is not None and 0 <= moment < _LATEST_MS else None
