"""Files that are packed, whole and damaged, on both engines: what can be read is stored, and the rest is told."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micromoment.history.packed import GAP, Unpacked
from tests.micromoment.history.files import counts, json_lines, load_bytes
from warehouse.connection import Warehouse

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

METHODS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    # In blocks of 100,000 bytes: a block is read whole or not at all.
    "bzip2": lambda content: bz2.compress(content, 1),
    "xz": lzma.compress,
}


@pytest.mark.parametrize("method", METHODS)
def test_a_packed_file_of_several_members_is_read_as_a_whole(warehouse: Warehouse, tmp_path: Path, method: str) -> None:
    pack = METHODS[method]
    content = pack(json_lines(1, 2)) + pack(json_lines(3)[:50]) + pack(json_lines(3)[50:] + json_lines(4))
    report = load_bytes(warehouse, tmp_path, content)
    assert (report.stored, report.damage, report.is_complete) == (4, [], True)
    assert report.described == f"JSON lines of the tracking API; {method}"
    assert load_bytes(warehouse, tmp_path, content).known == 4


@pytest.mark.parametrize("method", METHODS)
def test_a_truncated_file_gives_what_is_there(warehouse: Warehouse, tmp_path: Path, method: str) -> None:
    content = METHODS[method](noisy_lines(2000))
    report = load_bytes(warehouse, tmp_path, content[: len(content) * 9 // 10])
    assert (report.damage, report.is_complete) == (
        [f"the {method} data ends too early: the rest of the file is missing"],
        False,
    )
    assert report.dropped.keys() <= {"cut_off"}
    assert 1000 < report.stored < 2000
    assert load_bytes(warehouse, tmp_path, content).stored == 2000 - report.stored
    assert counts(warehouse) == (2000, 2000)


@pytest.mark.parametrize("method", METHODS)
def test_a_file_damaged_in_the_middle_gives_what_is_before_and_the_members_after(
    embedded_warehouse: Warehouse, tmp_path: Path, method: str
) -> None:
    members = [METHODS[method](json_lines(*range(each * 100, each * 100 + 100))) for each in range(3)]
    broken = bytearray(members[1])
    broken[len(broken) // 2 : len(broken) // 2 + 40] = bytes(range(1, 41))
    report = load_bytes(embedded_warehouse, tmp_path, members[0] + bytes(broken) + members[2])
    assert 200 <= report.stored < 300
    assert len(report.damage) == 1
    assert f"the {method} data is damaged before byte" in report.damage[0]
    assert not report.is_complete


def test_of_a_damaged_gzip_all_lines_before_the_damage_are_read(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    content = bytearray(gzip.compress(noisy_lines(3000)))
    content[len(content) // 2] ^= 0xFF
    content[len(content) // 2 + 1] ^= 0xFF
    report = load_bytes(embedded_warehouse, tmp_path, bytes(content))
    assert 1300 < report.stored < 3000
    assert "damaged" in report.damage[0]


def test_a_check_sum_that_does_not_fit_is_told_and_costs_no_line(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    content = bytearray(gzip.compress(json_lines(*range(50))))
    content[-6] ^= 0xFF
    report = load_bytes(embedded_warehouse, tmp_path, bytes(content))
    assert report.stored == 50
    assert "incorrect data check" in report.damage[0]


@pytest.mark.parametrize(("tail", "is_told"), [(b"\0" * 512, False), (b"garbage", True)])
def test_zeros_after_the_end_are_padding_and_other_bytes_are_told(
    embedded_warehouse: Warehouse, tmp_path: Path, tail: bytes, is_told: bool
) -> None:
    report = load_bytes(embedded_warehouse, tmp_path, gzip.compress(json_lines(1)) + tail)
    assert (report.stored, bool(report.damage)) == (1, is_told)


def test_what_unpacks_to_very_much_is_handed_on_in_bounded_blocks() -> None:
    packed = gzip.compress(bytes(50_000_000))
    sizes = [len(block) for block in blocks_of(packed)[0]]
    assert (sum(sizes), max(sizes)) == (50_000_000, 256 * 1024)


@given(
    st.lists(st.binary(max_size=500), max_size=4),
    st.sampled_from(sorted(METHODS)),
    st.lists(st.integers(1, 4096), min_size=1, max_size=5),
)
def test_whatever_is_packed_comes_out_again(parts: list[bytes], method: str, reads: list[int]) -> None:
    packed = b"".join(map(METHODS[method], parts))
    blocks, damage = blocks_of(packed, reads)
    assert (b"".join(blocks), damage) == (b"".join(parts), [])


@given(st.integers(0, 2000), st.integers(1, 255), st.sampled_from(sorted(METHODS)))
def test_whatever_is_damaged_ends_without_an_error(place: int, change: int, method: str) -> None:
    packed = bytearray(METHODS[method](random.Random(1).randbytes(3000)))
    packed[place % len(packed)] ^= change
    blocks, damage = blocks_of(bytes(packed))
    assert damage or GAP not in blocks


def blocks_of(packed: bytes, reads: list[int] | None = None) -> tuple[list[bytes], list[str]]:
    """The plain blocks of packed bytes, and the damage; `reads` are the sizes in which the file gives its bytes."""
    damage: list[str] = []
    place, sizes = 0, list(reads or [4096])

    def read(size: int) -> bytes:
        nonlocal place
        sizes.append(sizes.pop(0))
        # The first bytes say how a file is packed; a file gives them together.
        size = size if place == 0 else min(size, sizes[0])
        begin, place = place, place + size
        return packed[begin:place]

    return list(Unpacked(read, damage.append).blocks()), damage


def noisy_lines(count: int) -> bytes:
    """Lines that do not become much smaller when they are packed."""
    noise = random.Random(7)
    lines = json_lines(*range(count)).splitlines()
    return b"\n".join(line[:-1] + b', "properties": {"x": "%x"}}' % noise.getrandbits(400) for line in lines)
