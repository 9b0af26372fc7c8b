"""Tombstones keep away what an erased person did before, and tell nobody who they were."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.event import format_time
from warehouse.tombstones import OWN_GRACE_MS, Mark, Tombstones

ERASED_AT = 1_795_348_800_000


def erased(*ids: str, messages: tuple[str, ...] = (), secret: bytes = b"secret") -> Tombstones:
    tombstones = Tombstones(secret)
    marks = [tombstones.mark_of("shop", each) for each in ids]
    marks += [tombstones.mark_of_message("shop", each) for each in messages]
    tombstones.add(Mark(mark, ERASED_AT) for mark in marks)
    return tombstones


@pytest.mark.parametrize(
    ("site", "ids", "message_id", "after_ms", "covered"),
    [
        ("shop", ("anna", "", ""), "", -1, True),
        ("shop", ("anna", "", ""), "", 0, True),
        ("shop", ("anna", "", ""), "", 1, False),
        ("shop", ("u", "anna", ""), "", -1, True),
        ("shop", ("a", "", "anna"), "", -1, True),
        ("shop", ("bob", "", ""), "", -1, False),
        ("other", ("anna", "", ""), "", -1, False),
        ("shop", ("bob", "", ""), "message", 86_400_000, True),
        ("other", ("bob", "", ""), "message", -1, False),
        ("shop", ("", "", ""), "", -1, False),
    ],
)
def test_what_happened_before_is_covered_and_a_new_visit_is_not(
    site: str, ids: tuple[str, ...], message_id: str, after_ms: int, covered: bool
) -> None:
    tombstones = erased("anna", messages=("message",))
    assert tombstones.covers_event(site, ids, message_id, ERASED_AT + after_ms) is covered


@pytest.mark.parametrize("column", ["ts", "at", "decided_at"])
@pytest.mark.parametrize(("after_ms", "covered"), [(-1, True), (OWN_GRACE_MS, True), (OWN_GRACE_MS + 1, False)])
def test_rows_of_ours_are_covered_for_a_while_longer(column: str, after_ms: int, covered: bool) -> None:
    row = {"site": "shop", "visitor_id": "anna", column: format_time(ERASED_AT + after_ms)}
    assert erased("anna").covers_line(json.dumps(row).encode(), OWN_GRACE_MS) is covered


@pytest.mark.parametrize("line", [b"", b"no json", b'{"ts": "never", "visitor_id": "anna", "site": "shop"}', b"\xff"])
def test_a_row_that_cannot_be_read_is_nobodys(line: bytes) -> None:
    assert erased("anna").covers_line(line) is False


def test_a_later_erasure_counts() -> None:
    tombstones = erased("anna")
    mark = tombstones.mark_of("shop", "anna")
    assert tombstones.add([Mark(mark, ERASED_AT - 5)]) is False
    assert tombstones.covers_event("shop", ["anna"], "", ERASED_AT)
    assert tombstones.add([Mark(mark, ERASED_AT + 5)]) is True
    assert tombstones.covers_event("shop", ["anna"], "", ERASED_AT + 5)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_tombstone_names_nobody_and_differs_without_the_secret(site: str, visitor: str) -> None:
    ours, others = Tombstones(b"secret"), Tombstones(b"another")
    mark = ours.mark_of(site, visitor)
    assert len(mark) == 32
    assert int(mark, 16) >= 0
    assert mark == Tombstones(b"secret").mark_of(site, visitor)
    assert mark not in (others.mark_of(site, visitor), ours.mark_of_message(site, visitor))


def test_nobody_is_covered_where_nobody_was_erased() -> None:
    tombstones = Tombstones(b"secret")
    assert not tombstones.covers("shop", "anna")
    assert not tombstones.covers_event("shop", ["anna"], "m", 0)
