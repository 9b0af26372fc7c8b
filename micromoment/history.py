"""The import of history: events of a file are stored once, however often the file is loaded."""

from __future__ import annotations

import gzip
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from collector.ingest import IsErased, nobody_is_erased
from collector.intake.draft import Drop, DropReason, Receipt
from collector.intake.pipeline import process
from collector.sites import Site
from micromoment.engine.client import Transfer
from warehouse.errors import ConfigurationError
from warehouse.event import EventRow
from warehouse.own_event import history_notice
from warehouse.queries import read_sql

ROWS_PER_INSERT: Final = 20_000
#: The most ids in one query: a ClickHouse server takes parameters of at most 128 KiB.
_IDS_PER_QUERY: Final = 250
_EXAMPLES: Final = 5
_GZIP_MAGIC: Final = b"\x1f\x8b"
_encode = msgspec.json.Encoder().encode


class ImportReport(msgspec.Struct):
    """The outcome of an import.

    Args:
        stored: the number of new events.
        known: the number of events that were stored before, or stood in the file before.
        dropped: the number of lines that are no event, by reason.
        examples: the first dropped lines, with line number, reason and detail.
    """

    stored: int = 0
    known: int = 0
    dropped: Counter[str] = msgspec.field(default_factory=Counter)
    examples: list[str] = []


def import_file(
    engine: Transfer,
    path: Path,
    site: Site,
    now_ms: int,
    progress: Callable[[int], None],
    is_erased: IsErased = nobody_is_erased,
) -> ImportReport:
    """Store every event of a file that is not stored yet.

    A worker that runs reads the people of the site anew afterwards, so that the import counts at once.

    Cost: for every 20,000 lines, one query for each 250 of them by visitor and time, and one insert.

    Args:
        engine: the ClickHouse database.
        path: a file with one Segment-shaped message in each line; gzip is recognised by its first bytes.
        site: the site that the events belong to.
        now_ms: the time of receipt to store, epoch ms.
        progress: called with the number of bytes of the file that were read since its last call.
        is_erased: tells whether an event is of somebody who was erased since it happened.

    Raises:
        ConfigurationError: the file cannot be read.
        WarehouseError: ClickHouse did not take the rows; another import of the file goes on where this one stopped.
    """
    report = ImportReport()
    reader = _RowReader(site, Receipt(received_at=now_ms, source="import"), report, is_erased)
    try:
        with path.open("rb") as file:
            for rows in reader.chunks(file, progress):
                _store(engine, site.name, rows, report)
    except (OSError, EOFError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from error
    finally:
        if report.stored:
            notice = _encode(history_notice(site.name, time.time_ns() // 1_000_000))
            engine.insert_lines("event_feed", notice, hashlib.sha256(notice).hexdigest())
    return report


class _RowReader:
    """Converts lines to rows, and reports the lines that are no events."""

    def __init__(self, site: Site, receipt: Receipt, report: ImportReport, is_erased: IsErased) -> None:
        self._site = site
        self._receipt = receipt
        self._report = report
        self._is_erased = is_erased
        self._unnamed: Counter[str] = Counter()

    def chunks(self, file: BinaryIO, progress: Callable[[int], None]) -> Iterator[list[EventRow]]:
        """Yield the rows of a file, in lists that are inserted together."""
        packed = file.read(2) == _GZIP_MAGIC
        file.seek(0)
        told = 0
        rows: list[EventRow] = []
        for number, line in enumerate(gzip.GzipFile(fileobj=file) if packed else file, 1):
            row = self._row(number, line)
            if row is not None:
                rows.append(row)
            if len(rows) >= ROWS_PER_INSERT:
                yield rows
                rows = []
                progress(file.tell() - told)
                told = file.tell()
        if rows:
            yield rows
        progress(file.tell() - told)

    def _row(self, number: int, line: bytes) -> EventRow | None:
        text = line.strip()
        if not text:
            return None
        result = process(msgspec.Raw(text), self._site, self._receipt, {})
        if not isinstance(result, Drop) and self._is_erased(result):
            result = Drop(result.event_id, DropReason.ERASED)
        if isinstance(result, Drop):
            self._note(number, result)
            return None
        return result if _names_itself(text) else self._numbered(result)

    def _numbered(self, row: EventRow) -> EventRow:
        """Return the row with an id of its own when an earlier line without an id had the same content."""
        self._unnamed[row.event_id] += 1
        count = self._unnamed[row.event_id]
        return row if count == 1 else msgspec.structs.replace(row, event_id=f"{row.event_id}-{count}")

    def _note(self, number: int, drop: Drop) -> None:
        self._report.dropped[drop.reason] += 1
        if len(self._report.examples) < _EXAMPLES:
            self._report.examples.append(f"line {number}: {drop.reason}: {drop.detail}")


class _MessageId(msgspec.Struct, rename="camel"):
    """The field of a message that names it."""

    message_id: str | int | float | None = None


def _names_itself(line: bytes) -> bool:
    return msgspec.json.decode(line, type=_MessageId).message_id is not None


def _store(engine: Transfer, site: str, rows: Sequence[EventRow], report: ImportReport) -> None:
    known = _stored_before(engine, site, rows)
    fresh: dict[str, EventRow] = {}
    for row in rows:
        if row.event_id not in known:
            fresh.setdefault(row.event_id, row)
    report.known += len(rows) - len(fresh)
    report.stored += len(fresh)
    if fresh:
        lines = b"\n".join(map(_encode, fresh.values()))
        engine.insert_lines("events", lines, hashlib.sha256(lines).hexdigest())


def _stored_before(engine: Transfer, site: str, rows: Sequence[EventRow]) -> set[str]:
    ordered = sorted(rows, key=lambda row: row.visitor_id)
    groups = (ordered[start : start + _IDS_PER_QUERY] for start in range(0, len(ordered), _IDS_PER_QUERY))
    return {event_id for group in groups for event_id in _stored_of(engine, site, group)}


def _stored_of(engine: Transfer, site: str, rows: Sequence[EventRow]) -> set[str]:
    """Return the ids of the rows that are stored already.

    Cost: one query of `events` for the rows' visitors, between the earliest and the latest of their times.
    """
    parameters = {
        "site": site,
        "visitors": sorted({row.visitor_id for row in rows}),
        "events": [row.event_id for row in rows],
        "first": min(row.ts for row in rows),
        "last": max(row.ts for row in rows),
    }
    answer = engine.export(read_sql("micromoment", "stored_events"), "JSONCompactEachRow", parameters=parameters)
    return {msgspec.json.decode(line, type=tuple[str])[0] for line in answer.splitlines()}
