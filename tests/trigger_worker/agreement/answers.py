"""What the worker has to store, by the description of the rules: asked at each tick, with what is known by then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from tests.trigger_worker.agreement.households import Sent
from tests.trigger_worker.rules.evaluate import reference
from tests.trigger_worker.rules.evaluate.reference import Record, Rule

#: Rule, visitor, key and instant.
Answer = tuple[str, str, str, int]


class Answers:
    """Answers of the reference evaluator.

    Args:
        rules: by id.
    """

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        self._known: dict[tuple[str, ...], list[tuple[str, int]]] = {}

    def live(self, household: Sequence[Sent], ticks: Sequence[int], *, again: bool = False) -> list[Answer]:
        """Return every firing of a worker that ticks at some instants.

        At a tick a person is everybody who is known by then to be that person. Asked about are the instants since the
        tick before, for there is nothing new about earlier ones; unless events come late (`again`) and make a match
        where none was. A firing that was made stays, whatever comes later, and keeps others at its distance.
        """
        fired: list[Answer] = []
        before = -1
        for tick in ticks:
            known = [sent for sent in household if sent.stored <= tick]
            for person, ids in people(known).items():
                theirs = _once(sent for sent in known if sent.visitor in ids)
                for rule_id, rule in self._rules.items():
                    asked = [match for match in self.matches(theirs, rule_id) if match[1] <= tick]
                    new = asked if again else [match for match in asked if match[1] > before]
                    made = [(key, at) for other, visitor, key, at in fired if other == rule_id and visitor in ids]
                    fired += [(rule_id, person, *match) for match in apart(new, made, rule.every)]
            before = tick
        return fired

    def replayed(self, household: Sequence[Sent]) -> list[Answer]:
        """Return every firing of a replay in order, with people as they are known in the end."""
        return [
            (rule_id, person, *firing)
            for person, ids in people(household).items()
            for rule_id, rule in self._rules.items()
            for firing in reference.firings(_once(sent for sent in household if sent.visitor in ids), rule)
        ]

    def require_complete(self, household: Sequence[Sent], stored: Iterable[Answer], ticks: Sequence[int]) -> None:
        """Check that no match of the whole history is missing but those near a firing, and that each was one once."""
        for person, ids in people(household).items():
            theirs = [sent for sent in household if sent.visitor in ids]
            for rule_id, rule in self._rules.items():
                mine = [(key, at) for other, visitor, key, at in stored if other == rule_id and visitor == person]
                final = self.matches(_once(theirs), rule_id)
                assert apart(final, mine, rule.every) == [], (rule_id, person)
                known = [_once(sent for sent in theirs if sent.stored <= tick) for tick in ticks]
                ever = {match for events in known for match in self.matches(events, rule_id)}
                assert set(mine) <= ever, (rule_id, person)

    def matches(self, events: Sequence[Record], rule_id: str) -> list[tuple[str, int]]:
        """Return key and instant of the matches of which `if` is true, in order of time."""
        asked = (rule_id, *(event["id"] for event in events))
        if asked not in self._known:
            rule = self._rules[rule_id]
            found = {(key, at) for key, at, _ in reference.matches(events, rule)}
            self._known[asked] = [
                (key, at)
                for key, at in sorted(found, key=lambda match: match[1])
                if rule.condition is None
                or reference.truth(rule.condition, partial(reference.value, events=events, at=at))
            ]
        return self._known[asked]


def people(known: Iterable[Sent]) -> dict[str, set[str]]:
    """Return the ids of each person: a device is whose it was said to be last."""
    user_of: dict[str, str] = {}
    visitors: set[str] = set()
    for sent in sorted(known, key=lambda sent: int(sent.record["ts"])):
        visitors.add(sent.visitor)
        if sent.user:
            user_of[sent.device] = sent.user
    found: dict[str, set[str]] = defaultdict(set)
    for visitor in visitors:
        found[user_of.get(visitor, visitor)].add(visitor)
    return found


def apart(matches: Iterable[tuple[str, int]], made: Iterable[tuple[str, int]], every: int) -> list[tuple[str, int]]:
    """Return the matches that fire: none at an instant, or closer than `every` to one, that fired for its key."""
    instants: dict[str, list[int]] = defaultdict(list)
    for key, at in made:
        instants[key].append(at)
    fired = []
    for key, at in matches:
        if all(at != other and abs(at - other) >= every for other in instants[key]):
            instants[key].append(at)
            fired.append((key, at))
    return fired


def _once(sents: Iterable[Sent]) -> list[Record]:
    """What is sent a second time is the same event."""
    return list({sent.record["id"]: sent.record for sent in sents}.values())
