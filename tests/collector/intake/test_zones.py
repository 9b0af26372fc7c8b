"""Countries of time zones, under every name that browsers use."""

from __future__ import annotations

from importlib.resources import files

import msgspec
import pytest
from babel.core import get_global

from collector.intake import pipeline
from collector.intake.draft import WarningReason
from collector.intake.zones import find_zone
from tests.collector.messages import RECEIPT, SHOP, kept, message

#: Clocks that no single country has, and what says that there is none.
NOBODYS = frozenset({"CET", "EET", "EST", "MET", "MST", "WET", "Factory"})
#: CLDR counts them to no country, or to the one whose clock they show; tzdata's own table says where they lie.
OUR_WORD = {"America/Coyhaique": "CL", "Antarctica/Troll": "AQ", "Antarctica/South_Pole": "AQ"}


def names() -> list[str]:
    return files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()


def by_cldr(name: str) -> str:
    """The country of a zone as ICU, which browsers are built with, has it."""
    territories, aliases = get_global("zone_territories"), get_global("zone_aliases")
    found = territories.get(name) or territories.get(aliases.get(name, name)) or ""
    return "" if found in {"001", "ZZ"} else found


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Europe/Berlin", "DE"),
        ("America/New_York", "US"),
        ("Asia/Tokyo", "JP"),
        # As Chromium and Safari write them.
        ("Asia/Calcutta", "IN"),
        ("Asia/Saigon", "VN"),
        ("Asia/Katmandu", "NP"),
        ("Asia/Rangoon", "MM"),
        ("Europe/Kiev", "UA"),
        ("America/Buenos_Aires", "AR"),
        ("America/Indianapolis", "US"),
        ("America/Godthab", "GL"),
        ("America/Coral_Harbour", "CA"),
        ("Africa/Asmera", "ER"),
        ("Atlantic/Faeroe", "FO"),
        ("Pacific/Truk", "FM"),
        # As Firefox does, and tzdata's own.
        ("Asia/Kolkata", "IN"),
        ("Europe/Kyiv", "UA"),
        ("US/Eastern", "US"),
        ("US/Samoa", "AS"),
        ("GB", "GB"),
        ("GB-Eire", "GB"),
        ("Iceland", "IS"),
        ("EST5EDT", "US"),
        ("US/Pacific-New", "US"),
        # Other spellings.
        ("europe/berlin", "DE"),
        ("ASIA/CALCUTTA", "IN"),
        ("America/New York", "US"),
        (" Asia/Tokyo ", "JP"),
        # Nobody's.
        ("UTC", ""),
        ("Etc/GMT-3", ""),
        ("GMT", ""),
        ("CET", ""),
    ],
)
def test_a_time_zone_belongs_to_a_country(zone: str, country: str) -> None:
    assert kept(message(context={"timezone": zone})).country == country


def test_every_name_of_the_tz_database_belongs_to_the_country_that_browsers_makers_say() -> None:
    ours = {name: zone.country for name in names() if (zone := find_zone(name)) is not None}
    theirs = {name: OUR_WORD.get(name, "" if name in NOBODYS else by_cldr(name)) for name in names()}
    assert ours == theirs


def test_every_name_that_a_browser_may_write_is_known() -> None:
    written = {*get_global("zone_territories"), *get_global("zone_aliases"), *get_global("zone_aliases").values()}
    assert {name for name in written if find_zone(name) is None} == {"Etc/Unknown"}


def test_a_zone_is_stored_as_the_tz_database_spells_it() -> None:
    assert kept(message(context={"timezone": "europe/BERLIN"})).timezone == "Europe/Berlin"
    assert kept(message(context={"timezone": "Asia/Calcutta"})).timezone == "Asia/Calcutta"


@pytest.mark.parametrize("zone", ["Mars/Base", "Etc/Unknown", "+01:00", "W. Europe Standard Time", "UTC+2"])
@pytest.mark.parametrize("place", ["batch", "message"])
def test_a_zone_that_is_none_is_kept_with_a_warning_for_each_event(zone: str, place: str) -> None:
    shared, own = ({"timezone": zone}, {}) if place == "batch" else ({}, {"timezone": zone})
    sent = [msgspec.Raw(msgspec.json.encode(message(messageId=id_, context=own))) for id_ in ("m-1", "m-2")]
    outcome = pipeline.run(sent, SHOP, RECEIPT, shared)
    assert [(row.timezone, row.country) for row in outcome.rows] == [(zone, "")] * 2
    told = [(told.message_id, told.reason) for told in outcome.warnings]
    assert told == [("m-1", WarningReason.ZONE_UNKNOWN), ("m-2", WarningReason.ZONE_UNKNOWN)]


def test_no_zone_is_no_reason_to_warn() -> None:
    sent = msgspec.Raw(msgspec.json.encode(message()))
    assert not pipeline.run([sent], SHOP, RECEIPT, {"timezone": ""}).warnings


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("GMT+0100", "Etc/GMT-1"),
        ("GMT-0500", "Etc/GMT+5"),
        ("GMT+0000", "Etc/GMT"),
        ("UTC+02:00", "Etc/GMT-2"),
        ("GMT+1400", "Etc/GMT-14"),
        ("GMT+0530", "Asia/Kolkata"),
        ("GMT-0930", "Pacific/Marquesas"),
    ],
)
def test_a_distance_from_greenwich_is_a_clock_of_no_country(said: str, name: str) -> None:
    row = kept(message(context={"timezone": said}))
    assert (row.timezone, row.country) == (name, "")


@pytest.mark.parametrize("said", ["GMT+1500", "GMT+0531", "GMT+", "UTC+2", "GMT+01000", "+0100", "GMT+\u0661"])
def test_a_distance_that_no_clock_has_is_no_zone(said: str) -> None:
    assert find_zone(said) is None
