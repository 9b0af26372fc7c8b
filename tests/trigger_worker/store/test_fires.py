"""Firings made already."""

from __future__ import annotations

import pytest

from tests.trigger_worker.stored import NOON, fire, person
from trigger_worker.store.fires import PastFire, PastFires, read_past_fires
from trigger_worker.store.records import Records
from warehouse.connection import Warehouse

HOUR = 3_600_000


def test_all_instants_are_told_by_person_rule_and_key(warehouse: Warehouse) -> None:
    anna = person("u1", "phone", "laptop")
    fires = [
        fire("1", visitor_id="phone", at=NOON),
        fire("2", visitor_id="u1", at=NOON + 10),
        fire("3", visitor_id="laptop", at=NOON + 20, key="p1"),
        fire("4", visitor_id="u1", at=NOON + 30, rule="other"),
        fire("5", visitor_id="bob"),
        fire("6", visitor_id="u1", site="other"),
        fire("7", visitor_id="u1", rule="asked_nothing_of"),
    ]
    Records(warehouse).store_fires(fires, NOON)
    bob = person("bob")
    past = read_past_fires(warehouse, [anna, bob], NOON, ["lingers", "other"])
    assert {key: sorted(instants) for key, instants in past[anna].of("lingers").items()} == {
        "": [NOON, NOON + 10],
        "p1": [NOON + 20],
    }
    assert past[anna].of("other") == {"": [NOON + 30]}
    assert past[bob].of("lingers") == {"": [NOON]}
    assert past[bob].of("other") == {}
    assert past[anna].of("asked_nothing_of") == {}
    assert {one.fire_id for one in past[anna]} == {"1", "2", "3", "4"}


def test_firings_of_every_rule_are_told_where_none_is_named(warehouse: Warehouse) -> None:
    fires = [fire("1", at=NOON), fire("2", rule="other", at=NOON + 1), fire("3", visitor_id="bob", at=NOON)]
    Records(warehouse).store_fires(fires, NOON)
    past = read_past_fires(warehouse, [person("anna"), person("cleo")], NOON)
    assert set(past[person("anna")]) == {
        PastFire("lingers", "", NOON, "1", visitor_id="anna"),
        PastFire("other", "", NOON + 1, "2", visitor_id="anna"),
    }
    assert len(past[person("cleo")]) == 0


def test_a_firing_that_is_told_twice_counts_once() -> None:
    told = PastFire("lingers", "", NOON, "1")
    past = PastFires([told, told])
    past.add(told)
    assert (list(past), past.of("lingers")) == ([told], {"": [NOON]})


def test_it_looks_as_far_back_as_it_is_told(warehouse: Warehouse) -> None:
    fires = [fire(str(ago), at=NOON - ago) for ago in (2 * HOUR + 1, 2 * HOUR, HOUR)]
    Records(warehouse).store_fires(fires, NOON)
    past = read_past_fires(warehouse, [person("anna")], NOON - 2 * HOUR, ["lingers", "other"])
    assert sorted(past[person("anna")].of("lingers")[""]) == [NOON - 2 * HOUR, NOON - HOUR]


def test_firings_after_the_instant_are_told_too(warehouse: Warehouse) -> None:
    Records(warehouse).store_fires([fire(at=NOON + HOUR)], NOON)
    past = read_past_fires(warehouse, [person("anna")], NOON, ["lingers"])
    assert past[person("anna")].of("lingers") == {"": [NOON + HOUR]}


ANNA, BOB = person("u1", "phone"), person("bob")


def test_a_newer_firing_of_the_same_person_and_key_restarts_the_older_ones(warehouse: Warehouse) -> None:
    fires = [
        fire("first", visitor_id="phone", at=NOON),
        fire("second", visitor_id="u1", at=NOON + 1),
        fire("other_key", visitor_id="u1", key="k", at=NOON + 2),
        fire("other_rule", visitor_id="u1", rule="other", at=NOON + 3),
        fire("other_person", visitor_id="bob", at=NOON + 4),
        fire("other_site", visitor_id="u1", site="other", at=NOON + 5),
    ]
    Records(warehouse).store_fires(fires, NOON + 10)
    ids = [one.fire_id for one in fires]
    past = read_past_fires(warehouse, [ANNA, BOB], 0)
    assert {who.visitor_id: {id_: fires.newer_than(id_) for id_ in ids} for who, fires in past.items()} == {
        "u1": {**dict.fromkeys(ids), "first": "second"},
        "bob": dict.fromkeys(ids),
    }


@pytest.mark.parametrize("told", [("a", "b"), ("b", "a")])
def test_of_two_firings_at_the_same_instant_none_is_newer(told: tuple[str, str]) -> None:
    early = PastFire("lingers", "", NOON - 1, "early")
    past = PastFires([early, *(PastFire("lingers", "", NOON, one) for one in told)])
    assert [past.newer_than(one) for one in ("early", "a", "b")] == ["b", None, None]
