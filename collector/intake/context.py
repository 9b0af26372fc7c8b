"""The steps that describe where an event happened: session, page, campaign, device and country."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import msgspec
from ua_parser import parse

from collector.intake.draft import Draft, text
from warehouse.limits import MAX_TEXT_LENGTH

_PAGE_COLUMNS: Final = {"path": "path", "url": "url", "title": "title", "referrer": "referrer", "type": "page_type"}


def copy_session(draft: Draft) -> Draft:
    """Take the session's id and the event's position in the session."""
    seq = draft.context.get("seq")
    position = seq if isinstance(seq, int) and not isinstance(seq, bool) and 0 < seq < 2**32 else None
    return draft.with_columns(session_id=text(draft.context.get("sessionId"))[:MAX_TEXT_LENGTH], seq=position)


def copy_page(draft: Draft) -> Draft:
    """Take the page from the context; properties of the same names, which a page call has, come later and win.

    A page call's own name stands in for the title where there is none.
    """
    page = {"title": draft.message.name, **draft.section("page")}
    columns = {column: _short(page.get(key)) for key, column in _PAGE_COLUMNS.items()}
    return draft.with_columns(**columns, locale=_short(draft.context.get("locale")))


def copy_campaign(draft: Draft) -> Draft:
    """Take the campaign that brought the session."""
    campaign = draft.section("campaign")
    return draft.with_columns(
        utm_source=_short(campaign.get("source")),
        utm_medium=_short(campaign.get("medium")),
        utm_campaign=_short(campaign.get("name")),
    )


class Client(msgspec.Struct, frozen=True):
    """The device that a user agent describes: desktop, mobile, tablet or bot, with operating system and browser."""

    device: str = ""
    os: str = ""
    browser: str = ""


def read_user_agent(draft: Draft) -> Draft:
    """Name device, operating system and browser; columns that the message names itself win."""
    agent = draft.context.get("userAgent")
    client = parse_user_agent(agent[:512] if isinstance(agent, str) and agent else draft.receipt.user_agent[:512])
    found = {"device": client.device, "os": client.os, "browser": client.browser}
    return draft.with_columns(**{name: value for name, value in found.items() if name not in draft.columns})


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


def locate(draft: Draft) -> Draft:
    """Name the country: as the sender says, else a trusted proxy's header, else from the time zone.

    No address is looked up or kept. The zone's country is that of IANA's zone.tab.
    """
    place = draft.section("location")
    zone = _short(draft.context.get("timezone"))
    country = _short(place.get("country")) or draft.receipt.country or country_of_zone(zone)
    found = {"timezone": zone, "country": country, "region": _short(place.get("region"))}
    return draft.with_columns(**{name: value for name, value in found.items() if name not in draft.columns})


def country_of_zone(zone: str) -> str:
    """Return the two letters of the country that an IANA time zone belongs to, or ''."""
    return _COUNTRIES.get(zone, "")


def _read_zone_table() -> dict[str, str]:
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    return {row[2]: row[0] for row in rows}


_COUNTRIES: Final = _read_zone_table()


def _short(value: Any) -> str:  # noqa: ANN401 - whatever a page sent
    return text(value)[:MAX_TEXT_LENGTH]
