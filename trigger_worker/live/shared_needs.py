"""What several rules look at together, worked out once for each combination."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.live_rule import LiveRule
from trigger_worker.rules.evaluate.needs import Needs
from trigger_worker.store.windows import Wanted, combine

#: Most combinations that are remembered.
MAX_REMEMBERED: Final = 1_000

#: Numbers that stand for what rules look at.
Kinds = frozenset[int]

_Key = tuple[frozenset[tuple[str, int]], frozenset[str]]


class SharedNeeds:
    """Rules by what they look at: hundreds that differ in a product look at the same.

    Args:
        rules: those that may be asked about.
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
        """Return what some rules look at, as a set: of two, the larger serves the rules of both."""
        return frozenset(self._kind_of[live] for live in rules)

    def wanted(self, kinds: Kinds) -> Wanted:
        """Return which events to read for what some rules look at; the same object for the same combination.

        Surroundings are left out: they are read of fewer people, those of whom a pattern matches.
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
