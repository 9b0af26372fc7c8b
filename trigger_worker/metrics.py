"""The figures of the worker for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class WorkerMetrics:
    """Counters and timings of one worker.

    Args:
        registry: the registry that shows them.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.ticks = Counter("micromoment_ticks_total", "Ticks of the worker.", registry=registry)
        self.ticks_failed = Counter(
            "micromoment_ticks_failed_total", "Ticks that ended in an error; each is tried again.", registry=registry
        )
        self.tick_seconds = Histogram("micromoment_tick_seconds", "One tick.", buckets=_SECONDS, registry=registry)
        self.candidates = Counter("micromoment_candidates_total", "Visitors that were asked about.", registry=registry)
        self.fires = Counter("micromoment_fires_total", "Matches that fired.", ["rule"], registry=registry)
        self.decisions = Counter(
            "micromoment_decisions_total", "Verdicts of the gate.", ["verdict", "reason"], registry=registry
        )
        self.messages_sent = Counter(
            "micromoment_messages_sent_total", "Messages handed over.", ["rule", "channel"], registry=registry
        )
        self.messages_failed = Counter(
            "micromoment_messages_failed_total", "Messages given up.", ["rule", "channel"], registry=registry
        )
        self.deliveries_postponed = Counter(
            "micromoment_deliveries_postponed_total", "Attempts that are made again.", ["channel"], registry=registry
        )
        self.records_refused = Counter(
            "micromoment_records_refused_total",
            "Verdicts and states of messages that ClickHouse refused for good; their messages are not sent.",
            registry=registry,
        )
        self.lag_seconds = Gauge("micromoment_lag_seconds", "From an event's storing to its tick.", registry=registry)
        self.outbox_depth = Gauge("micromoment_outbox_depth", "Messages that wait for their time.", registry=registry)
