"""Firings made already."""

from __future__ import annotations

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.stored import NOON, fire, person
from trigger_worker.store.fires import read_past_fires, read_restarted
from trigger_worker.store.records import Records
from warehouse.connection import Warehouse

LINGERS = rule("id: lingers\nwhen: hover\nevery: 1h")
OTHER = rule("id: other\nwhen: hover\nevery: 2h")
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
    past = read_past_fires(warehouse, [anna, person("bob")], [LINGERS, OTHER], NOON)
    assert {key: sorted(instants) for key, instants in past.of(anna, "lingers").items()} == {
        "": [NOON, NOON + 10],
        "p1": [NOON + 20],
    }
    assert past.of(anna, "other") == {"": [NOON + 30]}
    assert past.of(person("bob"), "lingers") == {"": [NOON]}
    assert past.of(person("bob"), "other") == {}


def test_it_looks_as_far_back_as_the_longest_every(warehouse: Warehouse) -> None:
    fires = [fire(str(ago), at=NOON - ago) for ago in (2 * HOUR + 1, 2 * HOUR, HOUR)]
    Records(warehouse).store_fires(fires, NOON)
    past = read_past_fires(warehouse, [person("anna")], [LINGERS, OTHER], NOON)
    assert sorted(past.of(person("anna"), "lingers")[""]) == [NOON - 2 * HOUR, NOON - HOUR]


def test_firings_after_the_instant_are_told_too(warehouse: Warehouse) -> None:
    Records(warehouse).store_fires([fire(at=NOON + HOUR)], NOON)
    past = read_past_fires(warehouse, [person("anna")], [LINGERS], NOON)
    assert past.of(person("anna"), "lingers") == {"": [NOON + HOUR]}


ANNA = person("u1", "phone")


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
    assert read_restarted(warehouse, [ANNA, person("bob")], ids) == {"first": "second"}
    assert read_restarted(warehouse, [ANNA], ["second"]) == {}
