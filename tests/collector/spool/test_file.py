from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.spool.file import REMEMBERED_MS, RefusedRow, Spool, SpooledBatch, SpooledEvent
from tests.collector.messages import NOON
from warehouse.errors import ConfigurationError, SpoolFull


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "spool.sqlite"


def event(name: str, site: str = "shop") -> SpooledEvent:
    return SpooledEvent(site, name, f'{{"event_id":"{name}"}}'.encode())


@contextmanager
def transaction(spool: Spool) -> Iterator[Spool]:
    spool.begin()
    yield spool
    spool.commit()


def append(spool: Spool, *names: str, now_ms: int = NOON) -> list[str]:
    """Append events by name, and return the names that were known."""
    with transaction(spool):
        return [each.event_id for each in spool.append([event(name) for name in names], now_ms)]


def take(spool: Spool, limit: int = 100) -> SpooledBatch | None:
    with transaction(spool):
        return spool.take(limit)


def finish(spool: Spool, batch: SpooledBatch) -> None:
    with transaction(spool):
        spool.finish(batch)


def names(batch: SpooledBatch | None) -> list[str]:
    assert batch is not None
    return [line.decode().split('"')[3] for line in batch.lines]


def test_events_come_out_in_the_order_in_which_they_went_in(path: Path) -> None:
    with Spool(path) as spool:
        append(spool, "a", "b")
        append(spool, "c")
        assert spool.depth == 3
        assert names(take(spool)) == ["a", "b", "c"]


def test_an_empty_spool_has_no_batch(path: Path) -> None:
    with Spool(path) as spool:
        assert take(spool) is None


def test_a_batch_is_the_same_until_it_is_finished(path: Path) -> None:
    with Spool(path) as spool:
        append(spool, "a", "b", "c")
        first = take(spool, 2)
        append(spool, "d")
        assert take(spool, 100) == first
        assert names(first) == ["a", "b"]


def test_finishing_a_batch_makes_room_for_the_next(path: Path) -> None:
    with Spool(path) as spool:
        append(spool, "a", "b", "c")
        first = take(spool, 2)
        assert first is not None
        finish(spool, first)
        second = take(spool, 2)
        assert (names(second), spool.depth) == (["c"], 1)
        assert second is not None
        assert second.token != first.token


def test_events_survive_closing_and_opening_again(path: Path) -> None:
    with Spool(path) as spool:
        append(spool, "a", "b")
    with Spool(path) as spool:
        assert spool.depth == 2
        assert names(take(spool)) == ["a", "b"]


def test_a_batch_that_was_begun_is_the_same_after_opening_again(path: Path) -> None:
    with Spool(path) as spool:
        append(spool, "a", "b", "c")
        begun = take(spool, 2)
    with Spool(path) as spool:
        append(spool, "d")
        assert take(spool, 100) == begun


def test_what_was_not_committed_is_gone(path: Path) -> None:
    with Spool(path) as spool:
        append(spool, "a")
        spool.begin()
        spool.append([event("b")], NOON)
        taken = spool.take(10)
        spool.rollback()
        assert spool.depth == 1
        assert append(spool, "b") == []
        assert names(take(spool)) == ["a", "b"]
        assert take(spool) != taken


def test_an_acknowledged_event_is_not_taken_again(path: Path) -> None:
    with Spool(path) as spool:
        assert append(spool, "a", "b") == []
        assert append(spool, "b", "c") == ["b"]
        assert spool.depth == 3


def test_an_acknowledged_event_is_known_after_it_left_and_after_opening_again(path: Path) -> None:
    with Spool(path) as spool:
        append(spool, "a")
        batch = take(spool)
        assert batch is not None
        finish(spool, batch)
    with Spool(path) as spool:
        assert append(spool, "a") == ["a"]
        assert spool.depth == 0


def test_an_event_twice_in_one_batch_is_taken_once(path: Path) -> None:
    with Spool(path) as spool:
        assert append(spool, "a", "a", "b") == ["a"]
        assert names(take(spool)) == ["a", "b"]


def test_the_same_id_of_two_sites_is_two_events(path: Path) -> None:
    with Spool(path) as spool, transaction(spool):
        assert spool.append([event("a"), event("a", site="other")], NOON) == []


def test_a_full_spool_takes_all_of_a_batch_or_nothing(path: Path) -> None:
    with Spool(path, max_events=3) as spool:
        append(spool, "a", "b")
        with pytest.raises(SpoolFull, match="2 events wait") as caught, transaction(spool):
            spool.append([event("c"), event("d")], NOON)
        spool.rollback()
        assert caught.value.retryable
        assert append(spool, "c") == []
        assert names(take(spool)) == ["a", "b", "c"]


def test_a_full_spool_takes_events_again_once_some_left(path: Path) -> None:
    with Spool(path, max_events=2) as spool:
        append(spool, "a", "b")
        batch = take(spool)
        assert batch is not None
        finish(spool, batch)
        assert append(spool, "c", "d") == []


def test_ids_are_remembered_for_three_days_and_then_forgotten(path: Path) -> None:
    with Spool(path) as spool:
        append(spool, "a")
        append(spool, "b", now_ms=NOON + REMEMBERED_MS)
        assert append(spool, "a", now_ms=NOON + REMEMBERED_MS) == ["a"]
        append(spool, "c", now_ms=NOON + REMEMBERED_MS + 1)
        assert append(spool, "a", now_ms=NOON + REMEMBERED_MS + 1) == []


def test_a_second_opener_is_refused_with_the_remedy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.spool.file.LOCK_WAIT_SECONDS", 0.05)
    with Spool(path), pytest.raises(ConfigurationError) as caught:
        Spool(path)
    assert str(path) in caught.value.message
    assert "data_folder" in caught.value.hint


def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ConfigurationError) as caught:
        Spool(tmp_path / "file" / "spool.sqlite")
    assert "data_folder" in caught.value.hint


def test_a_file_that_is_no_spool_is_refused(tmp_path: Path) -> None:
    (tmp_path / "spool.sqlite").write_bytes(b"something else altogether" * 100)
    with pytest.raises(ConfigurationError):
        Spool(tmp_path / "spool.sqlite")


def test_every_commit_waits_for_the_disk(path: Path) -> None:
    with Spool(path) as spool:
        found = [spool._database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]


def test_refused_rows_are_kept_and_wait_again_once_the_spool_is_opened_anew(path: Path) -> None:
    with Spool(path) as spool:
        append(spool, "a", "b", "c")
        batch = take(spool)
        assert batch is not None
        with transaction(spool):
            spool.finish(batch, [RefusedRow(batch.lines[1], "not a number")])
        assert (spool.depth, take(spool)) == (0, None)
    with Spool(path) as spool:
        assert spool.depth == 1
        assert names(take(spool)) == ["b"]
