"""The live rules, compiled, and indexed by the event names and waits that can make them match."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from trigger_worker.live.completion_index import CompletionIndex
from trigger_worker.rules.evaluate.compiled_rule import LiveRule, compile_rule
from trigger_worker.rules.evaluate.expression import ExpressionCompiler
from trigger_worker.rules.evaluate.needs import Needs
from trigger_worker.rules.language.syntax import ANY
from trigger_worker.rules.model import Audiences, Rule
from trigger_worker.store.windows import Wanted, combine
from warehouse.vocabulary import MESSAGE_EVENTS


class Wait(msgspec.Struct, frozen=True, eq=False):
    """The rules that match a fixed time after their last event, unless an event in between prevents it.

    Args:
        wait_ms: that time, ms.
        names: the events that start the wait; `any` possible.
        rules: the rules that wait so long.
    """

    wait_ms: int
    names: frozenset[str]
    rules: tuple[LiveRule, ...]

    def is_started_by(self, event: str) -> bool:
        """Tell whether an event of this name starts the wait."""
        return is_among(event, self.names)

    def started_by(self, event: str) -> frozenset[LiveRule]:
        """Return the rules whose wait an event of this name starts."""
        return frozenset(live for live in self.rules if is_among(event, live.needs.trigger_names))


class LiveRules:
    """Every live rule, by id, by the event that completes it, and by the time it waits.

    Args:
        rules: the rules to compile.
        audiences: the segments, stages and scores that they refer to.
    """

    def __init__(self, rules: Iterable[Rule] = (), audiences: Audiences | None = None) -> None:
        audiences = audiences or Audiences()
        expressions = ExpressionCompiler(audiences)
        self.by_id: Mapping[str, LiveRule] = {rule.id: compile_rule(rule, audiences, expressions) for rule in rules}
        self._completed_by = _index((name, live) for live in self._at_once() for name in live.needs.trigger_names)
        self._looking_at = _index((name, live) for live in self.by_id.values() for name in live.needs.lookback_ms)
        self._looking_at_contexts = frozenset(live for live in self.by_id.values() if live.needs.contexts)
        self.completions = CompletionIndex(self.by_id.values())
        self.shared_needs = SharedNeeds(self.by_id.values())
        #: The event names, fields and lookbacks of all rules together.
        self.looked_at = combine(live.needs for live in self.by_id.values())
        self.waits = self._index_by_wait()

    def completed_by(self, event: str) -> frozenset[LiveRule]:
        """Return the rules that match as soon as an event of this name, their last step, has come."""
        return _found(self._completed_by, event)

    def looking_at(self, event: str) -> frozenset[LiveRule]:
        """Return the rules whose answer may depend on an event of this name in any way."""
        return _found(self._looking_at, event) | self._looking_at_contexts

    def _at_once(self) -> Iterable[LiveRule]:
        """Yield the rules without a wait; the others are asked when their wait has run out, not when it starts."""
        return (live for live in self.by_id.values() if not live.needs.wait_ms)

    def _index_by_wait(self) -> list[Wait]:
        waiting: dict[int, list[LiveRule]] = defaultdict(list)
        for live in self.by_id.values():
            if live.needs.wait_ms:
                waiting[live.needs.wait_ms].append(live)
        return [
            Wait(wait_ms, frozenset().union(*(live.needs.trigger_names for live in rules)), tuple(rules))
            for wait_ms, rules in sorted(waiting.items())
        ]


def is_among(event: str, names: frozenset[str]) -> bool:
    """Tell whether a set of event names, `any` possible, has an event's name."""
    return event in names or (ANY in names and event not in MESSAGE_EVENTS)


def _index(entries: Iterable[tuple[str, LiveRule]]) -> Mapping[str, frozenset[LiveRule]]:
    index: dict[str, set[LiveRule]] = defaultdict(set)
    for name, live in entries:
        index[name].add(live)
    return {name: frozenset(rules) for name, rules in index.items()}


def _found(index: Mapping[str, frozenset[LiveRule]], event: str) -> frozenset[LiveRule]:
    named = index.get(event, _NONE)
    by_any = index.get(ANY, _NONE) if event not in MESSAGE_EVENTS else _NONE
    # One of the two is the very set that others share: a thousand rules are not copied for each event.
    return named | by_any if named and by_any else named or by_any


_NONE: Final[frozenset[LiveRule]] = frozenset()


#: Most combinations of needs that are remembered.
MAX_REMEMBERED: Final = 1_000

#: A set of needs, each by its number.
Kinds = frozenset[int]

_Key = tuple[frozenset[tuple[str, int]], frozenset[str]]


class SharedNeeds:
    """The needs that rules share: hundreds of rules that differ in a product look at the same events and fields.

    Args:
        rules: the live rules.
    """

    def __init__(self, rules: Iterable[LiveRule]) -> None:
        kinds: dict[_Key, int] = {}
        self._needs: list[Needs] = []
        self._kind_of: dict[LiveRule, int] = {}
        for live in rules:
            kind = kinds.setdefault(_key(live.needs), len(kinds))
            if kind == len(self._needs):
                self._needs.append(live.needs)
            self._kind_of[live] = kind
        self._wanted: dict[Kinds, Wanted] = {}

    def kinds(self, rules: Iterable[LiveRule]) -> Kinds:
        """Return the needs of some rules as a set of numbers; a superset serves the rules of its subsets as well."""
        return frozenset(self._kind_of[live] for live in rules)

    def wanted(self, kinds: Kinds) -> Wanted:
        """Return the events and fields to read for a set of needs; the same object for the same set.

        Surroundings such as `device` are left out: they are read only for people of whom a pattern matches.
        """
        found = self._wanted.get(kinds)
        if found is None:
            if len(self._wanted) == MAX_REMEMBERED:
                self._wanted.clear()
            found = self._wanted[kinds] = msgspec.structs.replace(
                combine(self._needs[kind] for kind in kinds), contexts=frozenset()
            )
        return found


def _key(needs: Needs) -> _Key:
    return frozenset(needs.lookback_ms.items()), needs.fields
