"""What is kept of people is what the table holds of them."""

from __future__ import annotations

from random import Random

import pytest

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.stored import NOON, event_row, person, store, visitor
from trigger_worker.live import histories as kept_histories
from trigger_worker.live.candidates import Candidate
from trigger_worker.live.histories import MAX_AGE_MS, MAX_UNREAD_MS, KeptHistories
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.rules.evaluate.history import History
from trigger_worker.store.feed import News
from trigger_worker.store.people import Person
from trigger_worker.store.windows import read_own_events
from warehouse.connection import Warehouse

RULES = LiveRules(
    [
        rule("id: hovers\nwhen: hover\nif: count(hover[price > 1], 1h) > 1"),
        rule("id: copies\nwhen: copy\nif: count(copy, 2h) > 1"),
        rule("id: all\nwhen: scroll\nif: count(any, 10m) > 1"),
    ]
)
ANNA, BOB = person("anna"), person("bob")
PEOPLE = {visitor("anna"): ANNA, visitor("bob"): BOB}


class Keeping:
    """Kept histories of a warehouse that a test stores into."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.kept = KeptHistories(warehouse, choose=lambda index, people, fresh, now_ms: dict(people))
        self.news: list[News] = []

    def happens(self, name: str, at: int, who: str = "anna", *, told: bool = True) -> None:
        """Store an event; `told` says whether it is in the feed."""
        row = event_row(name, who, at, price=5)
        store(self.warehouse, row)
        if told:
            self.news.append(News(visitor(who), name, str(row["event_id"]), at, at))

    def read(self, now_ms: int, asked: dict[Person, set[str]], rules: LiveRules = RULES) -> dict[Person, set[str]]:
        """Return the ids of the events in the histories that some rules ask for."""
        return {who: _ids(history) for who, history in self.histories(now_ms, asked, rules).items()}

    def histories(self, now_ms: int, asked: dict[Person, set[str]], rules: LiveRules = RULES) -> dict[Person, History]:
        candidates = {
            who: Candidate(now_ms, frozenset(rules.by_id[name] for name in names)) for who, names in asked.items()
        }
        news, self.news = self.news, []
        groups = self.kept.read(rules, news, PEOPLE, candidates, now_ms)
        return {who: history for group in groups for who, history in group.histories.items()}


def _ids(history: History) -> set[str]:
    return {event.event_id for event in history.events}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_comes_in_whatever_order_what_rules_look_at_is_there(embedded_warehouse: Warehouse, seed: int) -> None:
    random = Random(seed)
    keeping = Keeping(embedded_warehouse)
    now_ms = NOON
    for _ in range(15):
        now_ms += random.choice([10, 1000, MAX_UNREAD_MS + 1, MAX_AGE_MS])
        for _ in range(random.randrange(3)):
            ago = random.choice([0, 5, 2000, 60_000, 3_600_000])
            keeping.happens(random.choice(["hover", "copy", "scroll"]), now_ms - ago, random.choice(["anna", "bob"]))
        asked = {who: set(random.sample(sorted(RULES.by_id), random.randrange(1, 4))) for who in (ANNA, BOB)}
        histories = keeping.histories(now_ms, asked)
        for who, names in asked.items():
            wanted = RULES.shared_needs.wanted(RULES.shared_needs.kinds(RULES.by_id[name] for name in names))
            (stored,) = read_own_events(embedded_warehouse, {who: wanted}, now_ms, now_ms).values()
            found = {event.event_id: event for event in histories[who].events}
            assert {event.event_id for event in stored} <= found.keys()
            assert all(event.fields.items() <= found[event.event_id].fields.items() for event in stored)


def test_what_the_feed_does_not_tell_of_is_found_when_the_history_is_old(embedded_warehouse: Warehouse) -> None:
    keeping = Keeping(embedded_warehouse)
    keeping.happens("hover", NOON)
    assert len(keeping.read(NOON, {ANNA: {"hovers"}})[ANNA]) == 1
    keeping.happens("hover", NOON - 60_000, told=False)
    assert len(keeping.read(NOON + MAX_AGE_MS - 1, {ANNA: {"hovers"}})[ANNA]) == 1
    assert len(keeping.read(NOON + MAX_AGE_MS, {ANNA: {"hovers"}})[ANNA]) == 2


def test_other_rules_find_what_they_look_at(embedded_warehouse: Warehouse) -> None:
    keeping = Keeping(embedded_warehouse)
    keeping.happens("purchase", NOON - 1)
    keeping.happens("hover", NOON)
    assert len(keeping.read(NOON, {ANNA: {"hovers"}})[ANNA]) == 1
    others = LiveRules([rule("id: hovers\nwhen: hover\nif: count(purchase, 1h) > 0")])
    assert len(keeping.read(NOON + 1, {ANNA: {"hovers"}}, others)[ANNA]) == 2


def test_who_was_read_longest_ago_is_forgotten_first(
    embedded_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Room for one person with one event.
    monkeypatch.setattr(kept_histories, "MAX_EVENTS", 2)
    keeping = Keeping(embedded_warehouse)
    keeping.happens("hover", NOON, "anna")
    keeping.happens("hover", NOON, "bob")
    for who in (ANNA, BOB):
        keeping.read(NOON, {who: {"hovers"}})
    # Neither is in the feed: only who was forgotten is read from the table again.
    for name in ("anna", "bob"):
        keeping.happens("hover", NOON - 60_000, name, told=False)
    assert len(keeping.read(NOON + 1, {BOB: {"hovers"}})[BOB]) == 1
    assert len(keeping.read(NOON + 1, {ANNA: {"hovers"}})[ANNA]) == 2
