"""The rules that are live now, compiled, and found by what can make them match."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Final

import msgspec

from trigger_worker.evaluate.engine import CompiledRule
from trigger_worker.evaluate.expression import ExpressionCompiler
from trigger_worker.evaluate.needs import Needs, needs, sending_needs
from trigger_worker.rules.model import Audiences, Rule
from warehouse.vocabulary import MESSAGE_EVENTS

ANY: Final = "any"


class LiveRule(msgspec.Struct, frozen=True, eq=False):
    """A compiled rule with what it looks at.

    Args:
        compiled: answers whether it matches.
        needs: of `when` and `if`.
        sending_needs: of the `if` and `unless` of its messages.
    """

    compiled: CompiledRule
    needs: Needs
    sending_needs: Needs

    @property
    def rule(self) -> Rule:
        """The rule as it was read."""
        return self.compiled.rule


class Wait(msgspec.Struct, frozen=True, eq=False):
    """The rules that match some time after their last event, by that time.

    Args:
        wait_ms: the time, in milliseconds.
        names: the events that start the wait; `any` possible.
        rules: those that wait so long.
    """

    wait_ms: int
    names: frozenset[str]
    rules: tuple[LiveRule, ...]


class LiveRules:
    """Every live rule, by id, by the event that completes it, and by the time it waits."""

    def __init__(self, rules: Iterable[Rule] = (), audiences: Audiences | None = None) -> None:
        audiences = audiences or Audiences()
        expressions = ExpressionCompiler(audiences)
        self.by_id: Mapping[str, LiveRule] = {
            rule.id: LiveRule(CompiledRule(rule, expressions), needs(rule, audiences), sending_needs(rule, audiences))
            for rule in rules
        }
        self._completed_by = _index((name, live) for live in self._at_once() for name in live.needs.trigger_names)
        self._looking_at = _index((name, live) for live in self.by_id.values() for name in live.needs.lookback_ms)
        self._looking_at_contexts = [live for live in self.by_id.values() if live.needs.contexts]
        self.waits = self._index_by_wait()

    def completed_by(self, event: str) -> Iterable[LiveRule]:
        """Return the rules that match as soon as an event of this name, their last step, has come."""
        return _found(self._completed_by, event)

    def looking_at(self, event: str) -> Iterable[LiveRule]:
        """Return the rules whose answer may depend on an event of this name in any way."""
        return chain(_found(self._looking_at, event), self._looking_at_contexts)

    def _at_once(self) -> Iterable[LiveRule]:
        """A rule that waits is asked when its wait has run out, not on the news that starts it."""
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


def _index(entries: Iterable[tuple[str, LiveRule]]) -> Mapping[str, list[LiveRule]]:
    index: dict[str, list[LiveRule]] = defaultdict(list)
    for name, live in entries:
        index[name].append(live)
    return dict(index)


def _found(index: Mapping[str, list[LiveRule]], event: str) -> Iterable[LiveRule]:
    by_any = index.get(ANY, ()) if event not in MESSAGE_EVENTS else ()
    return chain(index.get(event, ()), by_any)
