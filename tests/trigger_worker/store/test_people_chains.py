"""Chains of joins: one person whatever their length, the order in which they are told, and whoever is asked about."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.store.decided import VERSION, buys, decide
from tests.trigger_worker.stored import NOON, event_row, person, store, visitor
from trigger_worker.store import people
from trigger_worker.store.arm_data import ArmData, Spending, read_arm_data
from trigger_worker.store.people import Join, Person, Visitor, find_people
from warehouse.connection import Row, Warehouse

LINGERS = rule("id: lingers\nwhen: hover\ngoal: purchase[value >= 50] within 1h\nsend: [{banner: hello}]")
_OF_SITE = "SELECT alias, person FROM people WHERE site = {site:String} ORDER BY alias"

#: What was said: an alias, whom it was joined to, and the second in which that was said.
Word = tuple[str, str, int]


class Counting:
    """Counts the queries that go to a database."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self.count = 0

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """Return what a query selects."""
        self.count += 1
        return self._warehouse.query(sql, parameters)


def chain(length: int) -> list[Word]:
    """Return the words that join the first of some ids to the second, that to the third, and so on."""
    return [(f"id-{number:03}", f"id-{number + 1:03}", number) for number in range(length)]


def say(warehouse: Warehouse, words: Sequence[Word], site: str = "shop", source: str = "live") -> None:
    """Store words in their order, in three inserts at most."""
    third = len(words) // 3 + 1
    for first in range(0, len(words), third):
        rows = [
            event_row("alias", alias, NOON + second * 1000, user=owner, site=site, source=source)
            for alias, owner, second in words[first : first + third]
        ]
        store(warehouse, *rows)


def expected(words: Sequence[Word]) -> dict[str, str]:
    """Return the person of each id: at the end of the latest words, or the first of a circle."""
    latest = {alias: owner for alias, owner, _ in sorted(words, key=lambda word: word[2])}
    return {each: _end(each, latest) for each in {*latest, *latest.values()}}


def _end(start: str, latest: Mapping[str, str]) -> str:
    walked = [start]
    while (following := latest.get(walked[-1])) is not None:
        if following in walked:
            return min(walked[walked.index(following) :])
        walked.append(following)
    return walked[-1]


def people_of(owners: Mapping[str, str], site: str = "shop") -> dict[Visitor, Person]:
    """Return the person of each visitor, with all of their ids."""
    ids = {owner: sorted(each for each, end in owners.items() if end == owner and each != owner) for owner in owners}
    return {visitor(each, site): person(owner, *ids[owner], site=site) for each, owner in owners.items()}


@pytest.mark.parametrize(
    ("length", "order"),
    [
        *((7, order) for order in ("forwards", "backwards", "shuffled")),
        *((length, "shuffled") for length in (1, 5, 30, people.MAX_JOINS - 1)),
    ],
)
def test_a_chain_of_joins_is_one_person_in_whatever_order_it_was_told(
    warehouse: Warehouse, length: int, order: str
) -> None:
    words = chain(length)
    if order == "backwards":
        words.reverse()
    elif order == "shuffled":
        random.Random(7).shuffle(words)
    say(warehouse, words)
    wanted = people_of(expected(words))
    for asked in ("id-000", f"id-{length:03}", f"id-{length // 2:03}"):
        assert find_people(warehouse, [visitor(asked)]) == {visitor(asked): wanted[visitor(asked)]}
    assert dict(warehouse.query(_OF_SITE, {"site": "shop"})) == {word[0]: f"id-{length:03}" for word in words}


@pytest.mark.parametrize("length", [2, 7, 30])
def test_a_long_circle_with_a_tail_is_one_person(warehouse: Warehouse, length: int) -> None:
    words = [*chain(length), (f"id-{length:03}", "id-000", length), ("tail-1", "tail-2", 1), ("tail-2", "id-001", 1)]
    say(warehouse, words)
    wanted = people_of(expected(words))
    assert {each.visitor_id for each in wanted.values()} == {"id-000"}
    assert find_people(warehouse, wanted) == wanted
    assert set(dict(warehouse.query(_OF_SITE, {"site": "shop"})).values()) == {"id-000"}


def test_a_join_that_is_told_late_brings_two_chains_together(warehouse: Warehouse) -> None:
    words = chain(8)
    middle = words.pop(4)
    say(warehouse, words)
    before = find_people(warehouse, [visitor("id-000"), visitor("id-008")])
    assert {each.visitor_id for each in before.values()} == {"id-004", "id-008"}
    say(warehouse, [middle])
    after = find_people(warehouse, [visitor("id-000"), visitor("id-008")])
    assert set(after.values()) == {person("id-008", *(f"id-{number:03}" for number in range(8)))}


def test_joins_that_are_not_stored_yet_are_part_of_a_chain(warehouse: Warehouse) -> None:
    words = chain(9)
    say(warehouse, words[::2])
    unstored = [Join("shop", alias, owner, NOON + second * 1000) for alias, owner, second in words[1::2]]
    assert find_people(warehouse, [visitor("id-003")], unstored) == {
        visitor("id-003"): people_of(expected(words))[visitor("id-003")]
    }


def test_an_imported_chain_is_one_person(warehouse: Warehouse) -> None:
    say(warehouse, chain(7), source="import")
    assert find_people(warehouse, [visitor("id-000")])[visitor("id-000")].visitor_id == "id-007"


def test_a_query_is_asked_for_each_join_and_hardly_more(warehouse: Warehouse) -> None:
    say(warehouse, chain(20))
    counting = Counting(warehouse)
    find_people(counting, [visitor(f"id-{number:03}") for number in range(21)])
    assert counting.count <= 2
    counting.count = 0
    find_people(counting, [visitor("id-000")])
    assert counting.count <= 22
    counting.count = 0
    find_people(counting, [visitor("stranger")])
    assert counting.count == 1


def test_a_person_of_very_many_ids_has_the_nearest_and_those_who_refused(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "MAX_IDS", 30)
    rows = [event_row("alias", f"near-{n:02}", NOON + n, user="user") for n in range(10)]
    rows += [
        event_row("alias", f"far-{n:02}-{m:02}", NOON + n, user=f"near-{n:02}") for n in range(10) for m in range(20)
    ]
    store(warehouse, *rows, event_row("consent", "far-09-19", NOON, marketing=False))
    (found,) = find_people(warehouse, [visitor("user")]).values()
    assert {f"near-{n:02}" for n in range(10)} < set(found.ids)
    assert "far-09-19" in found.ids
    assert len(found.ids) <= 1 + 30 + 1


def test_an_experiment_counts_a_chain_as_one_person(warehouse: Warehouse) -> None:
    say(warehouse, chain(7))
    decide(warehouse, "id-000", "plain")
    decide(warehouse, "id-005", "coupon", at=NOON + 1)
    buys(warehouse, "id-003", 60, NOON + 3)
    buys(warehouse, "id-007", 20, NOON + 4)
    later = NOON + 100 * 3_600_000
    assert read_arm_data(warehouse, LINGERS, VERSION, later) == [ArmData("plain", 1, 1, (Spending("", 80.0, 6400.0),))]


_sites = iter(range(10**9))
names = st.sampled_from([f"id-{number}" for number in range(9)])
joins = st.tuples(names, names).filter(lambda pair: pair[0] != pair[1])


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(joins, min_size=1, max_size=14), st.randoms(use_true_random=False), st.data())
def test_whatever_is_joined_in_whatever_order_the_worker_and_the_view_agree(
    warehouse: Warehouse, pairs: list[tuple[str, str]], shuffled: random.Random, data: st.DataObject
) -> None:
    site = f"site-{next(_sites)}"
    words = [(alias, owner, second) for second, (alias, owner) in enumerate(pairs)]
    wanted = people_of(expected(words), site)
    shuffled.shuffle(words)
    stored = data.draw(st.integers(0, len(words)))
    say(warehouse, words[:stored], site)
    unstored = [Join(site, alias, owner, NOON + second * 1000) for alias, owner, second in words[stored:]]
    assert find_people(warehouse, wanted, unstored) == wanted
    asked = data.draw(st.sampled_from(sorted(each.visitor_id for each in wanted)))
    assert find_people(warehouse, [visitor(asked, site)], unstored) == {
        visitor(asked, site): wanted[visitor(asked, site)]
    }
    say(warehouse, words[stored:], site)
    view: dict[str, str] = dict(warehouse.query(_OF_SITE, {"site": site}))
    assert view == {alias: wanted[visitor(alias, site)].visitor_id for alias in {word[0] for word in words}}
