"""Waits that late news starts."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.stored import NOON, visitor
from trigger_worker.live import waits as late_timers
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.live.waits import LateTimers
from trigger_worker.rules.evaluate.event import LATE_MS
from trigger_worker.store.feed import News

WAIT_MS = 15 * 60_000
WAITS = LiveRules([rule("when: add_to_cart -> no purchase within 15m")]).waits
ANY_WAITS = LiveRules([rule("when: any -> no any within 15m")]).waits


def news(event: str = "add_to_cart", ago_ms: int = 600_000) -> News:
    return News(visitor(), event, f"{event}-{ago_ms}", NOON - ago_ms, NOON)


def test_a_timer_runs_out_when_the_wait_since_the_event_is_over() -> None:
    timers = LateTimers().start([news()], WAITS, NOON)
    due_at = NOON - 600_000 + WAIT_MS
    assert timers.take(due_at - 1) == ((), timers)
    (timer,), left = timers.take(due_at)
    assert (timer.due_at, timer.wait_ms, timer.anchor.ts) == (due_at, WAIT_MS, NOON - 600_000)
    assert left.take(due_at + 1) == ((), left)


@pytest.mark.parametrize(
    ("event", "ago_ms", "started"),
    [
        ("add_to_cart", LATE_MS, 0),
        ("add_to_cart", LATE_MS + 1, 1),
        ("add_to_cart", WAIT_MS - 1, 1),
        ("add_to_cart", WAIT_MS, 0),
        ("hover", 600_000, 0),
    ],
)
def test_only_late_news_whose_wait_is_not_over_starts_one(event: str, ago_ms: int, started: int) -> None:
    assert len(LateTimers().start([news(event, ago_ms)], WAITS, NOON).timers) == started


@pytest.mark.parametrize(("event", "started"), [("hover", 1), ("email_opened", 0)])
def test_a_wait_of_any_event_is_not_started_by_messages(event: str, started: int) -> None:
    assert len(LateTimers().start([news(event)], ANY_WAITS, NOON).timers) == started


def test_timers_run_out_in_the_order_of_their_times_whatever_order_they_started_in() -> None:
    timers = LateTimers().start([news(ago_ms=10_000)], WAITS, NOON).start([news(ago_ms=60_000)], WAITS, NOON)
    due, _ = timers.take(NOON + WAIT_MS)
    assert [timer.anchor.ts for timer in due] == [NOON - 60_000, NOON - 10_000]


def test_of_too_many_timers_the_first_to_run_out_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_timers, "MAX_TIMERS", 2)
    timers = LateTimers().start([news(ago_ms=ago_ms) for ago_ms in (10_000, 30_000, 20_000)], WAITS, NOON)
    assert [timer.anchor.ts for timer in timers.timers] == [NOON - 30_000, NOON - 20_000]
