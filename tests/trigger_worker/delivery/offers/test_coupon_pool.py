"""Pools of coupon codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trigger_worker.delivery.offers.coupon_pool import CodeList, CodePattern, CouponError, parse_pool, read_pool, take


def test_codes_are_given_out_in_the_order_of_the_file() -> None:
    pool = parse_pool("# spring\nONE\n\n  TWO  \nTHREE\nONE\n", "spring.txt")
    assert pool == CodeList(("ONE", "TWO", "THREE"))
    assert take(pool, set(), 2) == ["ONE", "TWO"]
    assert take(pool, {"ONE"}, 5) == ["TWO", "THREE"]
    assert take(pool, {"ONE", "TWO", "THREE"}, 1) == []


def test_a_pattern_leaves_its_blanks_to_chance() -> None:
    pool = parse_pool("SAVE-{XXXX}-{XX}\n", "save.txt")
    codes = take(pool, set(), 200)
    assert len(set(codes)) == 200
    assert all(re.fullmatch(r"SAVE-[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{2}", code) for code in codes)


def test_a_pattern_makes_no_code_that_is_taken() -> None:
    class AllButOne:
        def __contains__(self, code: object) -> bool:
            return code != "free"

    assert take(CodePattern("{XXXX}"), AllButOne(), 1) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ONE\nTWO WORDS\n", "spring.txt:2: this is no code"),
        ("ONE\x07\n", "spring.txt:1: this is no code"),
        ("X" * 65, "spring.txt:1: this is no code"),
        ("ONE\nSAVE-{XXXX}\n", "spring.txt:2: a pattern stands alone"),
        ("SAVE-{XXX}", "spring.txt:1: a pattern stands alone and leaves 4 characters"),
        ("SAVE-{9999}", "spring.txt:1: a pattern stands alone"),
    ],
)
def test_what_is_no_pool_is_told_with_file_and_line(text: str, problem: str) -> None:
    with pytest.raises(CouponError, match=re.escape(problem)):
        parse_pool(text, "spring.txt")


@pytest.mark.parametrize("name", ["../spring", "", "a/b", "spring.txt", "a" * 101])
def test_a_name_reaches_nothing_outside_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(CouponError, match="is no name of a coupon pool"):
        read_pool(tmp_path, name)


def test_a_pool_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CouponError, match="there is no such coupon pool"):
        read_pool(tmp_path, "spring")
    (tmp_path / "spring.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(CouponError, match="cannot be read"):
        read_pool(tmp_path, "spring")
