"""The one place that reads times: any JSON value becomes an instant, a wall time or a day, or a named trouble."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Final

from warehouse.event import epoch_ms
from warehouse.time_text import ReadTime, TimeTrouble, read_number, read_text

#: What happened before is no event of ours: it comes of a wrong unit, or of a clock that was never set. 2000-01-01.
EARLIEST_MS: Final = 946_684_800_000
#: 2100-01-01, the end of what DateTime64 holds safely in every function.
LATEST_MS: Final = 4_102_444_800_000

#: Objects inside each other that a time may be.
_MOST_NESTED: Final = 3
_SECOND: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d", re.ASCII)
#: What follows the second in most texts that are not JavaScript's.
_TAIL: Final = re.compile(r"(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))?", re.ASCII)


def read_time(value: object) -> ReadTime | TimeTrouble:
    """Return the time that a JSON value says, of any year.

    Args:
        value: text in one of the forms of `docs/events.md`, a number since 1970, or an object such as
            `{"$date": ...}` around one.
    """
    return _read(value, 0)


def read_event_time(value: object) -> int | TimeTrouble:
    """Return the epoch ms of an instant at which an event may have happened, between 2000 and 2100.

    Args:
        value: as in `read_time`; what has no zone is read as UTC, and a day as its beginning.
    """
    moment = _read_usual(value) if type(value) is str else None
    if moment is None:
        found = _read(value, 0)
        if isinstance(found, TimeTrouble):
            return found
        moment = found.ms
    return moment if EARLIEST_MS <= moment < LATEST_MS else TimeTrouble.OUT_OF_RANGE


def event_time(value: object) -> int | None:
    """Return what `read_event_time` does, None where the value is no time of an event."""
    found = read_event_time(value)
    return None if isinstance(found, TimeTrouble) else found


def is_said(value: object) -> bool:
    """Tell whether a sender gave a time at all: null and blank text are none."""
    return value is not None and not (isinstance(value, str) and (not value or value.isspace()))


def _read(value: object, depth: int) -> ReadTime | TimeTrouble:
    if isinstance(value, str):
        return read_text(value)
    if isinstance(value, dict) and depth < _MOST_NESTED:
        return _read_object(value, depth)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return TimeTrouble.NO_FORM
    return read_number(value)


def _read_object(value: dict[str, object], depth: int) -> ReadTime | TimeTrouble:
    """Return the time of MongoDB's extended JSON, or of a timestamp of Firestore or Protocol Buffers."""
    if len(value) == 1:
        name, inner = next(iter(value.items()))
        if name in {"$date", "$numberLong", "$numberDouble"}:
            return _read(inner, depth + 1)
    for seconds, rest in (("seconds", "nanoseconds"), ("seconds", "nanos"), ("_seconds", "_nanoseconds")):
        if value.keys() == {seconds, rest} and isinstance(nanos := value[rest], int) and 0 <= nanos < 10**9:
            found = _read(value[seconds], depth + 1)
            return ReadTime(found.ms + nanos // 1_000_000, "instant") if isinstance(found, ReadTime) else found
    return TimeTrouble.NO_FORM


def _read_usual(value: str) -> int | None:
    """Return the epoch ms of a text in the form of browsers or most libraries, None for any other."""
    # As browsers write it, `2026-11-22T12:00:00.250Z`: events of one minute share their seconds.
    if len(value) == 24 and value[19] == "." and value[23] == "Z":
        fraction = value[20:23]
        if fraction.isdigit() and fraction.isascii():
            second = _read_second(value[:19])
            return None if second is None else second + int(fraction)
        return None
    tail = _TAIL.fullmatch(value, 19)
    second = _read_second(value[:19]) if tail else None
    if tail is None or second is None:
        return None
    digits, sign, hours, minutes = tail.groups()
    if digits:
        second += int(digits[:3].ljust(3, "0"))
    if sign:
        if hours > "23" or minutes > "59":
            return None
        offset = (int(hours) * 60 + int(minutes)) * 60_000
        second += offset if sign == "-" else -offset
    return second


@lru_cache(maxsize=1024)
def _read_second(value: str) -> int | None:
    """Return the epoch ms of a text without zone and fraction; the cache holds texts of 19 characters."""
    if not _SECOND.fullmatch(value):
        return None
    try:
        return epoch_ms(datetime.fromisoformat(value))
    except ValueError:
        # Leap seconds, and 24:00.
        found = read_text(value)
    return found.ms if isinstance(found, ReadTime) else None
