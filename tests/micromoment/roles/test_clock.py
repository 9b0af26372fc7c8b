"""The clock of this machine, corrected to ClickHouse's: measured, told, and never a reason for silence."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from micromoment.roles.clock import SharedClock, open_clock
from trigger_worker.store.feed import read_clock
from warehouse.connection import Warehouse
from warehouse.errors import WarehouseUnavailable

NOW = 1_795_348_800_000
HOUR_MS = 3_600_000


class Clocks:
    """Two clocks, and how long an answer takes."""

    def __init__(self, behind_ms: int = 0, takes_ms: int = 0) -> None:
        self.here = NOW
        self.behind_ms = behind_ms
        self.takes_ms = takes_ms
        self.is_away = False

    def local(self) -> int:
        return self.here

    def there(self) -> int:
        if self.is_away:
            raise WarehouseUnavailable("away")
        self.here += self.takes_ms
        return self.here - self.takes_ms // 2 + self.behind_ms


@pytest.mark.parametrize(
    ("behind_ms", "corrected_ms"),
    [(2 * HOUR_MS, 2 * HOUR_MS), (-2 * HOUR_MS, -2 * HOUR_MS), (1_001, 1_001), (1_000, 0), (-900, 0), (0, 0)],
)
async def test_a_difference_is_taken_off_and_told_unless_it_is_small(behind_ms: int, corrected_ms: int) -> None:
    clocks = Clocks(behind_ms)
    clock = SharedClock(clocks.there, clocks.local)
    with capture_logs() as logs:
        await clock.measure()
        await clock.measure()
    assert clock.now_ms() == NOW + corrected_ms
    assert (clock.state() == "ok") == (corrected_ms == 0)
    assert [log["event"] for log in logs] == (["clock_differs"] if corrected_ms else [])
    clock.close()


async def test_a_clock_that_was_set_right_is_corrected_no_more() -> None:
    clocks = Clocks(2 * HOUR_MS)
    clock = SharedClock(clocks.there, clocks.local)
    await clock.measure()
    clocks.behind_ms = 0
    clocks.here += 2 * HOUR_MS
    with capture_logs() as logs:
        await clock.measure()
    assert (clock.now_ms(), clock.state()) == (NOW + 2 * HOUR_MS, "ok")
    assert [log["event"] for log in logs] == ["clock_agrees"]
    clock.close()


async def test_the_last_difference_counts_while_clickhouse_is_away_or_answers_slowly() -> None:
    clocks = Clocks(2 * HOUR_MS)
    clock = SharedClock(clocks.there, clocks.local)
    await clock.measure()
    clocks.is_away = True
    await clock.measure()
    assert clock.now_ms() == NOW + 2 * HOUR_MS
    clocks.is_away, clocks.takes_ms, clocks.behind_ms = False, 5_000, 0
    await clock.measure()
    assert clock.behind_ms == 2 * HOUR_MS
    clock.close()


async def test_the_middle_of_the_question_is_compared() -> None:
    clocks = Clocks(HOUR_MS, takes_ms=800)
    clock = SharedClock(clocks.there, clocks.local)
    await clock.measure()
    assert clock.behind_ms == HOUR_MS
    clock.close()


async def test_the_difference_is_a_figure(warehouse: Warehouse) -> None:
    registry = CollectorRegistry()
    async with open_clock(lambda: read_clock(warehouse) + HOUR_MS, registry) as clock:
        figure = registry.get_sample_value("micromoment_clock_behind_seconds")
        assert figure is not None
        assert abs(figure - 3600) < 5
        assert "behind ClickHouse" in clock.state()
    async with open_clock(None, CollectorRegistry()) as clock:
        assert clock.state() == "ok"
