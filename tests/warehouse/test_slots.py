"""The slots of visitors."""

from __future__ import annotations

from collections import Counter

from warehouse.slots import ALL_SLOTS, SLOTS, slot_of


def test_a_visitor_has_the_same_slot_in_every_process_and_version() -> None:
    assert [slot_of("shop", "anna"), slot_of("shop", "bjørn"), slot_of("other", "anna")] == [22, 41, 63]


def test_site_and_visitor_are_told_apart() -> None:
    assert slot_of("a", "bc") != slot_of("ab", "c")


def test_visitors_are_dealt_out_evenly() -> None:
    dealt = Counter(slot_of("shop", f"visitor-{number}") for number in range(64_000))
    assert set(dealt) == ALL_SLOTS == set(range(SLOTS))
    assert all(800 < visitors < 1_200 for visitors in dealt.values())
