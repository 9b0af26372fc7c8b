"""Events read as a whole."""

from __future__ import annotations

from tests.trigger_worker.stored import NOON, event_row, person, store
from trigger_worker.store.events import read_whole_events
from warehouse.connection import Warehouse

ANNA = person("anna")


def test_whole_events_are_found_by_whose_they_are(warehouse: Warehouse) -> None:
    store(
        warehouse,
        event_row("hover", "anna", event_id="same", name="Tent", colour="red"),
        event_row("hover", "bob", event_id="same", name="Mug"),
        event_row("hover", "anna", event_id="same", name="Lamp", site="other"),
        event_row("hover", "anna", event_id="not_asked_about"),
    )
    anna, bob, other = person("anna"), person("bob"), person("anna", site="other")
    found = read_whole_events(warehouse, [(anna, "same"), (bob, "same"), (other, "same"), (bob, "missing")])
    names = {whose: event.fields["name"] for whose, event in found.items()}
    assert names == {(anna, "same"): "Tent", (bob, "same"): "Mug", (other, "same"): "Lamp"}
    assert found[anna, "same"].fields == {"name": "Tent", "colour": "red"}


def test_a_whole_event_is_not_looked_for_before_its_time(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", at=NOON, event_id="at"), event_row("hover", at=NOON - 1, event_id="before"))
    found = read_whole_events(warehouse, [(ANNA, "at"), (ANNA, "before")], NOON)
    assert [event_id for _, event_id in found] == ["at"]
