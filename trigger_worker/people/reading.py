"""Read the states of people from ClickHouse, some dozens at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from trigger_worker.people.state import PersonState
from trigger_worker.people.surroundings import Surroundings
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.store.decisions import Placement, Version, read_placements
from trigger_worker.store.fires import read_past_fires
from trigger_worker.store.people import Join, Person, Visitor, find_people
from trigger_worker.store.sent import read_messages
from trigger_worker.store.windows import Wanted, read_person_events
from warehouse.queries import Queries

#: How far back firings and messages are read: longer than any `every`, cap or sequence that is in use.
FACTS_MS: Final = 400 * DAY_MS


class Scope(msgspec.Struct, frozen=True):
    """The part of people that rules, gate and templates look at.

    Args:
        wanted: the events, fields and surroundings.
        facts_ms: how far back firings and messages matter, ms.
        experiments: ids of the rules with an experiment.
    """

    wanted: Wanted = Wanted({}, frozenset())
    facts_ms: int = FACTS_MS
    experiments: frozenset[str] = frozenset()

    def covers(self, other: Scope) -> bool:
        """Tell whether states of this scope serve another."""
        return (
            self.wanted.covers(other.wanted)
            and other.facts_ms <= self.facts_ms
            and other.experiments <= self.experiments
        )


def read_people(
    queries: Queries, visitors: Iterable[Visitor], scope: Scope, since: int, now_ms: int, joins: Iterable[Join] = ()
) -> dict[Visitor, PersonState]:
    """Return the state of the person behind each visitor; visitors of one person share it.

    Args:
        queries: the ClickHouse database.
        visitors: any ids.
        scope: the part of a person to read.
        since: the earliest instant that will be asked about, epoch ms.
        now_ms: the latest, epoch ms.
        joins: joins that the database may not hold yet.

    Cost: for each group of some hundred people four queries at most, and those of `find_people`: events, firings,
    messages and, where rules have experiments, placements; each reads the people's own rows by the key.
    """
    people = find_people(queries, visitors, joins)
    everybody = set(people.values())
    events = read_person_events(queries, everybody, scope.wanted, since, now_ms)
    fires = read_past_fires(queries, everybody, now_ms - scope.facts_ms)
    messages = read_messages(queries, everybody, now_ms - scope.facts_ms)
    placements: dict[Person, dict[Version, Placement]] = {person: {} for person in everybody}
    if scope.experiments:
        for (rule, version, person), place in read_placements(queries, everybody, scope.experiments).items():
            placements[person][rule, version] = place
    states = {
        person: PersonState(
            person,
            History(events[person].events, {}),
            Surroundings(events[person].told),
            since,
            fires[person],
            messages[person],
            placements[person],
        )
        for person in everybody
    }
    return {visitor: states[person] for visitor, person in people.items()}
