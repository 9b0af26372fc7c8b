"""Stores events that are not stored yet."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from micromoment.engine.client import Transfer
from micromoment.history.pending import PendingRows
from warehouse.queries import read_sql

#: The most rows that one query asks about, and bytes of their visitors' ids: a ClickHouse server takes parameters of at
#: most 128 KiB each.
_ROWS_PER_QUERY: Final = 8_000
_VISITOR_BYTES_PER_QUERY: Final = 100_000
_MONTHS_PER_INSERT: Final = 90
#: An event of a site: its visitor, and its id, which is the visitor's own.
_Identity = tuple[str, str]
_decode: Final = msgspec.json.Decoder(tuple[str, str]).decode


class StorableLine(msgspec.Struct, frozen=True, gc=False):
    """A row of `events` as JSON, and what it is known by: a list of very many takes no more memory than that."""

    visitor_id: str
    event_id: str
    ts: str
    json: bytes


def store_rows(engine: Transfer, pending: PendingRows, site: str, rows: Sequence[StorableLine]) -> int:
    """Store the rows that are not stored yet, and return how many they were.

    Cost: one query for each 8,000 rows or 100 KB of visitors' ids, found by visitor and time; one insert for each 90
    months that the rows are of.

    Args:
        engine: the ClickHouse database.
        pending: inserts rows.
        site: the site that all of them belong to.
        rows: in any order; of two with one identity the first counts.

    Raises:
        WarehouseError: ClickHouse did not answer, or did not take the rows.
    """
    known = {identity for group in _groups(rows) for identity in _stored_of(engine, site, group)}
    fresh: dict[_Identity, StorableLine] = {}
    for each in rows:
        identity = (each.visitor_id, each.event_id)
        if identity not in known:
            fresh.setdefault(identity, each)
    for lines in _inserts(list(fresh.values())):
        pending.insert(b"\n".join(lines))
    return len(fresh)


def _inserts(rows: Sequence[StorableLine]) -> Iterator[list[bytes]]:
    """Yield the lines of rows that are inserted together: ClickHouse takes those of 100 months at once, and no more."""
    months = sorted({each.ts[:7] for each in rows})
    if len(months) <= _MONTHS_PER_INSERT:
        yield from ([each.json for each in rows],) if rows else ()
        return
    for place in range(0, len(months), _MONTHS_PER_INSERT):
        together = frozenset(months[place : place + _MONTHS_PER_INSERT])
        yield [each.json for each in rows if each.ts[:7] in together]


def _groups(rows: Sequence[StorableLine]) -> Iterator[list[StorableLine]]:
    """Yield the rows by visitor, in groups of which one query can ask."""
    group: list[StorableLine] = []
    visitor, size = "", 0
    for each in sorted(rows, key=lambda each: each.visitor_id):
        if each.visitor_id != visitor:
            visitor = each.visitor_id
            size += len(visitor.encode()) + 3
        if group and (len(group) >= _ROWS_PER_QUERY or size > _VISITOR_BYTES_PER_QUERY):
            yield group
            group, size = [], len(visitor.encode()) + 3
        group.append(each)
    yield group


def _stored_of(engine: Transfer, site: str, rows: Sequence[StorableLine]) -> Iterator[_Identity]:
    """Yield the identities of events that may be among the rows and are stored already.

    Cost: one query of `events` for the rows' visitors, between the earliest and the latest of their times.
    """
    if not rows:
        return
    times = [each.ts for each in rows]
    parameters = {
        "site": site,
        "visitors": sorted({each.visitor_id for each in rows}),
        "sums": sorted({zlib.crc32(each.event_id.encode()) for each in rows}),
        "first": min(times),
        "last": max(times),
    }
    sql = read_sql("micromoment.history", "stored_events")
    for line in engine.export(sql, "JSONCompactEachRow", parameters=parameters).splitlines():
        yield _decode(line)
