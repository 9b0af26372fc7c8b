"""What readers did with a message, as events: opened, clicked, unsubscribed, chose what they get."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from collector.feedback.message_link import MessageLink
from collector.intake.context import Client
from warehouse.event import EventRow
from warehouse.limits import MAX_TEXT_LENGTH
from warehouse.own_event import derived_event_id, own_event

_NAMESPACE: Final = uuid.UUID("6d6d6d72-6570-7000-8000-000000000000")
#: Within this long, opening a message again is the same opening.
OPEN_ONCE_MS: Final = 3_600_000
#: Within this long, the same click or unsubscribing again is a repeat. No longer: who has agreed again meanwhile must
#: be able to unsubscribe again.
REPEAT_MS: Final = 60_000

_NOBODY: Final = Client()


def opened(link: MessageLink, now_ms: int, client: Client, *, machine: bool) -> EventRow:
    """Return the event of opening a message: one an hour, machines counted apart."""
    identity = ("open", link.token.message_id, machine, now_ms // OPEN_ONCE_MS)
    properties = {"machine": True} if machine else {}
    return _event("email_opened", link, now_ms, identity, properties, client)


def clicked(link: MessageLink, now_ms: int, client: Client, *, machine: bool) -> EventRow:
    """Return the event of following a link of a message; its address is the event's `url`."""
    identity = ("click", link.token.message_id, link.token.target, machine, now_ms // REPEAT_MS)
    properties = {"machine": True} if machine else {}
    row = _event("email_clicked", link, now_ms, identity, properties, client)
    return msgspec.structs.replace(row, url=link.token.target[:MAX_TEXT_LENGTH])


def unsubscribed(link: MessageLink, now_ms: int) -> EventRow:
    """Return the event of leaving a message's channel with one click."""
    identity = ("unsubscribe", link.token.message_id, now_ms // REPEAT_MS)
    return _event("unsubscribed", link, now_ms, identity, {"reason": "one_click"})


def chosen(link: MessageLink, now_ms: int, answer: Mapping[str, Any]) -> EventRow:
    """Return the event of an answer given on the preference page; every one counts."""
    properties = {**answer, "source": "preference_page"}
    return _event("consent", link, now_ms, ("consent", uuid.uuid4().hex), properties)


def _event(
    name: str,
    link: MessageLink,
    now_ms: int,
    identity: tuple[object, ...],
    properties: Mapping[str, Any],
    client: Client = _NOBODY,
) -> EventRow:
    """Return an event of the message's own person, whatever browser it comes from, under an id that repeats share."""
    token = link.token
    about = {"rule": token.rule, "channel": token.channel, "variant": token.variant}
    row = own_event(
        name,
        event_id=derived_event_id(_NAMESPACE, identity),
        site=link.site.name,
        visitor_id=token.visitor_id,
        at=now_ms,
        properties={**about, **properties},
        message_id=token.message_id,
        site_days=link.site.retention_days,
    )
    return msgspec.structs.replace(row, device=client.device, os=client.os, browser=client.browser)
