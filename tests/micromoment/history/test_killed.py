"""An import that is killed at any instant, and run again: each event is there once, and whatever follows from it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from tests.micromoment.history.files import counts, line
from tests.scratch import scratch_folder
from warehouse.connection import Warehouse, connect
from warehouse.dsn import parse_dsn

LINES: Final = 6000
#: Imports a file in small lists, and tells of each piece that it has read.
SCRIPT: Final = """
import sys
from pathlib import Path
from collector.sites import Site
from micromoment.history import importer
from warehouse.address_ledger import AddressKeys
from warehouse.connection import connect
from warehouse.migrations import migrate
importer.ROWS_PER_INSERT = importer._MESSAGES_AT_ONCE = 150
store = importer.store_rows
def stored(*given):
    print("storing", flush=True)
    return store(*given)
importer.store_rows = stored
with connect(sys.argv[1]) as warehouse:
    migrate(warehouse)
    path, shop = Path(sys.argv[2]), Site("shop", "")
    here = importer.Installation(AddressKeys(b"secret"), path.parent / "data")
    report = importer.import_file(warehouse, path, shop, 1_795_348_800_000, lambda _: None, installation=here)
print("end", report.stored + report.known)
"""


def write_history(path: Path) -> None:
    """Events of people who tell who they are, so that what follows from an event can be counted, too."""
    people = (line(number, userId=f"user-{number}", anonymousId=f"phone-{number}") for number in range(LINES))
    path.write_text("".join(json.dumps(each) + "\n" for each in people))


def start(dsn: str, path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, dsn, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill_while_storing(dsn: str, path: Path, lists: int) -> None:
    """Kill an import while it stores the list of this number, or a little later."""
    with start(dsn, path) as running:
        assert running.stdout is not None
        for _ in range(lists):
            assert running.stdout.readline() == "storing\n"
        # Any instant between a question to ClickHouse and the end of an insert may be the last.
        time.sleep(random.uniform(0, 0.1))
        running.kill()


def assert_everything_is_there_once(warehouse: Warehouse) -> None:
    assert counts(warehouse) == (LINES, LINES)
    ((days,),) = warehouse.query("SELECT sum(n) FROM (SELECT uniqMerge(events) AS n FROM visitor_daily GROUP BY ALL)")
    ((joined,),) = warehouse.query("SELECT uniqExact(alias, person) FROM identity")
    assert (days, joined) == (LINES, LINES)


def through_kills(dsn: str, path: Path) -> None:
    write_history(path)
    for lists in sorted(random.sample(range(2, 30), 3)):
        kill_while_storing(dsn, path, lists)
    with start(dsn, path) as running:
        told, _ = running.communicate()
    assert told.splitlines()[-1] == f"end {LINES}"
    assert not list((path.parent / "data").iterdir())


def test_the_embedded_engine_has_each_event_once(tmp_path: Path) -> None:
    with scratch_folder() as folder:
        dsn = f"chdb://{folder}/clickhouse"
        through_kills(dsn, tmp_path / "history.jsonl")
        # An engine opens one folder in a process: another one asks.
        script = "import sys; sys.path.insert(0, sys.argv[2]); from tests.micromoment.history import test_killed as t; "
        script += "t.ask(sys.argv[1])"
        subprocess.run([sys.executable, "-c", script, dsn, str(Path.cwd())], check=True)


@pytest.mark.listener
def test_a_server_has_each_event_once(listener_databases: object, tmp_path: Path) -> None:
    with listener_databases.lent() as dsn:  # type: ignore[attr-defined]
        through_kills(dsn, tmp_path / "history.jsonl")
        with Warehouse(parse_dsn(dsn)) as warehouse:
            assert_everything_is_there_once(warehouse)


def ask(dsn: str) -> None:
    """Check a database in this process."""
    with connect(dsn) as warehouse:
        assert_everything_is_there_once(warehouse)
