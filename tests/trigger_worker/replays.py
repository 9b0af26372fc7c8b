"""Short ways to replay rules in tests."""

from __future__ import annotations

from collections.abc import Iterable

from tests.trigger_worker.rules.evaluate.support import audiences, rule
from tests.trigger_worker.stored import NOON
from trigger_worker.deciding.gate.policy_file import read_policy
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.replay.backtest import Backtest, Firing, Replayed
from trigger_worker.store.active import Range
from warehouse.connection import Warehouse

HOUR = 3_600_000


def replay(
    warehouse: Warehouse,
    *texts: str,
    since: int = NOON,
    until: int = NOON + HOUR,
    policy: str = "",
    now: int = NOON + 1000 * HOUR,
    audience: str = "",
) -> list[Replayed]:
    """Replay rules, `id` and `every: 0` of which need not be written."""
    known = audiences(audience) if audience else audiences("segments: {}")
    live = LiveRules([rule(text, known) for text in texts], known).by_id.values()
    found = Backtest(warehouse, list(live), read_policy(policy), Range(since, until), now)
    return list(found.run(found.count()))


def told(replayed: Iterable[Replayed]) -> list[tuple[str, str, str, int]]:
    """Rule, visitor, key and milliseconds after noon of each firing, in the order in which they came."""
    return [(one.rule, one.visitor_id, one.key, one.at - NOON) for one in firings(replayed)]


def firings(replayed: Iterable[Replayed]) -> list[Firing]:
    return [firing for group in replayed for firing in group.firings]
