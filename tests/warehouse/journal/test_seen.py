from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.journal.journals import NOON, failing_disk
from warehouse.journal import seen
from warehouse.journal.folder import JournalFolder
from warehouse.journal.seen import DAY_MS, REMEMBERED_DAYS, SeenIds

REMEMBERED_MS = 72 * 3_600_000


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[JournalFolder]:
    with JournalFolder(tmp_path) as folder:
        yield folder


def remember(ids: SeenIds, *names: bytes, at: int = NOON) -> list[bytes]:
    """Remember ids, and return those that were known."""
    hashes = ids.hash_ids(names)
    known = ids.known(hashes)
    new = [each for each in hashes if each not in known]
    ids.prepare(at, len(new))
    ids.add(new, at)
    return [name for name, each in zip(names, hashes, strict=True) if each in known]


def files(folder: JournalFolder) -> list[str]:
    return sorted(path.name for path in folder.path.glob("seen-*.ids"))


def test_an_id_is_known_from_then_on_and_after_opening_again(folder: JournalFolder) -> None:
    ids = SeenIds(folder)
    assert remember(ids, b"a", b"b") == []
    assert remember(ids, b"b", b"c") == [b"b"]
    ids.close()
    ids = SeenIds(folder)
    assert remember(ids, b"a", b"b", b"c", b"d") == [b"a", b"b", b"c"]
    ids.close()


@pytest.mark.parametrize("hour", [0, 1, 12, 23])
def test_an_id_is_known_for_72_h_whenever_in_the_day_it_came_and_its_file_goes_later(
    folder: JournalFolder, hour: int
) -> None:
    at = NOON // DAY_MS * DAY_MS + hour * 3_600_000
    ids = SeenIds(folder)
    remember(ids, b"a", at=at)
    remember(ids, b"later", at=at + REMEMBERED_MS)
    assert remember(ids, b"a", at=at + REMEMBERED_MS) == [b"a"]
    day_after = (at // DAY_MS + REMEMBERED_DAYS + 1) * DAY_MS
    remember(ids, b"much later", at=day_after)
    assert remember(ids, b"a", at=day_after) == []
    assert len(files(folder)) == 2
    ids.close()


@given(st.sets(st.binary(max_size=12), max_size=300), st.sets(st.binary(max_size=12), max_size=50))
def test_ids_are_known_exactly_while_tables_grow(ours: set[bytes], others: set[bytes]) -> None:
    with TemporaryDirectory() as path, JournalFolder(Path(path)) as folder, patch.object(seen, "_MIN_PLACES", 8):
        ids = SeenIds(folder)
        for name in ours:
            assert remember(ids, name) == []
        assert set(remember(ids, *ours, *others - ours)) == ours
        ids.close()


def test_a_day_begins_with_room_for_as_many_ids_as_the_day_before(
    folder: JournalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "_MIN_PLACES", 8)
    ids = SeenIds(folder)
    for number in range(100):
        remember(ids, b"%d" % number)
    assert len(files(folder)) == 4
    for number in range(100):
        remember(ids, b"next %d" % number, at=NOON + DAY_MS)
    assert len(files(folder)) == 5
    assert len(remember(ids, *(b"%d" % number for number in range(100)))) == 100
    ids.close()


def test_a_table_that_is_opened_again_knows_about_how_full_it_is(folder: JournalFolder) -> None:
    ids = SeenIds(folder)
    remember(ids, *(b"%d" % number for number in range(40_000)))
    ids.close()
    ids = SeenIds(folder)
    (table,) = next(iter(ids._days.values()))
    assert 36_000 < table.count < 44_000
    ids.close()


def test_ids_are_synced_in_the_background_up_to_the_row_that_was_asked_for(folder: JournalFolder) -> None:
    ids = SeenIds(folder)
    remember(ids, b"a")
    ids.begin_sync(5)
    assert ids._sync is not None
    ids._sync.join()
    assert ids.synced == 5
    ids.begin_sync(7)
    assert ids.synced == 7, "nothing had changed"
    ids.close()


def test_a_full_disk_fills_the_table_further_before_ids_are_refused(
    folder: JournalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "_MIN_PLACES", 64)
    with failing_disk() as disk:
        monkeypatch.setattr(seen, "allocate", disk.allocate)
        ids = SeenIds(folder)
        remember(ids, b"first")
        disk.is_full = True
        with pytest.raises(OSError, match="space"):
            remember(ids, *(b"%d" % number for number in range(64)))
        for number in range(50):
            assert remember(ids, b"%d" % number) == []
        with pytest.raises(OSError, match="space"):
            remember(ids, *(b"more %d" % number for number in range(20)))
        disk.is_full = False
        assert remember(ids, b"7", b"more 7") == [b"7"]
        assert remember(ids, b"more 7") == [b"more 7"]
        ids.close()


def test_two_folders_hash_the_same_id_differently(tmp_path: Path) -> None:
    with JournalFolder(tmp_path / "a") as first, JournalFolder(tmp_path / "b") as second:
        assert SeenIds(first).hash_ids([b"a"]) != SeenIds(second).hash_ids([b"a"])
