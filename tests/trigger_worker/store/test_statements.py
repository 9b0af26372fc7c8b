"""Statements with their marks, and groups of ids that fit into one query."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.store.statements import MAX_BYTES, MAX_ITEMS, by_id, in_query_groups, statement


def test_parts_stand_in_place_of_their_marks() -> None:
    sql = statement("whole_events", columns=", name")
    assert "AS late_ms , name\nFROM events" in sql
    assert "/*" not in sql


def test_nothing_is_no_group() -> None:
    assert list(in_query_groups([], by_id)) == []


def test_a_group_holds_so_many_items_and_no_more() -> None:
    sizes = [len(group) for group in in_query_groups(map(str, range(MAX_ITEMS * 2 + 1)), by_id)]
    assert sizes == [MAX_ITEMS, MAX_ITEMS, 1]


def test_long_ids_make_smaller_groups_counted_in_bytes() -> None:
    halves = ["ä" * (MAX_BYTES // 4), "b" * (MAX_BYTES // 2), "c"]
    assert [len(group) for group in in_query_groups(halves, by_id)] == [2, 1]


def test_an_item_that_is_too_large_alone_is_a_group_of_its_own() -> None:
    large = "x" * (MAX_BYTES + 1)
    assert list(in_query_groups(["a", large, "b"], by_id)) == [["a"], [large], ["b"]]


@given(st.lists(st.lists(st.text(max_size=20_000), max_size=3), max_size=30))
def test_every_item_is_in_one_group_in_order_and_each_group_fits(items: list[list[str]]) -> None:
    groups = list(in_query_groups(items, lambda item: item))
    assert [item for group in groups for item in group] == items
    for group in groups:
        assert len(group) <= MAX_ITEMS
        assert len(group) == 1 or sum(len(name.encode()) for item in group for name in item) <= MAX_BYTES
