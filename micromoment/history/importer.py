"""The import of a file: it is read and stored at the same time, each event once however often it is loaded."""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from collector.ingest import IsErased, nobody_is_erased
from collector.intake.draft import Drop, DropReason, Receipt
from collector.intake.mending import mend
from collector.intake.orders import is_named_by_order
from collector.intake.pipeline import run_each
from collector.intake.row import EncodedRow
from collector.sites import Site
from micromoment.engine.client import Transfer
from micromoment.history.formats import Asked, ImportCircumstances, Messages, find_format
from micromoment.history.lines import FileText
from micromoment.history.packed import Unpacked
from micromoment.history.pending import pending_rows, tell_workers
from micromoment.history.report import ImportReport
from micromoment.history.stored import StorableLine, store_rows
from micromoment.history.suppressions import Suppression
from warehouse.address_ledger import AddressKeys
from warehouse.errors import ConfigurationError
from warehouse.event import EventRow

#: Rows, and bytes of them, that are stored together. Three such lists are in memory at most: one that is stored, one
#: that waits, one that is made.
ROWS_PER_INSERT: Final = 50_000
BYTES_PER_INSERT: Final = 16 * 1024**2
#: Messages that are converted with one knowledge of what they share.
_MESSAGES_AT_ONCE: Final = 1_000
#: The path that stands for the standard input.
STANDARD_INPUT: Final = Path("-")
_encode: Final = msgspec.json.Encoder().encode
_read_row: Final = msgspec.json.Decoder(EventRow).decode


class Installation(msgspec.Struct, frozen=True):
    """What an import needs to know of the installation.

    Args:
        keys: turns addresses into keys of the ledger.
        folder: the data folder.
    """

    keys: AddressKeys
    folder: Path


def import_file(
    engine: Transfer,
    path: Path,
    site: Site,
    now_ms: int,
    progress: Callable[[int], None],
    is_erased: IsErased = nobody_is_erased,
    *,
    asked: Asked = Asked(),  # noqa: B008 - frozen
    installation: Installation | None = None,
) -> ImportReport:
    """Store every event of a file that is not stored yet, or every address of a list that gets no more mail.

    A worker that runs reads the people of the site anew afterwards, so that the import counts at once. What is damaged
    of the file is passed over, and told. Memory: three lists of `BYTES_PER_INSERT`, and 2 MiB of the file.

    Cost: for every 50,000 events, the queries of `store_rows`, and one insert.

    Args:
        engine: the ClickHouse database.
        path: the file, `STANDARD_INPUT` for the standard input.
        site: the site that the events belong to.
        now_ms: the time of receipt to store, epoch ms.
        progress: called with the number of bytes of the file that were read since its last call.
        is_erased: tells whether an event is of somebody who was erased since it happened.
        asked: what the operator says of the file.
        installation: what it needs to know of the installation; without it, no list of addresses is taken, and what a
            killed process leaves half stored stays so.

    Raises:
        ConfigurationError: the file cannot be read, or holds nothing that can be imported.
        WarehouseError: ClickHouse did not take the rows; another import of the file goes on where this one stopped.
    """
    report = ImportReport()
    folder = installation.folder if installation else None

    def may_store(line: bytes) -> bool:
        return not is_erased(_read_row(line))

    try:
        with pending_rows(engine, folder, may_store) as pending, _opened(path) as file:
            unpacked = Unpacked(_counted(file, progress), report.damage.append)
            text = FileText(unpacked.blocks(), asked.encoding)
            if not text.head and not report.damage:
                return report
            importing = ImportCircumstances(report, now_ms, sets_apart=site.identity != "off")
            found = find_format(unpacked, text, asked, importing, str(path))
            report.described = found.described
            if found.messages is not None:
                making = _RowMaking(site, Receipt(received_at=now_ms, source="import"), report, is_erased)
                _store_all(partial(store_rows, engine, pending, site.name), making.lists(found.messages), report)
            elif found.suppressions is not None and installation is not None:
                report.are_facts = True
                _store_facts(engine, found.suppressions.suppressions(installation.keys, site.name, now_ms), report)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from error
    finally:
        if report.stored:
            tell_workers(engine, site.name)
    return report


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with path.open("rb") as file:
        yield file


def _counted(file: BinaryIO, progress: Callable[[int], None]) -> Callable[[int], bytes]:
    def read(size: int) -> bytes:
        data = file.read(size)
        progress(len(data))
        return data

    return read


class _RowMaking:
    """Converts messages to rows, and notes those that are no events."""

    def __init__(self, site: Site, receipt: Receipt, report: ImportReport, is_erased: IsErased) -> None:
        self._site = site
        self._receipt = receipt
        self._report = report
        self._is_erased = is_erased

    def lists(self, messages: Messages) -> Iterator[list[StorableLine]]:
        """Yield the rows in lists that are stored together."""
        rows: list[StorableLine] = []
        size = 0
        with closing(_Repeats()) as repeats:
            while portion := list(islice(messages, _MESSAGES_AT_ONCE)):
                for row in self._rows(portion, repeats):
                    rows.append(row)
                    size += len(row.json)
                if len(rows) >= ROWS_PER_INSERT or size >= BYTES_PER_INSERT:
                    yield rows
                    rows, size = [], 0
        if rows:
            yield rows

    def _rows(self, portion: Sequence[tuple[int, bytes]], repeats: _Repeats) -> Iterator[StorableLine]:
        self._report.lines += len(portion)
        raw = (msgspec.Raw(message) for _, message in portion)
        results = run_each(raw, self._site, self._receipt)
        for (number, message), result in zip(portion, results, strict=True):
            if isinstance(result, Drop):
                self._report.drop(number, result.reason, result.detail)
            elif self._is_erased(result.row):
                self._report.drop(number, DropReason.ERASED, "")
            else:
                for warning in result.warnings:
                    self._report.warn(number, warning.reason, warning.detail)
                made = result if _names_itself(result, message) else repeats.numbered(result)
                yield StorableLine(made.row.visitor_id, made.row.event_id, made.row.ts, made.line)


class _Repeats:
    """How often a line without an id was there before with the same content; on disk, for there may be very many."""

    def __init__(self) -> None:
        # Without a name it is a file of its own that is removed with the connection.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID")

    def close(self) -> None:
        """Remove what was kept."""
        self._database.close()

    def numbered(self, made: EncodedRow) -> EncodedRow:
        """Return a row with an id of its own when an earlier line without an id had the same content."""
        sql = "INSERT INTO seen VALUES (?, 1) ON CONFLICT DO UPDATE SET times = times + 1 RETURNING times"
        ((count,),) = self._database.execute(sql, (made.row.event_id,)).fetchall()
        if count == 1:
            return made
        row = msgspec.structs.replace(made.row, event_id=f"{made.row.event_id}-{count}")
        return msgspec.structs.replace(made, row=row, line=_encode(row))


class _MessageId(msgspec.Struct, rename="camel"):
    """The field of a message that names it."""

    message_id: str | int | float | None = None


_read_message_id: Final = msgspec.json.Decoder(_MessageId).decode


def _names_itself(made: EncodedRow, message: bytes) -> bool:
    """Tell whether a message has an id of its own. What is derived from its content is a UUID of version 5."""
    event_id = made.row.event_id
    if len(event_id) != 36 or event_id[14] != "5" or is_named_by_order(made.row):
        return True
    try:
        return _read_message_id(message).message_id is not None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        # The pipeline mended it.
        mended = mend(message)
        value = mended.value if mended is not None else None
        return isinstance(value, dict) and value.get("messageId") is not None


def _store_all(
    store: Callable[[Sequence[StorableLine]], int], lists: Iterable[list[StorableLine]], report: ImportReport
) -> None:
    """Store lists of rows in their order, each while the next are made."""
    storing: deque[tuple[int, Future[int]]] = deque()

    def settle(most: int) -> None:
        while len(storing) > most:
            count, stored = storing.popleft()
            new = stored.result()
            report.stored += new
            report.known += count - new

    with ThreadPoolExecutor(1, thread_name_prefix="import") as thread:
        try:
            for rows in lists:
                settle(1)
                storing.append((len(rows), thread.submit(store, rows)))
            settle(0)
        except BaseException:
            thread.shutdown(cancel_futures=True)
            raise


def _store_facts(engine: Transfer, suppressions: Iterator[Suppression], report: ImportReport) -> None:
    """Store what a list says of addresses; the same again replaces itself."""
    while portion := list(islice(suppressions, ROWS_PER_INSERT)):
        report.lines += len(portion)
        for each in portion:
            if each.reason:
                (report.drop if each.fact is None else report.warn)(each.number, each.reason, each.detail)
        lines = b"\n".join(_encode(each.fact.row()) for each in portion if each.fact is not None)
        if lines:
            engine.insert_lines("address_facts", lines, hashlib.sha256(lines).hexdigest())
            report.stored += lines.count(b"\n") + 1
