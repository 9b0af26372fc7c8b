"""Which rules to ask of which visitors: never all rules, never all visitors."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec

from trigger_worker.live_rule import LiveRule
from trigger_worker.live_rules import LiveRules, Wait
from trigger_worker.reading.feed import Anchor, News, Visitor

#: News this much older than its storing came late (from an offline phone, say): it may change what was asked before,
#: so every rule that looks at it is asked again.
LATE_MS: Final = 5_000
#: Visitors whose newest event is remembered, to tell what comes out of order.
MAX_REMEMBERED: Final = 100_000


def is_late(item: News) -> bool:
    """Tell whether news came long after it happened."""
    return item.visible_at - item.ts > LATE_MS


class NewestSeen:
    """The latest event time asked about, of the visitors seen last."""

    def __init__(self) -> None:
        self._times: OrderedDict[Visitor, int] = OrderedDict()

    def is_out_of_order(self, item: News) -> bool:
        """Tell whether its instant, or a later one, was asked about before."""
        newest = self._times.get(item.visitor)
        return newest is not None and item.ts <= newest

    def remember(self, news: Iterable[News]) -> None:
        """Note what was asked about."""
        for item in news:
            self._times[item.visitor] = max(item.ts, self._times.get(item.visitor, item.ts))
            self._times.move_to_end(item.visitor)
            if len(self._times) > MAX_REMEMBERED:
                self._times.popitem(last=False)


class Candidate(msgspec.Struct):
    """What to ask of one visitor.

    Args:
        since: the earliest instant at which the answer may be new, epoch milliseconds.
        rules: those to ask.
    """

    since: int
    rules: frozenset[LiveRule]

    def join(self, since: int, rules: frozenset[LiveRule]) -> None:
        """Ask these rules, too, and all of them from the earlier instant on."""
        self.since = min(self.since, since)
        if not rules <= self.rules:
            self.rules |= rules


class Candidates:
    """The pairs of visitor and rule whose answer may have changed."""

    def __init__(self, rules: LiveRules) -> None:
        self._rules = rules
        self.by_visitor: dict[Visitor, Candidate] = {}

    def add_news(self, news: Iterable[News], newest_seen: NewestSeen) -> None:
        """Take events that became visible; what is late or out of order concerns every rule that looks at it."""
        for item in news:
            late = is_late(item) or newest_seen.is_out_of_order(item)
            chosen = self._rules.looking_at(item.event) if late else self._rules.completed_by(item.event)
            self._add(item.visitor, item.ts, chosen)

    def add_due(self, wait: Wait, anchors: Iterable[Anchor]) -> None:
        """Take events whose wait has run out."""
        started: dict[str, frozenset[LiveRule]] = {}
        for anchor in anchors:
            if anchor.event not in started:
                started[anchor.event] = wait.started_by(anchor.event)
            self._add(anchor.visitor, anchor.ts + wait.wait_ms, started[anchor.event])

    def _add(self, visitor: Visitor, since: int, rules: frozenset[LiveRule]) -> None:
        if not rules:
            return
        known = self.by_visitor.get(visitor)
        if known is None:
            self.by_visitor[visitor] = Candidate(since, rules)
        else:
            known.join(since, rules)
