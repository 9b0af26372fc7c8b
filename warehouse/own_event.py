"""Builds the events that Micromoment itself adds to a visitor's behaviour, for the collector and the worker alike."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from warehouse.event import DEFAULT_RETENTION_DAYS, EventRow, format_time, kept_days

#: The event of a notice in the feed that a site's history was changed; no visitor's.
HISTORY_CHANGED: Final = "history_changed"
#: How much a clock of another machine may be ahead, ms.
NOTICE_DELAY_MS: Final = 2_000


def own_event(
    name: str,
    *,
    event_id: str,
    site: str,
    visitor_id: str,
    at: int,
    properties: Mapping[str, Any],
    message_id: str = "",
    site_days: int | None = None,
) -> EventRow:
    """Return the row of an event that Micromoment makes, such as `message_sent`, `email_opened` or `email_bounced`.

    Args:
        name: the event's name.
        event_id: the same for repeats of the same event, of which readers count one.
        site: name of the site.
        visitor_id: the visitor whose event it is.
        at: when it happened, epoch ms.
        properties: an entry that is '' or None is left out; False and 0 stay, for False is how a person refuses.
        message_id: the message that the event is about; '' for none.
        site_days: days for which the site keeps events; None where `Records` sets the retention when it stores the row.
    """
    moment = format_time(at)
    present = {key: value for key, value in properties.items() if value is not None and value != ""}
    return EventRow(
        site=site,
        event=name,
        type="track",
        event_id=event_id,
        visitor_id=visitor_id,
        ts=moment,
        received_at=moment,
        source="live",
        message_id=message_id,
        props=msgspec.json.encode(present).decode(),
        retention_days=DEFAULT_RETENTION_DAYS if site_days is None else kept_days(name, site_days),
    )


def history_notice(site: str, at: int) -> dict[str, str]:
    """Return a row of `event_feed` that tells workers to read the people of a site anew.

    Imported events are no news, and what is erased tells of nothing.

    Args:
        site: name of the site.
        at: when its history was changed, epoch ms. The row is stamped later, so that a worker whose clock is ahead has
            not read beyond it.
    """
    stamp = format_time(at + NOTICE_DELAY_MS)
    event_id = str(uuid.uuid4())
    return {"site": site, "event": HISTORY_CHANGED, "event_id": event_id, "ts": stamp, "ingested_at": stamp}


def derived_event_id(namespace: uuid.UUID, identity: Sequence[object]) -> str:
    """Return an event id that is a function of its arguments: UUID version 5 of the identity as JSON (RFC 9562, 5.5).

    Args:
        namespace: keeps the ids of one kind of event apart from those of another.
        identity: the values that two events share exactly when one is a repeat of the other.
    """
    return str(uuid.uuid5(namespace, msgspec.json.encode(identity).decode()))
