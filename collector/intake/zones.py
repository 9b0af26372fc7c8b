"""The countries of time zones, by every name that browsers use for them: tzdata's, its older ones, and ICU's."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

import msgspec


class KnownZone(msgspec.Struct, frozen=True):
    """A time zone.

    Args:
        name: as the tz database spells it.
        country: two letters, '' where the zone belongs to no single country.
    """

    name: str
    country: str


#: Older names that tzdata links to a zone with the same clock in another country, with their own.
_ELSEWHERE: Final = {
    "Africa/Asmera": "ER",
    "Africa/Timbuktu": "ML",
    "America/Coral_Harbour": "CA",
    "America/Virgin": "VI",
    "Antarctica/South_Pole": "AQ",
    "Atlantic/Jan_Mayen": "SJ",
    "Iceland": "IS",
    "Pacific/Ponape": "FM",
    "Pacific/Truk": "FM",
    "Pacific/Yap": "FM",
}
#: Clocks of the United States under the names of POSIX, which are zones of their own.
_POSIX: Final = dict.fromkeys(("EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT"), "US")
#: Names of ICU, which Chromium and Safari use, that tzdata has dropped; with the names that it still has.
_DROPPED: Final = {"US/Pacific-New": "America/Los_Angeles", "Canada/East-Saskatchewan": "America/Regina"}
#: As RudderStack's browser SDK tells the zone. In `UTC+2`, some count to the west.
_DISTANCE: Final = re.compile(r"(?:GMT|UTC)([+-])([0-9]{2}):?([0-9]{2})")
#: Zones without summer time whose distance is no whole number of hours.
_BROKEN_HOURS: Final = {
    "+0330": "Asia/Tehran",
    "+0430": "Asia/Kabul",
    "+0530": "Asia/Kolkata",
    "+0545": "Asia/Kathmandu",
    "+0630": "Asia/Yangon",
    "+0845": "Australia/Eucla",
    "+0930": "Australia/Darwin",
    "-0930": "Pacific/Marquesas",
}
#: Clocks of many countries, which tzdata links to one of them.
_NOBODYS: Final = frozenset({"CET", "EET", "EST", "MET", "MST", "WET"})


def find_zone(text: str) -> KnownZone | None:
    """Return the time zone of a name, whatever its case, with `_` or blanks between words; None for no zone.

    A distance from Greenwich, such as `GMT+0100`, is a clock of nobody's.
    """
    found = _ZONES.get(text)
    if found is None:
        found = _ZONES.get(_SPELLINGS.get(text.casefold().replace(" ", "_"), "")) or _zone_of_distance(text)
    return found


def _zone_of_distance(text: str) -> KnownZone | None:
    """Return the zone that is always so far from Greenwich, with no country: many may have its clock."""
    distance = _DISTANCE.fullmatch(text)
    if distance is None:
        return None
    sign, hours, minutes = distance[1], int(distance[2]), distance[3]
    if minutes != "00":
        name = _BROKEN_HOURS.get(f"{sign}{distance[2]}{minutes}", "")
    else:
        # Names of this kind count to the west.
        name = f"Etc/GMT{'-' if sign == '+' else '+'}{hours}" if hours else "Etc/GMT"
    return KnownZone(name, "") if name in _ZONES else None


def _read_zones() -> dict[str, KnownZone]:
    table = files("tzdata")
    rows = (line.split("\t") for line in _lines(table.joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")))
    countries = {row[2]: row[0] for row in rows}
    data = _lines(table.joinpath("zoneinfo", "tzdata.zi").read_text(encoding="utf-8"))
    links = {alias: target for _, target, alias in (line.split() for line in data if line.startswith("L "))}
    own = {**countries, **_ELSEWHERE, **_POSIX}
    names = _lines(table.joinpath("zones").read_text(encoding="utf-8"))
    zones = {name: KnownZone(name, own.get(name) or _of_link(name, links, own)) for name in names}
    return zones | {old: KnownZone(new, countries[new]) for old, new in _DROPPED.items()}


def _of_link(name: str, links: dict[str, str], countries: dict[str, str]) -> str:
    return "" if name in _NOBODYS else countries.get(links.get(name, ""), "")


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


_ZONES: Final = _read_zones()
_SPELLINGS: Final = {name.casefold(): name for name in _ZONES}
