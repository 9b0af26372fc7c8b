"""People found in memory, and read where they are not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import pytest
from prometheus_client import CollectorRegistry

from tests.trigger_worker.people.arriving import ANNA, EVERYTHING, SCOPE, arrival, born
from tests.trigger_worker.stored import NOON, event_row, fire, person, store, visitor
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.memory import People
from trigger_worker.people.source import MAX_TOGETHER, SLACK_MS, PeopleSource
from trigger_worker.store.records import Records
from trigger_worker.store.windows import Wanted
from warehouse.connection import Row, Warehouse
from warehouse.errors import WarehouseError

HOUR: Final = 3_600_000
#: Statements about people who are read together: links, events with surroundings, firings, messages.
EACH: Final = 4


class Counted:
    """A warehouse whose questions are counted.

    Args:
        warehouse: the one that answers.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self.asked: list[str] = []
        self.error: WarehouseError | None = None

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        self.asked.append(sql)
        if self.error is not None:
            raise self.error
        return self._warehouse.query(sql, parameters)

    def take(self) -> int:
        """Return the number of questions since the last call."""
        count, self.asked = len(self.asked), []
        return count


class Here:
    """The people in memory and in an embedded warehouse.

    Args:
        warehouse: the warehouse.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.counted = Counted(warehouse)
        self.people = People(started_at=NOON - HOUR)
        self.people.look_at(SCOPE)
        self.metrics = WorkerMetrics(CollectorRegistry())
        self.source = PeopleSource(self.counted, self.people, self.metrics)


@pytest.fixture
async def here(embedded_warehouse: Warehouse) -> AsyncIterator[Here]:
    made = Here(embedded_warehouse)
    yield made
    made.source.close()


async def test_people_in_memory_cost_no_question(here: Here) -> None:
    store(here.warehouse, event_row("hover", "anna", event_id="a"))
    newborn = visitor(born(NOON))
    assert here.people.find_or_bear(newborn, NOON) is not None
    first = await here.source.of([ANNA], NOON)
    assert here.counted.take() == EACH
    again = await here.source.of([ANNA, newborn, ANNA], NOON + HOUR)
    assert again[ANNA] is first[ANNA]
    assert set(again) == {ANNA, newborn}
    assert here.counted.take() == 0
    assert [event.event_id for event in first[ANNA].history.events] == ["a"]


async def test_nobody_costs_no_question(here: Here) -> None:
    assert await here.source.of([], NOON) == {}
    assert here.counted.take() == 0


async def test_a_hundred_unknown_people_cost_a_few_questions(here: Here) -> None:
    names = [f"visitor-{number}" for number in range(2 * MAX_TOGETHER)]
    store(here.warehouse, *(event_row("hover", name, device="mobile") for name in names))
    found = await here.source.of(map(visitor, names), NOON)
    assert here.counted.take() == 2 * EACH
    assert [len(found[visitor(name)].history.events) for name in names] == [1] * len(names)
    assert {found[visitor(name)].history.context("device").at(NOON) for name in names} == {"mobile"}
    await here.source.of(map(visitor, [*names, "one_more"]), NOON)
    assert here.counted.take() == EACH


async def test_all_ids_of_a_person_are_answered_by_one_state(here: Here) -> None:
    store(here.warehouse, event_row("login", "phone", user="u1"))
    found = await here.source.of([visitor("phone"), visitor("u1"), visitor("bob")], NOON)
    assert found[visitor("phone")] is found[visitor("u1")]
    assert found[visitor("u1")].person == person("u1", "phone")
    assert len(here.people) == 2


async def test_joins_that_the_table_does_not_hold_yet_are_known(here: Here) -> None:
    store(here.warehouse, event_row("hover", "phone", NOON - 1, event_id="a"))
    here.people.events.add(arrival("login", "phone", NOON, user="u1", event_id="b"))
    found = await here.source.of([visitor("phone")], NOON)
    state = found[visitor("phone")]
    assert state.person == person("u1", "phone")
    assert [event.event_id for event in state.history.events] == ["a", "b"]


async def test_who_is_asked_about_the_past_is_read_anew_once(here: Here) -> None:
    first = (await here.source.of([ANNA], NOON))[ANNA]
    assert first.since == NOON - SLACK_MS
    here.counted.take()
    assert (await here.source.of([ANNA], NOON + 1, since=NOON - SLACK_MS))[ANNA] is first
    assert here.counted.take() == 0
    earlier = (await here.source.of([ANNA], NOON + 1, since=NOON - HOUR))[ANNA]
    assert earlier is not first
    assert earlier.since == NOON - HOUR - SLACK_MS
    assert here.counted.take() == EACH
    assert (await here.source.of([ANNA], NOON + 2, since=NOON - HOUR))[ANNA] is earlier
    assert (await here.source.of([ANNA], NOON + 2))[ANNA] is earlier
    assert here.counted.take() == 0


async def test_a_newborn_has_every_instant(here: Here) -> None:
    newborn = visitor(born(NOON))
    state = here.people.find_or_bear(newborn, NOON)
    assert (await here.source.of([newborn], NOON, since=0))[newborn] is state
    assert here.counted.take() == 0


async def test_people_who_were_read_with_less_than_is_wanted_are_read_anew_once(here: Here) -> None:
    store(here.warehouse, event_row("hover", "anna", country="DE"))
    await here.source.of([ANNA], NOON)
    here.counted.take()
    wanted = Wanted({"email_opened": HOUR}, frozenset({"price"}), frozenset({"country"}))
    (state,) = (await here.source.of([ANNA], NOON, wanted)).values()
    assert here.counted.take() == EACH
    assert state.history.context("country").at(NOON) == "DE"
    assert here.people.scope.wanted.covers(wanted)
    assert here.people.scope.wanted.covers(EVERYTHING)
    # What a goal needs grows by the hour.
    for span in (HOUR, 2 * HOUR, 300 * 24 * HOUR):
        grown = Wanted({"email_opened": span}, frozenset({"price"}), frozenset({"country"}))
        assert (await here.source.of([ANNA], NOON, grown))[ANNA] is state
    assert here.counted.take() == 0


async def test_who_is_read_knows_of_the_rows_in_the_journal(here: Here) -> None:
    Records(here.warehouse).store_fires([fire("stored")], NOON)
    here.people.note(fire("in_the_journal", at=NOON + 1), NOON)
    (state,) = (await here.source.of([ANNA], NOON)).values()
    assert {one.fire_id for one in state.fires} == {"stored", "in_the_journal"}


async def test_rules_that_change_while_people_are_read_have_them_read_again(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    wider = Wanted(EVERYTHING.lookback_ms, None, EVERYTHING.contexts | {"country"})
    store(here.warehouse, event_row("hover", "anna", country="DE"))
    query = here.counted.query

    def widen(sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        monkeypatch.undo()
        here.people.look_at(type(SCOPE)(wider))
        return query(sql, parameters)

    monkeypatch.setattr(here.counted, "query", widen)
    (state,) = (await here.source.of([ANNA], NOON)).values()
    assert state.history.context("country").at(NOON) == "DE"
    assert here.counted.take() == 2 * EACH


async def test_who_cannot_be_read_is_an_error_and_is_read_the_next_time(here: Here) -> None:
    here.counted.error = WarehouseError("away", "wait")
    with pytest.raises(WarehouseError):
        await here.source.of([ANNA], NOON)
    assert len(here.people) == 0
    here.counted.error = None
    assert (await here.source.of([ANNA], NOON))[ANNA].person == person("anna")


async def test_readings_are_counted(here: Here) -> None:
    await here.source.of([ANNA, visitor("bob")], NOON)
    await here.source.of([ANNA], NOON)
    assert here.metrics.registry.get_sample_value("micromoment_people_loaded_total") == 2
    assert here.metrics.registry.get_sample_value("micromoment_load_seconds_count") == 1
