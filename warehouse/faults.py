"""What senders did wrong on the last day: events that were not kept, or not as they were sent, by site and code."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec

from warehouse.event import format_time
from warehouse.queries import Inserts, Queries

#: An event that was not kept; one that was not kept as it was sent.
FaultKind = Literal["drop", "warning"]
#: The length of the times whose counts are added up.
SLOT_MS: Final = 300_000
_DAY_MS: Final = 86_400_000
_VARIETIES: Final = 8
_COUNTS: Final = """
SELECT site, kind, code, sum(events) AS total, argMax(remedy, at), toString(max(at)) FROM faults
WHERE slot > {since:DateTime('UTC')} AND (site = {site:String} OR {site:String} = '')
GROUP BY site, kind, code ORDER BY site, kind, total DESC, code
"""
#: The latest three different examples of each site and code.
_EXAMPLES: Final = """
SELECT site, kind, code, toString(max(at)) AS latest, event, sender, detail FROM faults
WHERE slot > {since:DateTime('UTC')} AND (site = {site:String} OR {site:String} = '')
GROUP BY site, kind, code, event, sender, detail ORDER BY latest DESC, event, sender, detail
LIMIT 3 BY site, kind, code
"""


_encode: Final = msgspec.json.Encoder().encode


class FaultRow(msgspec.Struct, frozen=True):
    """A row of `faults`: so many events of five minutes, and one of them as an example.

    Args:
        variety: `variety_of` the example.
        events: how many; 0 where another row counts them, and this one has a further example.
    """

    site: str
    kind: FaultKind
    code: str
    slot: str
    variety: int
    events: int
    remedy: str
    at: str
    event: str
    sender: str
    detail: str


class FaultExample(msgspec.Struct, frozen=True):
    """One event with a fault.

    Args:
        at: when it was received, in UTC.
        event: its name, '' where it has none or none that can be told.
        sender: library and version, as the sender says it; '' where it does not.
        detail: what is wrong with it, without values.
    """

    at: str
    event: str
    sender: str
    detail: str


class Fault(msgspec.Struct, frozen=True):
    """What became of events of a site for one reason, on the last day.

    Args:
        site: the site.
        kind: whether the events were dropped.
        code: of the closed set of its kind.
        events: how many.
        remedy: what whoever sends them can do.
        last_at: when the latest was received, about, in UTC.
        examples: the latest different ones.
    """

    site: str
    kind: FaultKind
    code: str
    events: int
    remedy: str
    last_at: str
    examples: list[FaultExample]


def slot_of(now_ms: int) -> str:
    """Return the five minutes of an instant, epoch ms, as a row has them."""
    return format_time(now_ms // SLOT_MS * SLOT_MS)[:19]


def variety_of(event: str, sender: str, detail: str) -> int:
    """Return the number by which different examples of five minutes are told apart, as far as it goes."""
    return zlib.crc32("\0".join((event, sender, detail)).encode("utf-8", "replace")) % _VARIETIES


def store_faults(warehouse: Inserts, rows: Iterable[FaultRow]) -> None:
    """Store rows of a command, which has no journal; a collector's go by way of its journal.

    Cost: one insert, none for no rows.
    """
    if lines := b"\n".join(map(_encode, rows)):
        warehouse.insert_lines("faults", lines, uuid.uuid4().hex)


def read_faults(queries: Queries, now_ms: int, site: str = "") -> list[Fault]:
    """Return the faults of the last day, site by site, drops first, the most frequent first.

    Cost: two queries over a small table: at most 2,304 rows a day for each site and code, once they are merged.

    Args:
        queries: the ClickHouse database.
        now_ms: the present, epoch ms.
        site: only this site's; '' for all.
    """
    bound = {"since": format_time(now_ms - _DAY_MS - SLOT_MS)[:19], "site": site}
    examples: dict[tuple[Any, ...], list[FaultExample]] = {}
    for *key, at, event, sender, detail in queries.query(_EXAMPLES, bound):
        examples.setdefault(tuple(key), []).append(FaultExample(at, event, sender, detail))
    return [
        Fault(name, kind, code, int(events), remedy, last_at, examples.get((name, kind, code), []))
        for name, kind, code, events, remedy, last_at in queries.query(_COUNTS, bound)
    ]
