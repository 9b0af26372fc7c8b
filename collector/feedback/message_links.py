"""Signed links of messages: the message that a link names, the kind of its fetcher, and the event that it becomes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from collector.intake.context import Client, parse_user_agent
from collector.sites import Site
from warehouse.event import EventRow
from warehouse.limits import MAX_TEXT_LENGTH
from warehouse.message_token import MessageToken
from warehouse.own_event import derived_event_id, own_event

#: A `person` opened or followed a link; a `proxy` fetched a picture when the reader opened the message; a `machine`
#: fetched it whether or not a person reads, as Apple's Mail Privacy Protection, crawlers and scanners do.
FetcherKind = Literal["person", "proxy", "machine"]

#: Within this long, opening a message again is the same opening.
OPEN_ONCE_MS: Final = 3_600_000
#: Within this long, the same click or unsubscribing again is a repeat. No longer: a person who has agreed again
#: meanwhile must be able to unsubscribe again.
REPEAT_MS: Final = 60_000

_NAMESPACE: Final = uuid.UUID("6d6d6d72-6570-7000-8000-000000000000")
_UNKNOWN: Final = Client()
#: Gmail and Yahoo fetch pictures through their own servers, once the reader opens the message.
_PROXIES: Final = ("GoogleImageProxy", "YahooMailProxy")
#: The whole User-Agent header of Apple's Mail Privacy Protection.
_APPLE_PRIVACY_AGENT: Final = "Mozilla/5.0"
#: Beginnings of the User-Agent headers of HTTP libraries, with which scanners are written.
_LIBRARIES: Final = ("curl/", "wget/", "python", "go-http-client", "java/", "okhttp", "axios/", "node", "undici")
#: Headers by which a browser says that it fetches ahead of the reader.
_AHEAD: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")


class MessageLink(msgspec.Struct, frozen=True):
    """A signed link that was read: the message that its token names, and the message's site."""

    token: MessageToken
    site: Site


def fetcher_kind(user_agent: str) -> FetcherKind:
    """Return the kind of fetcher that a User-Agent header stands for."""
    if any(name in user_agent for name in _PROXIES):
        return "proxy"
    agent = user_agent.strip()
    if agent in ("", _APPLE_PRIVACY_AGENT) or agent.lower().startswith(_LIBRARIES):
        return "machine"
    return "machine" if parse_user_agent(agent).device == "bot" else "person"


def fetched_ahead(headers: Mapping[str, str]) -> bool:
    """Tell whether a browser fetches a page ahead of its reader, who has not asked for it yet."""
    return any("prefetch" in headers.get(name, "").lower() for name in _AHEAD)


def opened(link: MessageLink, now_ms: int, client: Client, *, machine: bool) -> EventRow:
    """Return the event that a message was opened: one an hour (`OPEN_ONCE_MS`), machines counted apart."""
    identity = ("open", link.token.message_id, machine, now_ms // OPEN_ONCE_MS)
    properties = {"machine": True} if machine else {}
    return _event("email_opened", link, now_ms, identity, properties, client)


def clicked(link: MessageLink, now_ms: int, client: Client, *, machine: bool) -> EventRow:
    """Return the event that a link of a message was followed; the link's address is the event's `url`."""
    identity = ("click", link.token.message_id, link.token.target, machine, now_ms // REPEAT_MS)
    properties = {"machine": True} if machine else {}
    row = _event("email_clicked", link, now_ms, identity, properties, client)
    return msgspec.structs.replace(row, url=link.token.target[:MAX_TEXT_LENGTH])


def unsubscribed(link: MessageLink, now_ms: int) -> EventRow:
    """Return the event that a person left a message's channel with one click."""
    identity = ("unsubscribe", link.token.message_id, now_ms // REPEAT_MS)
    return _event("unsubscribed", link, now_ms, identity, {"reason": "one_click"})


def chosen(link: MessageLink, now_ms: int, answer: Mapping[str, Any]) -> EventRow:
    """Return the event of an answer on the preference page; repeats are events of their own."""
    properties = {**answer, "source": "preference_page"}
    return _event("consent", link, now_ms, ("consent", uuid.uuid4().hex), properties)


def _event(
    name: str,
    link: MessageLink,
    now_ms: int,
    identity: tuple[object, ...],
    properties: Mapping[str, Any],
    client: Client = _UNKNOWN,
) -> EventRow:
    """Return an event of the person whom the message was for, whichever browser it comes from."""
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
