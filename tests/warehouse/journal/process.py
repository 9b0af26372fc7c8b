"""A process with a journal and its mover, made to be killed: `python process.py FOLDER DSN`.

It reads numbers of batches from standard input, appends each batch, and writes a line for each that is durable. When
all are and everything is in ClickHouse, it writes what ClickHouse has.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from tests.waiting import until
from tests.warehouse.journal.journals import key, line
from warehouse.connection import connect
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.log import Journal
from warehouse.journal.mover import Mover
from warehouse.journal.tables import EVENTS, OWN_EVENTS, TABLES, JournalLimits, JournalTable
from warehouse.migrations import migrate

EVENTS_EACH = 20
SENDERS = 8
#: The feed's rows never merge, so that a second copy of an event would be seen there.
STORED = """
SELECT (SELECT uniqExact(event_id) FROM events), (SELECT count() FROM events FINAL),
       (SELECT uniqExact(event_id) FROM event_feed), (SELECT count() FROM event_feed)
"""


async def main(folder: Path, dsn: str) -> None:
    batches = iter(json.loads(sys.stdin.readline()))
    with connect(dsn) as warehouse:
        migrate(warehouse)
        limits = JournalLimits(memory_bytes=20_000, segment_bytes=200_000)
        with JournalThread(Journal(folder, limits)) as journal, Mover(journal, warehouse, _nothing) as mover:
            moving = asyncio.create_task(mover.run())
            await asyncio.gather(*(_send(journal, batches) for _ in range(SENDERS)))
            await until(lambda: not any(journal.depth(table) for table in TABLES))
            moving.cancel()
        print(json.dumps(list(warehouse.query(STORED)[0])), flush=True)


async def _send(journal: JournalThread, batches: object) -> None:
    for number in batches:  # type: ignore[attr-defined]
        names = [f"{number}-{index}" for index in range(EVENTS_EACH)]
        table = OWN_EVENTS if number % 5 == 0 else EVENTS
        now_ms = time.time_ns() // 1_000_000
        await journal.append_async(table, [line(name) for name in names], now_ms, [key(name) for name in names])
        print(number, flush=True)
        await asyncio.sleep(0.01)


async def _nothing(_: JournalTable) -> None:
    return


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
