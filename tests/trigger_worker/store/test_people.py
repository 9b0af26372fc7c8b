"""Which ids are one person."""

from __future__ import annotations

from itertools import count

import pytest

from tests.trigger_worker.stored import NOON, event_row, person, store, visitor
from trigger_worker.store import people
from trigger_worker.store.people import find_people
from warehouse.connection import Warehouse


def join(warehouse: Warehouse, *pairs: tuple[str, str], site: str = "shop") -> None:
    """Let each id be identified as a person, one a second."""
    rows = [
        event_row("identify", alias, NOON + second * 1000, user=owner, site=site)
        for second, (alias, owner) in zip(count(), pairs, strict=False)
    ]
    store(warehouse, *rows)


def test_a_visitor_whom_nobody_knows_is_a_person_alone(warehouse: Warehouse) -> None:
    assert find_people(warehouse, [visitor("anna")]) == {visitor("anna"): person("anna")}


def test_all_ids_of_a_person_lead_to_the_same(warehouse: Warehouse) -> None:
    join(warehouse, ("phone", "u1"), ("laptop", "u1"))
    found = find_people(warehouse, map(visitor, ["phone", "laptop", "u1"]))
    assert set(found.values()) == {person("u1", "laptop", "phone")}


def test_an_id_that_was_joined_to_one_that_was_joined_to_another_belongs_to_the_last(warehouse: Warehouse) -> None:
    join(warehouse, ("a", "b"), ("b", "c"), ("c", "d"))
    expected = person("d", "a", "b", "c")
    for asked in (["a"], ["d"], ["b", "c"], ["a", "b"], ["a", "b", "c", "d"]):
        assert find_people(warehouse, map(visitor, asked)) == {visitor(one): expected for one in asked}


def test_the_latest_word_moves_an_id_to_another_person(warehouse: Warehouse) -> None:
    join(warehouse, ("tablet", "u1"), ("phone", "u1"), ("tablet", "u2"))
    found = find_people(warehouse, map(visitor, ["tablet", "u1"]))
    assert found == {visitor("tablet"): person("u2", "tablet"), visitor("u1"): person("u1", "phone")}


@pytest.mark.parametrize("asked", [["a"], ["b"], ["x"], ["a", "b", "x"]])
def test_ids_joined_in_a_circle_are_one_person_whoever_is_asked_about(warehouse: Warehouse, asked: list[str]) -> None:
    join(warehouse, ("a", "b"), ("b", "a"), ("x", "b"))
    assert find_people(warehouse, map(visitor, asked)) == {visitor(one): person("a", "b", "x") for one in asked}


def test_two_sites_know_nothing_of_each_other(warehouse: Warehouse) -> None:
    join(warehouse, ("phone", "u1"))
    join(warehouse, ("phone", "u2"), ("laptop", "u1"), site="other")
    found = find_people(warehouse, [visitor("phone"), visitor("phone", "other"), visitor("u1")])
    assert found == {
        visitor("phone"): person("u1", "phone"),
        visitor("phone", "other"): person("u2", "phone", site="other"),
        visitor("u1"): person("u1", "phone"),
    }


def test_of_an_id_that_a_shop_gives_to_everybody_the_latest_browsers_count(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "MAX_ALIASES", 2)
    join(warehouse, *((f"browser-{n}", "guest") for n in range(5)))
    (found,) = find_people(warehouse, [visitor("guest")]).values()
    assert found == person("guest", "browser-3", "browser-4")


def test_many_visitors_with_long_ids_are_found(warehouse: Warehouse) -> None:
    ids = [f"{number:04}-{'ü' * 120}" for number in range(1200)]
    join(warehouse, (ids[7], "u1"))
    found = find_people(warehouse, map(visitor, ids))
    assert len(found) == 1200
    assert found[visitor(ids[7])] == person("u1", ids[7])


@pytest.mark.parametrize("asked", [["user"], ["junk-109"], ["user", "first", "junk-000", "junk-109"]])
def test_an_id_under_which_somebody_refused_is_among_a_persons_however_many_join_later(
    warehouse: Warehouse, asked: list[str]
) -> None:
    store(warehouse, event_row("consent", "first", NOON, marketing=False))
    store(warehouse, event_row("identify", "first", NOON, user="user"))
    junk = [event_row("identify", f"junk-{number:03d}", NOON + 1 + number, user="user") for number in range(110)]
    store(warehouse, *junk)
    found = find_people(warehouse, [visitor(visitor_id) for visitor_id in asked])
    assert all("first" in each.ids for each in found.values())
    assert all(len(each.ids) <= 2 * people.MAX_ALIASES + 1 for each in found.values())
