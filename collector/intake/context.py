"""The steps that describe where an event happened: session, page, campaign, device and country."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec
from ua_parser import parse

from collector.intake.draft import Draft, WarningReason, short_text
from collector.intake.zones import find_zone


def copy_session(draft: Draft) -> None:
    """Take the session's id and the event's position in the session."""
    seq = draft.context.get("seq")
    if isinstance(seq, int) and not isinstance(seq, bool) and 0 < seq < 2**32:
        draft.columns["seq"] = seq
    draft.columns["session_id"] = short_text(draft.context.get("sessionId"))


def copy_page(draft: Draft) -> None:
    """Take the page from the context; properties of the same names come later and win.

    A page call's own name stands in for the title where there is none, and its category for the type.
    """
    page, columns = draft.section("page"), draft.columns
    columns["path"] = short_text(page.get("path"))
    columns["url"] = short_text(page.get("url"))
    columns["title"] = short_text(page.get("title", draft.message.name))
    columns["referrer"] = short_text(page.get("referrer"))
    columns["page_type"] = short_text(page.get("type", draft.message.category))
    columns["locale"] = short_text(draft.context.get("locale"))


def copy_campaign(draft: Draft) -> None:
    """Take the campaign that brought the session."""
    campaign = draft.section("campaign")
    if campaign:
        draft.columns["utm_source"] = short_text(campaign.get("source"))
        draft.columns["utm_medium"] = short_text(campaign.get("medium"))
        draft.columns["utm_campaign"] = short_text(campaign.get("name"))


class Client(msgspec.Struct, frozen=True):
    """The device that a user agent describes: desktop, mobile, tablet or bot, with operating system and browser."""

    device: str = ""
    os: str = ""
    browser: str = ""


#: The types of devices that apps name, and ours.
_DEVICE_OF_TYPE: Final = {
    **{each: each for each in ("desktop", "mobile", "tablet", "bot")},
    **dict.fromkeys(("android", "ios", "phone", "smartphone"), "mobile"),
    **dict.fromkeys(("linux", "macos", "windows"), "desktop"),
}


_DEVICE_KEYS: Final = frozenset({"device", "os", "browser"})


def read_user_agent(draft: Draft) -> None:
    """Name device, operating system and browser.

    An app or a server, whose user agent describes nothing, names them in the context.
    """
    agent = draft.context.get("userAgent")
    client = parse_user_agent(agent[:512] if isinstance(agent, str) and agent else draft.receipt.user_agent[:512])
    if not client.device and not _DEVICE_KEYS.isdisjoint(draft.context):
        client = _as_context_says(draft)
    columns = draft.columns
    columns["device"], columns["os"], columns["browser"] = client.device, client.os, client.browser


def _as_context_says(draft: Draft) -> Client:
    is_tablet = short_text(draft.section("device").get("model")).startswith("iPad")
    kind = "tablet" if is_tablet else _said(draft, "device", "type").lower()
    return Client(_DEVICE_OF_TYPE.get(kind, ""), _said(draft, "os", "name"), _said(draft, "browser", "name"))


def _said(draft: Draft, name: str, key: str) -> str:
    """Return what the context says by a name, as text or as an object such as `{"type": "tablet"}`; '' for nothing."""
    value = draft.context.get(name)
    return short_text(value.get(key) if isinstance(value, dict) else value)


@lru_cache(maxsize=4096)
def parse_user_agent(agent: str) -> Client:
    """Return the device that a User-Agent header describes; the header of a server's SDK describes none."""
    if not agent.startswith("Mozilla/"):
        return Client()
    result = parse(agent)
    os = result.os.family if result.os else ""
    browser = result.user_agent.family if result.user_agent else ""
    if result.device and result.device.family == "Spider":
        return Client("bot", os, browser)
    if "iPad" in agent or "Tablet" in agent or ("Android" in agent and "Mobile" not in agent):
        return Client("tablet", os, browser)
    return Client("mobile" if "Mobi" in agent else "desktop", os, browser)


def locate(draft: Draft) -> None:
    """Name the country: as the sender says, else a trusted proxy's header, else from the time zone.

    No address is looked up or kept. A zone whose name is unknown is kept as it is, with a warning.
    """
    place, columns = draft.section("location"), draft.columns
    said = short_text(draft.context.get("timezone"))
    zone = find_zone(said)
    if zone is None and said:
        draft.warn(WarningReason.ZONE_UNKNOWN, "context.timezone is no time zone; send a name such as Europe/Berlin")
    columns["timezone"] = said if zone is None else zone.name
    of_zone = "" if zone is None else zone.country
    columns["country"] = short_text(place.get("country")) or draft.receipt.country or of_zone
    columns["region"] = short_text(place.get("region"))
