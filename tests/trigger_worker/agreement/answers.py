"""What the worker has to store, by the description of the rules: asked at each tick, with what is known by then."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from tests.trigger_worker.agreement.households import Sent
from tests.trigger_worker.rules.evaluate import reference
from tests.trigger_worker.rules.evaluate.reference import Rule
from trigger_worker.rules.evaluate.event import LATE_MS
from trigger_worker.rules.model import DEFAULT_TTL_MS

#: Rule, visitor, key and instant.
Answer = tuple[str, str, str, int]
#: Key and instant of a match, and when it could be known.
Found = tuple[str, int, int]


class Answers:
    """Answers of the reference evaluator.

    Args:
        rules: by id.
    """

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = rules
        self._known: dict[tuple[str, ...], list[Found]] = {}

    def live(self, household: Sequence[Sent], ticks: Sequence[int], *, again: bool = False) -> list[Answer]:
        """Return every firing of a worker that ticks at some instants.

        At a tick a person is everybody who is known by then to be that person. Asked about are the instants since the
        tick before, for there is nothing new about earlier ones; unless events come late (`again`) and make a match
        where none was. A firing that was made stays, whatever comes later, and keeps others at its distance.
        """
        fired: list[tuple[str, str, Found]] = []
        before = -1
        for tick in ticks:
            known = [sent for sent in household if sent.stored <= tick]
            for person, ids in people(known).items():
                theirs = [sent for sent in known if sent.visitor in ids]
                for rule_id, rule in self._rules.items():
                    asked = [match for match in self.matches(theirs, rule_id) if match[1] <= tick]
                    new = asked if again else [match for match in asked if match[1] > before]
                    made = [match for other, visitor, match in fired if other == rule_id and visitor in ids]
                    fired += [(rule_id, person, match) for match in apart(new, made, rule.every)]
            before = tick
        return [(rule, visitor, key, at) for rule, visitor, (key, at, _) in fired]

    def replayed(self, household: Sequence[Sent]) -> list[Answer]:
        """Return every firing of a replay in order, with people as they are known in the end."""
        return [
            (rule_id, person, key, at)
            for person, ids in people(household).items()
            for rule_id, rule in self._rules.items()
            for theirs in [[sent for sent in household if sent.visitor in ids]]
            for key, at, _ in apart(self.matches(theirs, rule_id), [], rule.every)
        ]

    def require_complete(self, household: Sequence[Sent], stored: Iterable[Answer], ticks: Sequence[int]) -> None:
        """Check that no match of the whole history is missing but those near a firing, and that each was one once."""
        for person, ids in people(household).items():
            theirs = [sent for sent in household if sent.visitor in ids]
            for rule_id, rule in self._rules.items():
                final = self.matches(theirs, rule_id)
                known = [self.matches([one for one in theirs if one.stored <= tick], rule_id) for tick in ticks]
                ever = {(key, at): (key, at, when) for found in [*known, final] for key, at, when in found}
                mine = [(key, at) for other, visitor, key, at in stored if other == rule_id and visitor == person]
                assert set(mine) <= ever.keys(), (rule_id, person)
                assert apart(final, [ever[match] for match in mine], rule.every) == [], (rule_id, person)

    def matches(self, sents: Iterable[Sent], rule_id: str) -> list[Found]:
        """Return the matches of which `if` is true, in the order in which they could be known."""
        # What is sent a second time is the event that came first.
        stored = {sent.record["id"]: sent for sent in sorted(sents, key=lambda sent: -sent.stored)}
        asked = (rule_id, *stored)
        if asked not in self._known:
            rule, events = self._rules[rule_id], [sent.record for sent in stored.values()]
            known: dict[tuple[str, int], int] = {}
            for key, at, last in reference.matches(events, rule):
                known[key, at] = min(_known_at(at, stored[last]), known.get((key, at), sys.maxsize))
            self._known[asked] = sorted(
                (
                    (key, at, when)
                    for (key, at), when in known.items()
                    if rule.condition is None
                    or reference.truth(rule.condition, partial(reference.value, events=events, at=at))
                ),
                key=lambda match: (match[2], match[2] - match[1] > DEFAULT_TTL_MS, match[1]),
            )
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


def apart(matches: Iterable[Found], made: Iterable[Found], every: int) -> list[Found]:
    """Return the matches that fire.

    None fires at an instant at which its key fired, or closer than `every` to a firing of its key: by the instants, or
    by when the two could be known.
    """
    others: dict[str, list[Found]] = defaultdict(list)
    for one in made:
        others[one[0]].append(one)
    fired = []
    for match in matches:
        key, at, known = match
        if all(
            at != other and abs(at - other) >= every and abs(known - known_then) >= every
            for _, other, known_then in others[key]
        ):
            others[key].append(match)
            fired.append(match)
    return fired


def _known_at(at: int, last: Sent) -> int:
    """Return when a match could be known: later than it was where its last event was stored more than 5 s late."""
    return max(at, last.stored) if last.stored - int(last.record["ts"]) > LATE_MS else at
