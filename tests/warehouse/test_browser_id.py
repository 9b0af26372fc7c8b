"""Anonymous ids that are bound to a secret."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from warehouse.browser_id import is_bound, is_proven, make_browser_id
from warehouse.newborn import born_at

NOON = 1_795_348_800_000
SECRET = "0123456789abcdef0123456789abcdef"
ID = make_browser_id(NOON, SECRET)
secrets = st.from_regex("[A-Za-z0-9_-]{22,64}", fullmatch=True)
instants = st.integers(0, 2**48 - 1)


@given(instants, secrets)
def test_an_id_is_proven_by_its_secret_and_tells_when_it_was_made(made_at: int, secret: str) -> None:
    anonymous_id = make_browser_id(made_at, secret)
    assert is_proven(anonymous_id, secret)
    assert born_at(anonymous_id) == made_at
    assert uuid.UUID(anonymous_id).version == 8


@given(secrets)
def test_no_other_secret_proves_it(other: str) -> None:
    assume(other != SECRET)
    assert not is_proven(ID, other)


@given(instants)
def test_the_secret_proves_no_id_of_another_instant(made_at: int) -> None:
    assume(made_at != NOON)
    assert make_browser_id(made_at, SECRET) != ID
    moved = f"{made_at:012x}"
    assert not is_proven(f"{moved[:8]}-{moved[8:]}{ID[13:]}", SECRET)


@pytest.mark.parametrize(
    "shown", [None, "", 7, True, [SECRET], {"secret": SECRET}, SECRET[:-1], f"{SECRET} ", SECRET.upper(), SECRET * 3]
)
def test_what_is_not_the_secret_proves_nothing(shown: object) -> None:
    assert not is_proven(ID, shown)


@pytest.mark.parametrize("short", ["a", "a" * 21, "a" * 65, "a" * 21 + "ä", "a" * 22 + "\n"])
def test_a_secret_that_could_be_guessed_or_is_none_proves_nothing(short: str) -> None:
    assert not is_proven(make_browser_id(NOON, short), short)


@pytest.mark.parametrize(
    ("anonymous_id", "bound"),
    [
        (ID, True),
        (ID.upper(), True),
        ("34e71179-c504-4b37-834f-b4d433988dfb", False),
        (re.sub("-8", "-7", ID, count=1), False),
        (f"{ID}0", False),
        (f"~{ID}", False),
        ("cookie", False),
        ("", False),
    ],
)
def test_an_id_that_is_bound_has_its_form(anonymous_id: str, bound: bool) -> None:
    assert is_bound(anonymous_id) is bound


def test_an_id_is_proven_as_its_browser_writes_it() -> None:
    assert not is_proven(ID.upper(), SECRET)


def test_the_sdk_makes_the_same_ids() -> None:
    """The expected value stands in `sdk_js/test/visitor/identity.test.ts`, too."""
    assert (
        make_browser_id(1_795_341_600_000, "00112233445566778899aabbccddeeff") == "01a202b2-c500-869b-8efc-b334cf079cd7"
    )
