"""The steps that describe where an event happened: session, page, campaign, device and country."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import msgspec
from ua_parser import parse

from collector.intake.draft import Draft, short_text


def copy_session(draft: Draft) -> None:
    """Take the session's id and the event's position in the session."""
    seq = draft.context.get("seq")
    if isinstance(seq, int) and not isinstance(seq, bool) and 0 < seq < 2**32:
        draft.columns["seq"] = seq
    draft.columns["session_id"] = short_text(draft.context.get("sessionId"))


def copy_page(draft: Draft) -> None:
    """Take the page from the context; properties of the same names, which a page call has, come later and win.

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
    **{each: each for each in ("desktop", "mobile", "tablet")},
    **dict.fromkeys(("android", "ios", "phone", "smartphone"), "mobile"),
    **dict.fromkeys(("linux", "macos", "windows"), "desktop"),
}


def read_user_agent(draft: Draft) -> None:
    """Name device, operating system and browser; columns that the message names itself win.

    An app, whose user agent describes nothing, names its device and system in the context.
    """
    agent = draft.context.get("userAgent")
    client = parse_user_agent(agent[:512] if isinstance(agent, str) and agent else draft.receipt.user_agent[:512])
    columns = draft.columns
    if not client.device and ("device" in draft.context or "os" in draft.context):
        client = _as_app_says(draft.section("device"), short_text(draft.section("os").get("name")))
    columns.setdefault("device", client.device)
    columns.setdefault("os", client.os)
    columns.setdefault("browser", client.browser)


def _as_app_says(device: Mapping[str, Any], os: str) -> Client:
    """Return the device of an app, by `context.device` and the name of its operating system."""
    kind, model = short_text(device.get("type")).lower(), short_text(device.get("model"))
    if model.startswith("iPad"):
        kind = "tablet"
    return Client(_DEVICE_OF_TYPE.get(kind, ""), os)


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

    No address is looked up or kept. The zone's country is that of IANA's zone.tab.
    """
    place, columns = draft.section("location"), draft.columns
    zone = short_text(draft.context.get("timezone"))
    columns.setdefault("timezone", zone)
    columns.setdefault("country", short_text(place.get("country")) or draft.receipt.country or country_of_zone(zone))
    columns.setdefault("region", short_text(place.get("region")))


def country_of_zone(zone: str) -> str:
    """Return the two letters of the country that an IANA time zone belongs to, or ''."""
    return _COUNTRIES.get(zone, "")


def _read_zone_table() -> dict[str, str]:
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    return {row[2]: row[0] for row in rows}


_COUNTRIES: Final = _read_zone_table()
