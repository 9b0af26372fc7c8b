"""What `/metrics` shows of a process's journal, read when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from warehouse.journal.group_commit import JournalThread
from warehouse.journal.mover import Mover
from warehouse.journal.tables import TABLES


class JournalFigures(Collector):
    """The figures of one journal or several, which are added up.

    Args:
        journals: each with its mover.
        now_ms: the clock, epoch ms.
    """

    def __init__(self, journals: Sequence[tuple[JournalThread, Mover]], now_ms: Callable[[], int]) -> None:
        self._journals = journals
        self._now_ms = now_ms

    def collect(self) -> Iterator[Metric]:
        """Yield every figure."""
        rows = GaugeMetricFamily("micromoment_journal_rows", "Rows that wait for ClickHouse.", labels=["table"])
        inserted = CounterMetricFamily("micromoment_rows_inserted", "Rows that ClickHouse confirmed.", labels=["table"])
        aside = CounterMetricFamily(
            "micromoment_rows_set_aside",
            "Rows that ClickHouse cannot take as they are; kept in the journal, tried again at the next start.",
            labels=["table"],
        )
        not_kept = CounterMetricFamily(
            "micromoment_rows_erased",
            "Rows that left the journal unstored, because their person was erased.",
            labels=["table"],
        )
        failures = CounterMetricFamily(
            "micromoment_insert_failures", "Attempts that failed; each is repeated.", labels=["table"]
        )
        seconds = SummaryMetricFamily("micromoment_insert_seconds", "Inserts that succeeded.", labels=["table"])
        for table in TABLES:
            lanes = [mover.lanes[table] for _, mover in self._journals]
            name = [table.name]
            rows.add_metric(name, sum(journal.depth(table) for journal, _ in self._journals))
            inserted.add_metric(name, sum(lane.inserted for lane in lanes))
            aside.add_metric(name, sum(lane.set_aside for lane in lanes))
            not_kept.add_metric(name, sum(lane.not_kept for lane in lanes))
            failures.add_metric(name, sum(lane.failures for lane in lanes))
            batches = sum(lane.batches for lane in lanes)
            seconds.add_metric(name, batches, sum(lane.insert_seconds for lane in lanes))
        yield from (rows, inserted, aside, not_kept, failures, seconds)
        yield GaugeMetricFamily("micromoment_journal_bytes", "Bytes of the journal on disk.", value=self._bytes())
        yield GaugeMetricFamily(
            "micromoment_journal_oldest_seconds",
            "How long the oldest row has waited for ClickHouse; 0 when none waits.",
            value=self._oldest_ms() / 1000,
        )

    def _bytes(self) -> int:
        return sum(journal.size for journal, _ in self._journals)

    def _oldest_ms(self) -> int:
        now_ms = self._now_ms()
        received = [at for journal, _ in self._journals if (at := journal.oldest_at()) is not None]
        return max(0, now_ms - min(received, default=now_ms))
