"""One question about many people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.trigger_worker.stored import person
from trigger_worker.store.people import Person
from trigger_worker.store.people_queries import PeopleGroup, for_people, item_groups, people_groups
from trigger_worker.store.statements import MAX_BYTES, MAX_ITEMS
from warehouse.connection import Row

ANNA, BOB, OTHER = person("u1", "phone", "laptop"), person("bob"), person("u1", site="other")


class Answering:
    """Answers every query with one row for each id, and keeps the parameters."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []

    def query(self, _sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """Return (id, its place) for each id."""
        assert parameters is not None
        self.asked.append(dict(parameters))
        ids = parameters["ids"]
        assert isinstance(ids, list)
        return [(name, place) for place, name in enumerate(ids)]


def test_each_site_is_asked_about_its_people_by_all_of_their_ids() -> None:
    queries = Answering()
    list(for_people(queries, [ANNA, OTHER, BOB], "SELECT", {"since": 5}))
    assert queries.asked == [
        {"since": 5, "site": "shop", "ids": ["u1", "phone", "laptop", "bob"]},
        {"since": 5, "site": "other", "ids": ["u1"]},
    ]


def test_rows_come_back_with_the_person_in_place_of_the_id() -> None:
    rows = list(for_people(Answering(), [ANNA, BOB, OTHER], "SELECT", {}))
    assert rows == [(ANNA, (0,)), (ANNA, (1,)), (ANNA, (2,)), (BOB, (3,)), (OTHER, (0,))]


def test_a_statement_that_tells_people_apart_is_given_the_person_of_each_id() -> None:
    queries = Answering()
    list(for_people(queries, [ANNA, BOB], "transform(visitor_id, {ids:Array(String)}, {persons:Array(String)})", {}))
    assert queries.asked[0]["persons"] == ["u1", "u1", "u1", "bob"]


def test_nobody_is_no_question() -> None:
    queries = Answering()
    assert list(for_people(queries, [], "SELECT", {})) == []
    assert queries.asked == []


def test_items_share_the_question_with_their_people() -> None:
    items = [(ANNA, "e1"), (BOB, "e2"), (OTHER, "e3"), (ANNA, "e4")]
    groups = [(group.people, events) for group, events in item_groups(items, lambda event: (event,))]
    assert groups == [([ANNA, BOB], ["e1", "e2", "e4"]), ([OTHER], ["e3"])]


@given(st.lists(st.tuples(st.sampled_from(["shop", "other"]), st.integers(1, 20_000)), max_size=40))
def test_everybody_is_in_one_group_of_their_site_and_each_group_fits(sizes: list[tuple[str, int]]) -> None:
    people = [Person(site, f"{rank}", (f"{rank}", "x" * size + str(rank))) for rank, (site, size) in enumerate(sizes)]
    groups = list(people_groups(people))
    assert sorted((one.site, one.visitor_id) for group in groups for one in group.people) == sorted(
        (one.site, one.visitor_id) for one in people
    )
    for group in groups:
        assert {one.site for one in group.people} == {group.site}
        assert len(group.people) <= MAX_ITEMS
        assert len(group.people) == 1 or sum(len(name.encode()) for name in group.ids) <= MAX_BYTES


def test_a_group_knows_whose_each_id_is() -> None:
    group = PeopleGroup.of([ANNA, BOB])
    assert {name: owner.visitor_id for name, owner in group.owners.items()} == {
        "u1": "u1",
        "phone": "u1",
        "laptop": "u1",
        "bob": "bob",
    }
