from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from warehouse.newborn import born_at

BORN = 1_800_000_000_123


def version_7(born_ms: int, rest: int) -> str:
    number = born_ms << 80 | 7 << 76 | (rest >> 62 & 0xFFF) << 64 | 0b10 << 62 | rest & (1 << 62) - 1
    return str(uuid.UUID(int=number))


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**74 - 1))
def test_an_id_of_version_7_tells_when_it_was_made(born_ms: int, rest: int) -> None:
    assert born_at(version_7(born_ms, rest)) == born_ms
    assert born_at(version_7(born_ms, rest).upper()) == born_ms


@given(st.uuids(version=4) | st.uuids(version=1) | st.uuids(version=5))
def test_an_id_of_another_version_tells_nothing(other: uuid.UUID) -> None:
    assert born_at(str(other)) is None


@given(st.text(max_size=40))
def test_a_text_that_is_no_id_of_version_7_tells_nothing(text: str) -> None:
    assert born_at(text) is None


def test_a_damaged_id_tells_nothing() -> None:
    name = version_7(BORN, 5)
    damaged = (name[:-1], name + "0", name.replace("-", ""), name[:19] + "c" + name[20:], "g" + name[1:], name + "\n")
    assert [born_at(each) for each in damaged] == [None] * len(damaged)
