from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.warehouse.journal.journals import NOON, append, finish, line, names, take
from warehouse.errors import ConfigurationError
from warehouse.journal import adoption
from warehouse.journal.adoption import adopt_spool
from warehouse.journal.log import Journal
from warehouse.journal.tables import EVENTS

#: As version 0.1 made it.
SCHEMA = """
CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, batch TEXT, line BLOB NOT NULL);
CREATE INDEX event_batch ON event (batch, seq);
CREATE TABLE seen (site TEXT, event_id TEXT, at INTEGER NOT NULL, PRIMARY KEY (site, event_id)) WITHOUT ROWID;
CREATE TABLE refused (line BLOB NOT NULL, reason TEXT NOT NULL);
"""
TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """An open batch of two events, 20 that wait, one that was refused, and one that left."""
    path = tmp_path / "spool.sqlite"
    fill(path, 20)
    return path


def fill(path: Path, waiting: int, first: int = 0) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(SCHEMA)
        events = [("begun-0", TOKEN), ("begun-1", TOKEN), *((f"e{first + each}", None) for each in range(waiting))]
        database.executemany("INSERT INTO event (line, batch) VALUES (?, ?)", [(line(name), to) for name, to in events])
        database.execute("INSERT INTO refused VALUES (?, 'no')", (line("refused"),))
        seen = [("shop", name, NOON) for name, _ in events] + [("shop", "left", NOON)]
        database.executemany("INSERT INTO seen VALUES (?, ?, ?)", seen)
        database.commit()


EXPECTED = ["begun-0", "begun-1", *(f"e{each}" for each in range(20)), "refused"]


def moved(journal: Journal) -> list[str]:
    found = []
    while (batch := take(journal, 7)) is not None:
        found += names(batch)
        finish(journal, batch)
    return found


def test_everything_of_the_spool_is_in_the_journal_in_order_and_its_batch_keeps_its_token(
    tmp_path: Path, spool: Path
) -> None:
    with Journal(tmp_path / "journal") as journal:
        adopt_spool(journal, spool, NOON)
        first = take(journal)
        assert first is not None
        assert (first.token, names(first)) == (TOKEN, EXPECTED[:2])
    with Journal(tmp_path / "journal") as journal:
        assert take(journal) == first
        assert moved(journal) == EXPECTED
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal", "spool.sqlite.adopted"]


def test_ids_of_what_waits_in_the_spool_are_known(tmp_path: Path, spool: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        adopt_spool(journal, spool, NOON)
    with Journal(tmp_path / "journal") as journal:
        assert append(journal, "begun-1", "e3", "refused", "new") == ["begun-1", "e3", "refused"]


def test_ids_of_the_spool_are_durable_before_it_is_renamed(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(tmp_path / "journal") as journal:
        synced: list[bool] = []
        original = journal.seen.sync

        def sync() -> None:
            synced.append(spool.exists())
            original()

        monkeypatch.setattr(journal.seen, "sync", sync)
        adopt_spool(journal, spool, NOON)
        assert synced == [True]


def test_without_a_spool_nothing_happens(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        adopt_spool(journal, tmp_path / "spool.sqlite", NOON)
        assert journal.size == 0


@pytest.mark.parametrize("commits", range(7))
def test_a_crash_on_the_way_loses_nothing_and_doubles_nothing(
    tmp_path: Path, spool: Path, commits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "_ROWS_AT_ONCE", 5)
    with Journal(tmp_path / "journal") as journal:
        monkeypatch.setattr(journal, "commit", _crashing(journal.commit, commits))
        with pytest.raises(KeyboardInterrupt):
            adopt_spool(journal, spool, NOON)
    with Journal(tmp_path / "journal") as journal:
        adopt_spool(journal, spool, NOON)
        assert moved(journal) == EXPECTED
        assert append(journal, "begun-0", "e3") == ["begun-0", "e3"]


def test_a_crash_before_the_file_is_renamed_adopts_nothing_again(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(tmp_path / "journal") as journal, monkeypatch.context() as patched:
        patched.setattr(Path, "rename", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            adopt_spool(journal, spool, NOON)
    with Journal(tmp_path / "journal") as journal:
        adopt_spool(journal, spool, NOON)
        assert moved(journal) == EXPECTED


def test_a_spool_that_the_earlier_version_made_again_is_another_one(tmp_path: Path, spool: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        adopt_spool(journal, spool, NOON)
    fill(spool, 3, first=100)
    with Journal(tmp_path / "journal") as journal:
        adopt_spool(journal, spool, NOON)
        assert moved(journal) == [*EXPECTED, "begun-0", "begun-1", "e100", "e101", "e102", "refused"]


def test_a_spool_in_use_is_refused_with_the_remedy(
    tmp_path: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "_LOCK_WAIT_SECONDS", 0.01)
    with closing(sqlite3.connect(spool, isolation_level=None)) as other, Journal(tmp_path / "journal") as journal:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConfigurationError) as caught:
            adopt_spool(journal, spool, NOON)
    assert str(spool) in caught.value.message
    assert spool.exists()


def test_a_damaged_spool_is_set_aside_and_what_is_readable_taken_over(tmp_path: Path) -> None:
    spool = tmp_path / "spool.sqlite"
    fill(spool, 2_000)
    damaged = bytearray(spool.read_bytes())
    place = damaged.find(line("e900"))
    damaged[place : place + 20_000] = b"\xff" * 20_000
    spool.write_bytes(damaged)
    with Journal(tmp_path / "journal") as journal, capture_logs() as logs:
        adopt_spool(journal, spool, NOON)
        assert "spool_damaged" in [entry["event"] for entry in logs]
        assert 500 < journal.depth(EVENTS) < 1_000
    assert (tmp_path / "spool.sqlite.damaged").exists()


def test_a_file_that_is_no_spool_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "spool.sqlite").write_bytes(b"something else altogether" * 100)
    with Journal(tmp_path / "journal") as journal, capture_logs():
        adopt_spool(journal, tmp_path / "spool.sqlite", NOON)
        assert append(journal, "a") == []
    assert (tmp_path / "spool.sqlite.damaged").exists()


def _crashing(commit: Callable[[], None], after: int) -> Callable[[], None]:
    left = iter(range(after))

    def crash() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        commit()

    return crash


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
