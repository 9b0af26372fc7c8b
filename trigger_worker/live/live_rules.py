"""The live rules, compiled, and indexed by the event names and waits that can make them match."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from trigger_worker.deciding.recipient.profile import PROFILE_WANTED
from trigger_worker.live.completion_index import CompletionIndex
from trigger_worker.people.reading import FACTS_MS, Scope
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule, compile_rules
from trigger_worker.rules.language.syntax import ANY
from trigger_worker.rules.model import Audiences, Rule
from trigger_worker.store.windows import combine
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
    rules: tuple[CompiledRule, ...]

    def is_started_by(self, event: str) -> bool:
        """Tell whether an event of this name starts the wait."""
        return is_among(event, self.names)

    def started_by(self, event: str) -> frozenset[CompiledRule]:
        """Return the rules whose wait an event of this name starts."""
        return frozenset(compiled for compiled in self.rules if is_among(event, compiled.needs.trigger_names))


class LiveRules:
    """Every live rule, by id, by the event that completes it, and by the time it waits.

    Args:
        rules: the rules to compile.
        audiences: the segments, stages and scores that they refer to.

    Attributes:
        by_id: the compiled rules.
        completions: finds rules by the events that complete them.
        scope: the part of people that the rules, their messages, the gate and templates look at.
        waits: the waits of the rules that wait.
    """

    def __init__(self, rules: Iterable[Rule] = (), audiences: Audiences | None = None) -> None:
        audiences = audiences or Audiences()
        self.by_id: Mapping[str, CompiledRule] = {each.rule.id: each for each in compile_rules(rules, audiences)}
        compiled_rules = self.by_id.values()
        self._completed_by = _index((name, each) for each in self._at_once() for name in each.needs.trigger_names)
        self._looking_at = _index((name, each) for each in compiled_rules for name in each.needs.lookback_ms)
        self._looking_at_contexts = frozenset(compiled for compiled in compiled_rules if compiled.needs.contexts)
        self.completions = CompletionIndex(compiled_rules)
        self.scope = _scope(compiled_rules)
        self.waits = self._index_by_wait()

    def completed_by(self, event: str) -> frozenset[CompiledRule]:
        """Return the rules that match as soon as an event of this name, their last step, has come."""
        return _found(self._completed_by, event)

    def looking_at(self, event: str) -> frozenset[CompiledRule]:
        """Return the rules whose answer may depend on an event of this name in any way."""
        return _found(self._looking_at, event) | self._looking_at_contexts

    def _at_once(self) -> Iterable[CompiledRule]:
        """Yield the rules without a wait; the others are asked when their wait has run out, not when it starts."""
        return (compiled for compiled in self.by_id.values() if not compiled.needs.wait_ms)

    def _index_by_wait(self) -> list[Wait]:
        waiting: dict[int, list[CompiledRule]] = defaultdict(list)
        for compiled in self.by_id.values():
            if compiled.needs.wait_ms:
                waiting[compiled.needs.wait_ms].append(compiled)
        return [
            Wait(wait_ms, frozenset().union(*(compiled.needs.trigger_names for compiled in rules)), tuple(rules))
            for wait_ms, rules in sorted(waiting.items())
        ]


def _scope(rules: Iterable[CompiledRule]) -> Scope:
    """Return the part of people that rules, their messages, the gate and templates look at."""
    chosen = list(rules)
    needs = [need for each in chosen for need in (each.needs, each.sending_needs, *each.goal_needs(FACTS_MS))]
    return Scope(
        combine([PROFILE_WANTED, *needs]),
        max([FACTS_MS, *(each.rule.every_ms for each in chosen)]),
        frozenset(each.rule.id for each in chosen if each.rule.experiment is not None),
    )


def is_among(event: str, names: frozenset[str]) -> bool:
    """Tell whether a set of event names, `any` possible, has an event's name."""
    return event in names or (ANY in names and event not in MESSAGE_EVENTS)


def _index(entries: Iterable[tuple[str, CompiledRule]]) -> Mapping[str, frozenset[CompiledRule]]:
    index: dict[str, set[CompiledRule]] = defaultdict(set)
    for name, compiled in entries:
        index[name].add(compiled)
    return {name: frozenset(rules) for name, rules in index.items()}


def _found(index: Mapping[str, frozenset[CompiledRule]], event: str) -> frozenset[CompiledRule]:
    named = index.get(event, _NONE)
    by_any = index.get(ANY, _NONE) if event not in MESSAGE_EVENTS else _NONE
    # One of the two is the very set that others share: a thousand rules are not copied for each event.
    return named | by_any if named and by_any else named or by_any


_NONE: Final[frozenset[CompiledRule]] = frozenset()


def rule_changes(before: Sequence[Rule], now: Sequence[Rule]) -> dict[str, list[str]]:
    """Return the ids of rules that were added, changed or removed, by these words; nothing where none was."""
    old, new = ({rule.id: (rule.version, rule.paused) for rule in rules} for rules in (before, now))
    found = {
        "added": sorted(new.keys() - old.keys()),
        "changed": sorted(each for each in new.keys() & old.keys() if new[each] != old[each]),
        "removed": sorted(old.keys() - new.keys()),
    }
    return {word: ids for word, ids in found.items() if ids}
