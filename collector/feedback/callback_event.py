"""The event that a provider's callback becomes, under an id that repeated callbacks share."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from collector.sites import Site
from warehouse.event import EventRow
from warehouse.limits import MAX_TEXT_LENGTH
from warehouse.message_token import MessageToken
from warehouse.own_event import derived_event_id, own_event

_NAMESPACE: Final = uuid.UUID("6d6d6362-6163-7000-8000-000000000000")


def callback_event(
    name: str,
    site: Site,
    visitor_id: str,
    identity: tuple[str, ...],
    now_ms: int,
    properties: Mapping[str, Any],
    message_id: str = "",
) -> EventRow:
    """Return an event of a visitor.

    Args:
        identity: what makes this callback the same as another one.
        now_ms: epoch milliseconds.
        properties: those that are empty are left out, and texts cut to what a column holds.
        message_id: the message that it is about; '' for none.
    """
    return own_event(
        name,
        event_id=derived_event_id(_NAMESPACE, ("callback", name, site.name, visitor_id, *identity)),
        site=site.name,
        visitor_id=visitor_id,
        at=now_ms,
        properties={key: _bounded(value) for key, value in properties.items()},
        message_id=message_id,
        site_days=site.retention_days,
    )


def message_event(name: str, token: MessageToken, site: Site, now_ms: int, reason: str = "") -> EventRow:
    """Return an event of the visitor whom a message was for; each kind happens to a message once."""
    properties = {"rule": token.rule, "variant": token.variant, "channel": token.channel, "reason": reason}
    identity = (token.message_id,)
    return callback_event(name, site, token.visitor_id, identity, now_ms, properties, token.message_id)


def _bounded(value: object) -> object:
    return value[:MAX_TEXT_LENGTH] if isinstance(value, str) else value
