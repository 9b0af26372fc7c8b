"""A journal that is renewed holds what waits, and not a byte of what was moved or may not be kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.warehouse.journal.journals import SMALL_SEGMENT, append, failing_disk, finish, line, names, take
from warehouse.journal.log import Journal
from warehouse.journal.tables import EVENTS, FIRES, JournalLimits, JournalTable, RowSetAside

SMALL = JournalLimits(segment_bytes=SMALL_SEGMENT)


def keeps_all(_: JournalTable, __: bytes) -> bool:
    return True


def keeps_no_needle(_: JournalTable, row: bytes) -> bool:
    return b"needle" not in row


def files_with(folder: Path, needle: bytes) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_file() and needle in path.read_bytes()]


def test_rows_that_were_moved_are_in_no_file_any_more(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        append(journal, "needle-1", "needle-2")
        finish(journal, take(journal))
        append(journal, "waits")
        assert files_with(tmp_path, b"needle")
        journal.renew(keeps_all)
        assert files_with(tmp_path, b"needle") == []
        assert names(take(journal)) == ["waits"]
    with Journal(tmp_path) as journal:
        assert names(take(journal)) == ["waits"]


def test_rows_that_may_not_be_kept_leave_and_the_others_keep_their_order(tmp_path: Path) -> None:
    with Journal(tmp_path, SMALL) as journal:
        for number in range(0, 60, 2):
            append(journal, f"{number:03}", f"needle-{number:03}")
            append(journal, f"fire-{number:03}", table=FIRES)
        journal.renew(keeps_no_needle)
        expected = [f"{number:03}" for number in range(0, 60, 2)]
        assert files_with(tmp_path, b"needle") == []
        assert names(take(journal)) == expected
        assert names(take(journal, table=FIRES)) == [f"fire-{name}" for name in expected]
        assert (journal.depth(EVENTS), journal.depth(FIRES)) == (30, 30)
    with Journal(tmp_path, SMALL) as journal:
        assert names(take(journal)) == expected


def test_an_open_batch_keeps_its_token(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        append(journal, "a", "needle", "b", "c")
        batch = take(journal, limit=3)
        assert batch is not None
        journal.renew(keeps_no_needle)
        again = take(journal, limit=3)
        assert again is not None
        assert (again.token, names(again)) == (batch.token, ["a", "b"])
        # The insert that was under way ends with the batch that it began with.
        finish(journal, batch)
        assert names(take(journal)) == ["c"]
    with Journal(tmp_path) as journal:
        assert names(take(journal)) == ["c"]


def test_an_open_batch_of_which_nothing_is_kept_is_over(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        append(journal, "needle", "waits")
        batch = take(journal, limit=1)
        journal.renew(keeps_no_needle)
        finish(journal, batch)
        assert names(take(journal)) == ["waits"]
        assert journal.depth(EVENTS) == 1


def test_rows_that_were_set_aside_leave_too(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        append(journal, "needle", "poison")
        batch = take(journal)
        finish(journal, batch, [RowSetAside(line("needle"), "refused"), RowSetAside(line("poison"), "refused")])
        assert [row for _, row in journal.find(lambda _, row: b"needle" in row)] == [line("needle")]
        journal.renew(keeps_no_needle)
        assert files_with(tmp_path, b"needle") == []
        assert journal.find(keeps_all) == [(EVENTS, line("poison"))]
    with Journal(tmp_path) as journal:
        assert names(take(journal)) == ["poison"]


def test_ids_are_remembered(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        append(journal, "a")
        finish(journal, take(journal))
        journal.renew(keeps_all)
        assert append(journal, "a", "b") == ["a"]
    with Journal(tmp_path) as journal:
        assert append(journal, "a", "b") == ["a", "b"]


def test_a_journal_that_is_empty_can_be_renewed_again_and_again(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        for number in range(3):
            journal.renew(keeps_all)
            append(journal, str(number))
            finish(journal, take(journal))
    with Journal(tmp_path) as journal:
        assert take(journal) is None


def test_on_a_full_disk_nothing_changes(tmp_path: Path) -> None:
    with failing_disk() as disk, Journal(tmp_path, SMALL) as journal:
        append(journal, "a", "needle")
        disk.is_full = True
        with pytest.raises(OSError, match="space"):
            journal.renew(keeps_no_needle)
        assert names(take(journal)) == ["a", "needle"]
