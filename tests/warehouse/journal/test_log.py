from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.warehouse.journal.journals import (
    NOON,
    SMALL_SEGMENT,
    Disk,
    append,
    failing_disk,
    finish,
    key,
    line,
    names,
    take,
)
from warehouse.errors import ConfigurationError, JournalFull
from warehouse.journal.log import Journal
from warehouse.journal.tables import DECISIONS, EVENTS, FIRES, OWN_EVENTS, TABLES, JournalLimits, RowSetAside

SMALL = JournalLimits(segment_bytes=SMALL_SEGMENT)
HOUR_MS = 3_600_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "journal"


@pytest.fixture
def disk() -> Iterator[Disk]:
    with failing_disk() as disk:
        yield disk


def segments(path: Path) -> list[Path]:
    return sorted(path.glob("*.segment"))


def test_rows_come_out_in_the_order_in_which_they_went_in(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a", "b")
        append(journal, "c")
        assert journal.depth(EVENTS) == 3
        assert names(take(journal)) == ["a", "b", "c"]


def test_each_table_has_a_queue_of_its_own(path: Path) -> None:
    with Journal(path) as journal:
        journal.append(EVENTS, [line("a")], NOON)
        journal.append(FIRES, [line("f")], NOON)
        journal.append(EVENTS, [line("b")], NOON)
        journal.commit()
        assert names(take(journal)) == ["a", "b"]
        finish(journal, take(journal))
        assert [journal.depth(table) for table in TABLES] == [0, 1, 0, 0, 0, 0, 0]
    with Journal(path) as journal:
        assert [journal.depth(table) for table in TABLES] == [0, 1, 0, 0, 0, 0, 0]
        assert names(take(journal, table=FIRES)) == ["f"]


def test_an_empty_journal_has_no_batch(path: Path) -> None:
    with Journal(path) as journal:
        assert take(journal) is None
        assert journal.oldest_at() is None


def test_a_batch_is_the_same_until_it_is_finished(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a", "b", "c")
        first = take(journal, 2)
        append(journal, "d")
        assert take(journal, 100) == first
        assert names(first) == ["a", "b"]
        finish(journal, first)
        second = take(journal, 1)
        assert (names(second), journal.depth(EVENTS)) == (["c"], 2)
        assert first is not None
        assert second is not None
        assert second.token != first.token


def test_rows_and_the_open_batch_survive_opening_again(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a", "b", "c")
        begun = take(journal, 2)
    with Journal(path) as journal:
        append(journal, "d")
        assert take(journal, 100) == begun
        finish(journal, begun)
        assert names(take(journal)) == ["c", "d"]


def test_a_batch_that_was_finished_is_not_had_again_after_opening(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a", "b", "c")
        finish(journal, take(journal, 2))
    with Journal(path) as journal:
        assert journal.depth(EVENTS) == 1
        assert names(take(journal)) == ["c"]


def test_what_was_not_committed_is_gone(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a")
        journal.append(EVENTS, [line("b")], NOON, [key("b")])
        taken = journal.take(EVENTS, 10)
        journal.rollback()
        assert journal.depth(EVENTS) == 1
        assert append(journal, "b") == []
        assert names(take(journal)) == ["a", "b"]
        assert take(journal) != taken


def test_a_table_is_taken_once_in_a_commit(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a")
        assert journal.take(EVENTS, 10) == journal.take(EVENTS, 10)


def test_finishing_a_batch_that_is_not_open_any_more_changes_nothing(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a", "b")
        batch = take(journal, 1)
        finish(journal, batch)
        finish(journal, batch)
        assert names(take(journal)) == ["b"]


def test_a_smaller_batch_takes_the_place_of_the_open_one_and_has_another_token(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a", "b", "c")
        whole = take(journal)
        assert whole is not None
        half = journal.shrink(whole)
        journal.commit()
        assert names(half) == ["a"]
        assert half.token != whole.token
    with Journal(path) as journal:
        assert take(journal) == half
        finish(journal, half)
        assert names(take(journal)) == ["b", "c"]


def test_an_acknowledged_id_is_known_after_it_left_and_after_opening_again(path: Path) -> None:
    with Journal(path) as journal:
        assert append(journal, "a", "b", "a") == ["a"]
        finish(journal, take(journal))
        assert append(journal, "b") == ["b"]
    with Journal(path) as journal:
        assert append(journal, "a", "c") == ["a"]
        assert names(take(journal)) == ["c"]


def test_an_id_twice_in_one_commit_is_taken_once(path: Path) -> None:
    with Journal(path) as journal:
        assert journal.append(EVENTS, [line("a")], NOON, [key("a")]) == []
        assert journal.append(EVENTS, [line("a"), line("b")], NOON, [key("a"), key("b")]) == [0]
        journal.commit()
        assert names(take(journal)) == ["a", "b"]


def test_the_same_id_of_two_sites_is_two_events(path: Path) -> None:
    with Journal(path) as journal:
        assert journal.append(EVENTS, [line("a")] * 2, NOON, [key("a"), key("a", site="other")]) == []


def test_rows_without_ids_are_always_taken(path: Path) -> None:
    with Journal(path) as journal:
        for _ in range(2):
            journal.append(DECISIONS, [line("a")], NOON)
            journal.commit()
        assert journal.depth(DECISIONS) == 2


def test_a_row_with_a_line_break_stays_one_row(path: Path) -> None:
    with Journal(path) as journal:
        journal.append(OWN_EVENTS, [b'{"a":\n1}', b'{"b":2}'], NOON)
        journal.commit()
        batch = take(journal, table=OWN_EVENTS)
        assert batch is not None
        assert batch.lines == [b'{"a": 1}', b'{"b":2}']


def test_a_full_journal_takes_all_of_an_append_or_nothing(path: Path) -> None:
    with Journal(path, JournalLimits(max_bytes=700)) as journal:
        append(journal, "a", "b")
        with pytest.raises(JournalFull, match="700 bytes") as caught:
            journal.append(EVENTS, [line("c"), line("d")], NOON, [key("c"), key("d")])
        journal.rollback()
        assert caught.value.retryable
        assert journal.refusal(NOON, 400)
        assert not journal.refusal(NOON)
        assert append(journal, "c") == []
        assert names(take(journal)) == ["a", "b", "c"]


def test_a_journal_whose_rows_wait_too_long_is_full(path: Path) -> None:
    with Journal(path, JournalLimits(max_age_ms=HOUR_MS)) as journal:
        append(journal, "a")
        append(journal, "b", at=NOON + HOUR_MS)
        with pytest.raises(JournalFull, match="for 1 h"):
            append(journal, "c", at=NOON + HOUR_MS + 1)
        journal.rollback()
        assert journal.oldest_at() == journal.oldest_at(EVENTS) == NOON
        finish(journal, take(journal, 1))
        assert journal.oldest_at() == NOON + HOUR_MS
        assert append(journal, "c", at=NOON + HOUR_MS + 1) == []


def test_memory_is_bounded_and_the_order_holds(path: Path) -> None:
    limit = 2_000
    with Journal(path, JournalLimits(memory_bytes=limit, segment_bytes=SMALL_SEGMENT)) as journal:
        expected = [f"e{number}" for number in range(200)]
        for name in expected:
            append(journal, name)
            assert journal._waiting[EVENTS]._memory.used <= limit
        found: list[str] = []
        while (batch := take(journal, 3)) is not None:
            found += names(batch)
            finish(journal, batch)
            assert journal._waiting[EVENTS]._memory.used <= 2 * limit
        assert found == expected
        assert journal._waiting[EVENTS]._memory.used == 0
        append(journal, "later")
        assert names(take(journal)) == ["later"]


def test_segments_are_removed_once_every_table_has_moved_past_them(path: Path) -> None:
    with failing_disk(), Journal(path, SMALL) as journal:
        journal.append(FIRES, [line("f")], NOON)
        journal.commit()
        for number in range(20):
            append(journal, f"e{number}")
        grown = len(segments(path))
        assert grown > 1
        finish(journal, take(journal))
        append(journal, "more")
        assert len(segments(path)) >= grown
        finish(journal, take(journal, table=FIRES))
        finish(journal, take(journal))
        assert journal.seen._sync is not None
        journal.seen._sync.join()
        append(journal, "last")
        assert len(segments(path)) == 1
        assert journal.size < SMALL_SEGMENT
    with Journal(path, SMALL) as journal:
        assert append(journal, "e0", "e19", "more") == ["e0", "e19", "more"]
        assert names(take(journal)) == ["last"]


def test_a_table_that_does_not_move_keeps_no_disk_full_of_what_has_moved(path: Path) -> None:
    with failing_disk(), Journal(path, SMALL) as journal:
        journal.append(FIRES, [line("f0"), line("f1")], NOON)
        journal.commit()
        stuck = take(journal, 1, FIRES)
        most = 0
        for number in range(300):
            append(journal, f"e{number}")
            finish(journal, take(journal))
            if journal.seen._sync is not None:
                journal.seen._sync.join()
            most = max(most, len(segments(path)))
        assert most <= 6
        again = take(journal, table=FIRES)
        assert stuck is not None
        assert again is not None
        assert (again.token, again.lines) == (stuck.token, stuck.lines)
        assert journal.oldest_at() == NOON
    with Journal(path, SMALL) as journal:
        assert take(journal, table=FIRES) == again
        finish(journal, stuck)
        assert names(take(journal, table=FIRES)) == ["f1"]


def test_a_second_opener_is_refused_with_the_remedy_and_touches_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.journal.folder.LOCK_WAIT_SECONDS", 0.05)
    with Journal(path) as journal:
        append(journal, "a")
        before = {file.name: file.read_bytes() for file in path.iterdir()}
        with pytest.raises(ConfigurationError) as caught:
            Journal(path)
        assert {file.name: file.read_bytes() for file in path.iterdir()} == before
        assert append(journal, "b") == []
    assert str(path) in caught.value.message
    assert "data_folder" in caught.value.hint


def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ConfigurationError) as caught:
        Journal(tmp_path / "file" / "journal")
    assert "data_folder" in caught.value.hint


def test_refused_rows_are_kept_and_wait_again_once_the_journal_is_opened_anew(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a", "b", "c")
        batch = take(journal)
        assert batch is not None
        finish(journal, batch, [RowSetAside(batch.lines[1], "not a number")])
        assert (journal.depth(EVENTS), take(journal)) == (0, None)
    for _ in range(2):
        with Journal(path) as journal:
            assert journal.depth(EVENTS) == 1
            assert names(take(journal)) == ["b"]
    assert list(path.glob("*.refused")) == []


def test_refused_rows_come_back_once_when_the_process_ends_before_their_file_is_gone(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a")
        batch = take(journal)
        assert batch is not None
        finish(journal, batch, [RowSetAside(batch.lines[0], "not a number")])
    (file,) = path.glob("*.refused")
    kept = file.read_bytes()
    with Journal(path) as journal:
        assert journal.depth(EVENTS) == 1
    file.write_bytes(kept)
    with Journal(path) as journal:
        assert journal.depth(EVENTS) == 1


def test_a_batch_refused_twice_because_of_a_crash_sets_its_row_aside_once(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a")
        batch = take(journal)
        assert batch is not None
        for _ in range(2):
            journal.finish(batch, [RowSetAside(batch.lines[0], "not a number")])
            journal.rollback()
        finish(journal, batch, [RowSetAside(batch.lines[0], "not a number")])
    with Journal(path) as journal:
        assert names(take(journal)) == ["a"]


# --- a disk that is full or fails


def test_a_write_that_fails_keeps_nothing_and_the_next_one_succeeds(path: Path, disk: Disk) -> None:
    with Journal(path, SMALL) as journal:
        append(journal, "a")
        for share in (0.0, 0.5, 1.0):
            disk.fails_after = share
            with pytest.raises(OSError, match="error"):
                append(journal, "b")
            journal.rollback()
            assert journal.depth(EVENTS) == 1
        assert append(journal, "b") == []
        assert names(take(journal)) == ["a", "b"]
    with Journal(path, SMALL) as journal:
        assert names(take(journal)) == ["a", "b"]


def test_a_full_disk_lets_what_waits_leave_and_takes_rows_again_when_there_is_room(path: Path, disk: Disk) -> None:
    with Journal(path, SMALL) as journal:
        disk.is_full = True
        with pytest.raises(OSError, match="space"):
            append(journal, "a")
        journal.rollback()
        disk.is_full = False
        append(journal, "e0")
        disk.is_full = True
        taken = _append_until_full(journal)
        with pytest.raises(OSError, match="space"):
            append(journal, "more")
        journal.rollback()
        found: list[str] = []
        while (batch := take(journal, 2)) is not None:
            found += names(batch)
            finish(journal, batch)
        assert found == [f"e{number}" for number in range(taken)]
        disk.is_full = False
        assert append(journal, "more") == []
        assert names(take(journal)) == ["more"]


def test_a_journal_opens_on_a_full_disk_and_drains(path: Path, disk: Disk) -> None:
    with Journal(path, SMALL) as journal:
        append(journal, "a", "b")
    disk.is_full = True
    with Journal(path, SMALL) as journal:
        finish(journal, take(journal, 1))
        assert names(take(journal)) == ["b"]
    with Journal(path.with_name("new"), SMALL) as journal:
        assert journal.depth(EVENTS) == 0
        with pytest.raises(OSError, match="space"):
            append(journal, "a")


# --- damaged files


def test_a_torn_end_is_cut_and_told(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a")
        end = journal.size
        append(journal, "b")
    with segments(path)[0].open("r+b") as file:
        file.seek(end + 30)
        file.write(b"\xaa" * 10)
    with capture_logs() as logs, Journal(path) as journal:
        assert names(take(journal)) == ["a"]
        append(journal, "c")
    assert [entry["event"] for entry in logs] == ["journal_end_cut"]
    with capture_logs() as logs, Journal(path) as journal:
        assert journal.depth(EVENTS) == 2
    assert logs == []


def test_a_damaged_middle_is_set_aside_and_the_rest_goes_on(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a")
        begin = journal.size
        append(journal, "b")
        end = journal.size
        append(journal, "c")
    (file,) = segments(path)
    damaged = bytearray(file.read_bytes())
    damaged[begin + 40] ^= 1
    file.write_bytes(damaged)
    with capture_logs() as logs, Journal(path) as journal:
        (entry,) = [each for each in logs if each["log_level"] == "error"]
        assert (entry["event"], entry["lost_bytes"]) == ("journal_damaged", end - begin)
        assert (path / "damaged" / file.name).read_bytes() == bytes(damaged)
        append(journal, "d")
        assert names(take(journal)) == ["a", "c", "d"]
        assert (path / "damaged" / file.name).read_bytes() == bytes(damaged)
        finish(journal, take(journal))
        assert journal.depth(EVENTS) == 0
    with Journal(path) as journal:
        assert journal.depth(EVENTS) == 0


@pytest.mark.parametrize("content", [b"", b"something else altogether" * 1000, os.urandom(5000), bytes(9000)])
def test_whatever_a_segment_holds_the_journal_opens(path: Path, content: bytes) -> None:
    with Journal(path, SMALL) as journal:
        append(journal, "a")
    segments(path)[0].write_bytes(content)
    with Journal(path, SMALL) as journal:
        append(journal, "b")
        assert "b" in names(take(journal))


def test_a_damaged_file_of_ids_is_set_aside_and_ids_of_the_journal_are_known_all_the_same(path: Path) -> None:
    with Journal(path) as journal:
        append(journal, "a")
    (file,) = path.glob("seen-*.ids")
    file.write_bytes(b"no table")
    with capture_logs() as logs, Journal(path) as journal:
        assert append(journal, "a", "b") == ["a"]
    assert [each["event"] for each in logs if each["log_level"] == "error"] == ["seen_ids_damaged"]
    assert (path / "damaged" / file.name).read_bytes() == b"no table"


def _append_until_full(journal: Journal) -> int:
    """Append e1, e2 and so on, and return the number of the first that found no room."""
    for number in range(1, 100):
        try:
            append(journal, f"e{number}")
        except OSError:
            journal.rollback()
            return number
    raise AssertionError("the disk was never full")
