"""Erases and exports a person: from ClickHouse, from the journals of this process, and from its memory."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import msgspec

from micromoment.privacy.erasures import Erasures
from warehouse.audit import store_audit
from warehouse.connection import Warehouse
from warehouse.erasure import MAX_IDS, ErasingPerson, erasing, store_tombstones
from warehouse.errors import WarehouseUnavailable
from warehouse.event import format_instant
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.tables import JournalTable
from warehouse.own_event import history_notice
from warehouse.personal_tables import PERSONAL_TABLES
from warehouse.tombstones import Mark, RowOwner

P = ParamSpec("P")
T = TypeVar("T")
DAY_MS: Final = 86_400_000
#: The longest that rows on their way to ClickHouse are waited for.
_SETTLED_WITHIN_SECONDS: Final = 20.0
#: Other processes read the tombstones so often, and store nothing of an erased person after that.
HEARD_WITHIN_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.05
_encode = msgspec.json.Encoder().encode
_read_owner: Final = msgspec.json.Decoder(RowOwner).decode


class ErasureReport(msgspec.Struct, frozen=True):
    """What was erased.

    Args:
        ids: how many ids the person had.
        rows: how many rows each table held.
        waiting: how many rows waited in the journals of the process, and are stored nowhere.
        seconds: how long it took.
    """

    ids: int
    rows: Mapping[str, int]
    waiting: int
    seconds: float


class PersonalData:
    """The personal data of an installation, as far as this process reaches it.

    Args:
        warehouse: the ClickHouse database.
        erasures: the tombstones that this process knows, and who must forget.
        journals: the journals of this process.
        folder: the data folder.
        is_alone: whether no other process stores rows: else they are given time to hear of the erasure.
        tombstone_days: for how many days what arrives late brings nobody back.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        erasures: Erasures,
        journals: Sequence[JournalThread],
        folder: Path,
        *,
        is_alone: bool,
        tombstone_days: int,
    ) -> None:
        self._warehouse = warehouse
        self._erasures = erasures
        self._journals = journals
        self._folder = folder
        self._is_alone = is_alone
        self._tombstone_days = tombstone_days
        self._one_at_a_time = asyncio.Lock()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="personal data")

    def close(self) -> None:
        """End the thread."""
        self._threads.shutdown()

    async def erase(self, site: str, visitor_id: str, actor: str, most_ids: int = MAX_IDS) -> ErasureReport:
        """Erase a person, under every id.

        Args:
            site: the site.
            visitor_id: any id of the person.
            actor: who asks, for the audit.
            most_ids: more ids than this are taken for several persons, and nothing is erased.

        Raises:
            WarehouseError: it is not done, or not all of it; to be asked again.
            JournalError: the journal cannot be written.

        Cost: each part of a table that holds rows of the person is written anew.
        """
        async with self._one_at_a_time, self._person(site) as person:
            started = time.monotonic()
            ids = await self._find(person, visitor_id, most_ids)
            waiting = await self._waiting(site, ids)
            await self._bury(person, ids)
            await self._settle()
            # What was on its way may have joined further ids, and be about further messages.
            ids = await self._run(person.find_ids, visitor_id, most_ids)
            await self._bury(person, ids)
            if not self._is_alone:
                await asyncio.sleep(2 * HEARD_WITHIN_SECONDS)
            rows = await self._erase_rows(person)
            await self._clear(site, ids)
            report = ErasureReport(len(ids), dict(rows), len(waiting), round(time.monotonic() - started, 3))
            told = {"site": site, "ids": report.ids, "rows": report.rows, "waiting": report.waiting}
            await self._run(store_audit, self._warehouse, actor, "erase", told)
        return report

    async def export(self, site: str, visitor_id: str, actor: str, most_ids: int = MAX_IDS) -> AsyncIterator[bytes]:
        """Yield all that is known of a person, as lines of JSON.

        Args:
            site, visitor_id, actor, most_ids: as in `erase`.

        Raises:
            WarehouseError: something could not be read.

        Cost: one query for each table.
        """
        async with self._one_at_a_time, self._person(site) as person:
            ids = await self._find(person, visitor_id, most_ids)
            head = {"site": site, "ids": ids, "exported_at": format_instant(time.time_ns() // 1_000_000)}
            yield _encode({"person": head}) + b"\n"
            rows: Counter[str] = Counter()
            for table in PERSONAL_TABLES:
                while page := await self._run(_exported, person, table, rows[table]):
                    rows[table] += len(page)
                    yield b"".join(page)
            waiting = await self._waiting(site, ids)
            yield b"".join(b'{"waiting":"%s","row":%s}\n' % (table.name.encode(), line) for table, line in waiting)
            told = {"site": site, "ids": len(ids), "rows": rows, "waiting": len(waiting)}
            await self._run(store_audit, self._warehouse, actor, "export", told)

    async def _find(self, person: ErasingPerson, visitor_id: str, most_ids: int) -> list[str]:
        """Return every id of a person, also those that rows on their way to ClickHouse tell of."""
        await self._settle()
        return await self._run(person.find_ids, visitor_id, most_ids)

    async def _bury(self, person: ErasingPerson, ids: Iterable[str]) -> None:
        """Keep what arrives late from being stored, here at once and elsewhere soon, and have this process forget."""
        now_ms, tombstones = time.time_ns() // 1_000_000, self._erasures.tombstones
        ids = set(ids)
        hashes = [tombstones.mark_of(person.site, each) for each in ids]
        messages = await self._run(person.message_ids)
        hashes += [tombstones.mark_of_message(person.site, each) for each in messages]
        marks = [Mark(each, now_ms) for each in hashes]
        await self._run(store_tombstones, self._warehouse, marks, now_ms + self._tombstone_days * DAY_MS)
        self._erasures.take(marks, {(person.site, each) for each in ids})

    async def _erase_rows(self, person: ErasingPerson) -> Counter[str]:
        """Remove the rows of a person from every table, and those that came while they were removed."""
        erased: Counter[str] = Counter()
        for _ in range(3):
            found = await self._run(person.count)
            erased.update(found)
            if not any(found.values()):
                break
            await self._run(person.erase, found)
        return erased

    async def _clear(self, site: str, ids: Sequence[str]) -> None:
        """Remove the person from the files of journals and from memory, here and elsewhere."""
        for journal in self._journals:
            await journal.renew_async(self._erasures.may_store)
        await self._run(_remove_leftovers, self._folder, [each.encode() for each in ids])
        # Who was read while the rows were removed is known again.
        self._erasures.forget({(site, each) for each in ids})
        if not self._is_alone:
            notice = history_notice(site, time.time_ns() // 1_000_000)
            await self._run(self._warehouse.insert_lines, "event_feed", _encode(notice), notice["event_id"])

    async def _settle(self) -> None:
        """Wait until the rows that were taken until now are in ClickHouse."""
        asked_at, give_up_at = time.time_ns() // 1_000_000, time.monotonic() + _SETTLED_WITHIN_SECONDS
        while any((oldest := journal.oldest_at()) is not None and oldest <= asked_at for journal in self._journals):
            if time.monotonic() > give_up_at:
                raise WarehouseUnavailable("rows wait in the journal for longer than 20 s", "bring ClickHouse back")
            await asyncio.sleep(_POLL_SECONDS)

    async def _waiting(self, site: str, ids: Iterable[str]) -> list[tuple[JournalTable, bytes]]:
        """Return the rows about a person that wait in the journals of this process, or were set aside there."""
        wanted = set(ids)

        def is_wanted(_: JournalTable, line: bytes) -> bool:
            try:
                owner = _read_owner(line)
            except (msgspec.MsgspecError, UnicodeError):
                return False
            return owner.site == site and not wanted.isdisjoint((owner.visitor_id, owner.anonymous_id, owner.user_id))

        found = []
        for journal in self._journals:
            found += await journal.find_async(is_wanted)
        return found

    @asynccontextmanager
    async def _person(self, site: str) -> AsyncIterator[ErasingPerson]:
        opened = erasing(self._warehouse, site)
        person = await self._run(opened.__enter__)
        try:
            yield person
        finally:
            await self._run(opened.__exit__, None, None, None)

    async def _run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: call(*args, **kwargs))


def _exported(person: ErasingPerson, table: str, first: int) -> list[bytes]:
    """Return further rows of a table about a person, each as a line of an export."""
    return [b'{"table":"%s","row":%s}\n' % (table.encode(), line) for line in person.export(table, first)]


def _remove_leftovers(folder: Path, needles: Sequence[bytes]) -> None:
    """Remove what journals and earlier versions left aside, where it names an id: none of it is read by anybody.

    Args:
        folder: the data folder.
        needles: the ids.
    """
    aside = [*folder.glob("journal*/damaged/*"), *folder.glob("spool.sqlite.*"), *folder.glob("import-*.rows")]
    for path in aside:
        content = path.read_bytes() if path.is_file() else b""
        if any(needle in content for needle in needles):
            path.unlink()
    for empty in folder.glob("journal*/damaged"):
        if not any(empty.iterdir()):
            shutil.rmtree(empty, ignore_errors=True)
