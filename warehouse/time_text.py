"""Times as text, in the forms that senders use: ISO 8601, RFC 2822 and HTTP, SQL, JavaScript, and epoch numbers.

A text whose day and month may be told apart only by guessing, such as `11/12/2026`, is not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Final, Literal

import msgspec

#: What was said: a point in time; the time of a clock on some wall, taken as UTC; a day of the calendar.
TimeKind = Literal["instant", "local", "day"]

#: Longer texts are no times; JavaScript's longest names a zone in brackets.
LONGEST_TEXT: Final = 128
_DAY_MS: Final = 86_400_000
_EPOCH: Final = date(1970, 1, 1).toordinal()


class ReadTime(msgspec.Struct, frozen=True):
    """A time that was read.

    Args:
        ms: epoch ms; of a day its beginning.
        kind: what was said; without a zone it was read as UTC.
    """

    ms: int
    kind: TimeKind


class TimeTrouble(StrEnum):
    """Why something is read as no time; the value continues the sentence "the time ..."."""

    NO_FORM = "has no form that is read; write it as 2026-11-22T12:00:00Z"
    AMBIGUOUS = "does not tell day and month apart; write it as 2026-11-22"
    NO_SUCH_TIME = "names a day or an hour that no calendar or clock has"
    OUT_OF_RANGE = "lies before 2000 or after 2100; check its unit: seconds, ms, us and ns since 1970 are told apart"


_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may",),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "sept", "september"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        1,
    )
    for name in names
}
#: Abbreviations that mean one offset wherever they are used, in minutes: those of RFC 2822, and Europe's.
_ZONES: Final = {
    **dict.fromkeys(("z", "utc", "gmt", "ut", "wet"), 0),
    "est": -300,
    "edt": -240,
    "cst": -360,
    "cdt": -300,
    "mst": -420,
    "mdt": -360,
    "pst": -480,
    "pdt": -420,
    "cet": 60,
    "cest": 120,
    "eet": 120,
    "eest": 180,
    "west": 60,
}


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII | re.IGNORECASE | re.VERBOSE)


_CLOCK: Final = r"""
    (?: (?P<hour>\d\d?) : (?P<minute>\d\d) (?: : (?P<second>\d\d) (?:[.,](?P<fraction>\d+))? )?
      | (?P<hour2>\d\d) (?: (?P<minute2>\d\d) (?: (?P<second2>\d\d) (?:[.,](?P<fraction2>\d+))? )? )? )
    (?: \s* (?P<half>[ap])\.?m\.? )?
"""
# Behind a number, an abbreviation (`+0100 CET`), a name in brackets and Go's clock reading say nothing new.
_ZONE: Final = r"""
    (?: (?P<zone>[a-z]{1,4})? (?P<offset>[+-]\d\d?(?: :?\d\d (?: :?\d\d)? )?)
        (?: \s+ [a-z]{2,5} )? (?: \s+ m=[+-][0-9.]+ )?
      | (?P<only_zone>[a-z]{1,4}) )
    (?: \s* (?: \( [^()]* \) | \[ [^\[\]]* \] ) )?
"""
_REST: Final = rf"(?: (?: \s*T\s* | \s*[,:]\s* | \s+ (?:at\s+)? ) {_CLOCK} )? (?: \s* {_ZONE} )? "
_WEEKDAY: Final = r"(?: (?:mon|tue|wed|thu|fri|sat|sun)[a-z]* \.?,? \s+ )?"
_SUFFIX: Final = r"(?:st|nd|rd|th)?"

_YEAR_FIRST: Final = _pattern(
    rf"""(?: (?P<year>\d{{4}}) (?: (?P<sep>[-/.]) (?P<month>\d\d?) (?P=sep) (?P<day>\d\d?)
                               | (?P<month2>\d\d) (?P<day2>\d\d) )
           | (?P<year3>\d{{4}}) (?: -?W(?P<week>\d\d) -?(?P<weekday>\d) | -?(?P<ordinal>\d\d\d) ) ) (?!\d) {_REST}"""
)
_NAMED_MONTHS: Final = (
    _pattern(
        rf"{_WEEKDAY} (?P<day>\d\d?){_SUFFIX} [\s/-]+ (?P<name>[a-z]+)\.?,? [\s/-]+ (?P<year>\d{{4}}|\d\d) {_REST}"
    ),
    _pattern(rf"{_WEEKDAY} (?P<name>[a-z]+)\.? \s+ (?P<day>\d\d?){_SUFFIX} ,? \s+ (?P<year>\d{{4}}) {_REST}"),
    _pattern(rf"{_WEEKDAY} (?P<name>[a-z]+) \s+ (?P<day>\d\d?) \s+ {_CLOCK} (?: \s+ {_ZONE} )? \s+ (?P<year>\d{{4}})"),
)
_AMBIGUOUS: Final = _pattern(r"\d\d? ([-/.]) \d\d? \1 (?:\d{4}|\d\d) (?:[\s,T].*)?")
#: `/Date(1763600000000+0100)/`, as .NET writes instants.
_DOT_NET: Final = _pattern(r"/Date\( (-?\d+) (?:[+-]\d{4})? \)/")
_NUMBER: Final = _pattern(r"([+-]?) (\d{1,20}) (?:\. (\d+))?")
#: Typographic spaces and the minus sign, which `Intl` and ISO 8601 use.
_PLAIN: Final = str.maketrans({"\u202f": " ", "\u00a0": " ", "\u2009": " ", "\u2212": "-"})
_QUOTES: Final = ("'", '"')


def read_text(said: str) -> ReadTime | TimeTrouble:
    """Return the time that a text says; `docs/events.md` lists the forms."""
    text = said.strip()
    if len(text) > LONGEST_TEXT:
        return TimeTrouble.NO_FORM
    if not text.isascii():
        text = text.translate(_PLAIN)
    if text[:1] in _QUOTES and text[-1:] == text[:1]:
        text = text[1:-1].strip()
    if number := _NUMBER.fullmatch(text):
        return _read_number_text(*number.groups(default=""))
    if found := _YEAR_FIRST.fullmatch(text):
        return _built(found, _numbered_day(found))
    if found := _DOT_NET.fullmatch(text):
        return ReadTime(int(found[1]), "instant")
    for pattern in _NAMED_MONTHS:
        if found := pattern.fullmatch(text):
            return _read_named(found)
    return TimeTrouble.AMBIGUOUS if _AMBIGUOUS.fullmatch(text) else TimeTrouble.NO_FORM


def read_number(value: float) -> ReadTime | TimeTrouble:
    """Return the instant of a number of seconds, ms, us or ns since 1970, told apart by its size.

    Below 10^11 it counts seconds (until the year 5138), below 10^14 ms, below 10^17 us, below 10^20 ns. A whole number
    of eight digits that is a date between 1900 and 2100, such as 20261120, is that day.
    """
    if isinstance(value, float):
        if value != value or abs(value) >= _LARGEST:  # noqa: PLR0124 - what is not equal to itself is no number
            return TimeTrouble.NO_FORM
        if not value.is_integer():
            return ReadTime(round(value * 1000) if abs(value) < _SECONDS else _to_ms(int(value)), "instant")
        value = int(value)
    if value >= _LARGEST or value <= -_LARGEST:
        return TimeTrouble.NO_FORM
    if _FIRST_COMPACT <= value <= _LAST_COMPACT and isinstance(day := _compact(str(value)), ReadTime):
        return day
    return ReadTime(_to_ms(value), "instant")


_SECONDS: Final = 10**11
_MS: Final = 10**14
_US: Final = 10**17
_LARGEST: Final = 10**20
_FIRST_COMPACT, _LAST_COMPACT = 1900_01_01, 2100_12_31


def _to_ms(value: int) -> int:
    size = abs(value)
    if size < _SECONDS:
        return value * 1000
    if size < _MS:
        return value
    return value // (1000 if size < _US else 1_000_000)


def _read_number_text(sign: str, digits: str, fraction: str) -> ReadTime | TimeTrouble:
    if not sign and not fraction and len(digits) in {8, 12, 14} and "1900" <= digits[:4] <= "2100":
        compact = _compact(digits)
        if isinstance(compact, ReadTime):
            return compact
    value = int(sign + digits)
    found = read_number(value)
    if not fraction or not isinstance(found, ReadTime) or abs(value) >= _SECONDS:
        return found
    part = int(fraction[:3].ljust(3, "0"))
    return ReadTime(value * 1000 - part if sign == "-" else value * 1000 + part, "instant")


def _compact(digits: str) -> ReadTime | TimeTrouble:
    """Return the time of `20261120`, `202611200102` or `20261120010203`."""
    day = _day(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    clock = [int(digits[place : place + 2]) for place in range(8, len(digits), 2)]
    return _at(day, clock, 0, None) if clock else _whole(day)


def _numbered_day(found: re.Match[str]) -> date | None:
    part = found.groupdict()
    if part["year"] is not None:
        return _day(int(part["year"]), int(part["month"] or part["month2"]), int(part["day"] or part["day2"]))
    year = int(part["year3"])
    try:
        if part["week"] is not None:
            return date.fromisocalendar(year, int(part["week"]), int(part["weekday"]))
        day = date.fromordinal(date(year, 1, 1).toordinal() + int(part["ordinal"]) - 1)
    except (ValueError, OverflowError):
        return None
    return day if day.year == year else None


def _read_named(found: re.Match[str]) -> ReadTime | TimeTrouble:
    month = _MONTHS.get(found["name"].lower())
    if month is None:
        return TimeTrouble.NO_FORM
    year = int(found["year"])
    if len(found["year"]) == 2:
        # By RFC 2822.
        year += 2000 if year < 50 else 1900
    return _built(found, _day(year, month, int(found["day"])))


def _built(found: re.Match[str], day: date | None) -> ReadTime | TimeTrouble:
    """Return the time of a day with what follows it in a text."""
    offset = _offset(found)
    if isinstance(offset, TimeTrouble):
        return offset
    part = found.groupdict()
    clock = [part["hour"], part["minute"], part["second"]]
    fraction = part["fraction"] or part["fraction2"] or ""
    if part["hour2"] is not None:
        clock = [part["hour2"], part["minute2"], part["second2"]]
    numbers = [int(each) for each in clock if each is not None]
    if not numbers:
        return _whole(day)
    if half := part["half"]:
        if not 1 <= numbers[0] <= 12:
            return TimeTrouble.NO_SUCH_TIME
        numbers[0] = numbers[0] % 12 + (12 if half in "pP" else 0)
    return _at(day, numbers, int(fraction[:3].ljust(3, "0")), offset)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _whole(day: date | None) -> ReadTime | TimeTrouble:
    # XML allows a zone behind a day: it stays the same day.
    return TimeTrouble.NO_SUCH_TIME if day is None else ReadTime((day.toordinal() - _EPOCH) * _DAY_MS, "day")


def _at(day: date | None, clock: Sequence[int], ms: int, offset: int | None) -> ReadTime | TimeTrouble:
    """Return the time of a clock on a day.

    A leap second is the first of the next minute, and 24:00 the beginning of the next day.

    Args:
        day: the day, None for none that exists.
        clock: hour, and minute and second if they were said.
        ms: the fraction of the second.
        offset: seconds east of UTC, None for no zone.
    """
    hour, minute, second = (*clock, 0, 0)[:3]
    is_midnight = (hour, minute, second, ms) == (24, 0, 0, 0)
    if day is None or minute > 59 or second > 60 or (hour > 23 and not is_midnight):
        return TimeTrouble.NO_SUCH_TIME
    seconds = hour * 3600 + minute * 60 + second - (offset or 0)
    at = (day.toordinal() - _EPOCH) * _DAY_MS + seconds * 1000 + ms
    return ReadTime(at, "local" if offset is None else "instant")


def _offset(found: re.Match[str]) -> int | TimeTrouble | None:
    """Return the seconds east of UTC that a text says, None for no zone."""
    zone, said = found["zone"] or found["only_zone"], found["offset"]
    minutes = None if zone is None else _ZONES.get(zone.lower())
    if zone is not None and (minutes is None or (said is not None and minutes)):
        return TimeTrouble.NO_FORM
    if said is None:
        return None if minutes is None else minutes * 60
    digits = said[1:].replace(":", "")
    digits = digits if len(digits) % 2 == 0 else f"0{digits}"
    hours, more, seconds = (int(digits[place : place + 2] or 0) for place in (0, 2, 4))
    if hours > 23 or more > 59 or seconds > 59:
        return TimeTrouble.NO_SUCH_TIME
    return (hours * 3600 + more * 60 + seconds) * (-1 if said[0] == "-" else 1)
