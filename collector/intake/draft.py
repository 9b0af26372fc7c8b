"""An event on its way through the pipeline: what arrived, and the columns found so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from collector.intake.drops import Drop, DropReason
from collector.intake.message import Message
from collector.sites import Site


class Receipt(msgspec.Struct, frozen=True):
    """What is known about the request that brought an event.

    Args:
        received_at: epoch milliseconds by the collector's clock.
        sent_at: what the sender's clock said when it sent, as it stood in the batch.
        source: `live` for requests, `import` for history.
        user_agent: the header, '' for none.
        country: two letters from a trusted proxy's header, '' for none.
        opted_out: the browser said Global Privacy Control or Do Not Track.
    """

    received_at: int
    sent_at: str | int | float | None = None
    source: Literal["live", "import"] = "live"
    user_agent: str = ""
    country: str = ""
    opted_out: bool = False


class Draft(msgspec.Struct, frozen=True):
    """An event half made; every step returns a new one.

    Args:
        message: as it arrived.
        context: the batch's context with the message's own over it.
        columns: columns of `events` found so far.
        props: what has no column of its own yet.
    """

    message: Message
    site: Site
    receipt: Receipt
    context: Mapping[str, Any]
    columns: Mapping[str, Any]
    props: Mapping[str, Any]

    def with_columns(self, **columns: object) -> Draft:
        """Return this draft with more columns; those that hold nothing are left out."""
        found = {name: value for name, value in columns.items() if value not in ("", None)}
        return msgspec.structs.replace(self, columns={**self.columns, **found}) if found else self

    def section(self, name: str) -> Mapping[str, Any]:
        """Return an object inside the context, or an empty one."""
        value = self.context.get(name)
        return value if isinstance(value, dict) else {}

    def dropped(self, reason: DropReason, detail: str = "") -> Drop:
        """Return the record of not keeping this event."""
        return Drop(self.message.label, reason, detail)
