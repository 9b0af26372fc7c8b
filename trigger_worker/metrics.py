"""The figures of the worker for Prometheus."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

#: Most children of a figure that are remembered.
MAX_CHILDREN: Final = 10_000
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class WorkerMetrics:
    """Counters and timings of one worker.

    Args:
        registry: the registry that shows them.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.sweeps = Counter("micromoment_sweeps_total", "Sweeps of the feed.", registry=registry)
        self.steps_failed = Counter(
            "micromoment_steps_failed_total",
            "Steps of the worker that ended in an error; each is tried again.",
            ["step"],
            registry=registry,
        )
        self.sweep_seconds = Histogram("micromoment_sweep_seconds", "One sweep.", buckets=_SECONDS, registry=registry)
        self.turn_seconds = Histogram(
            "micromoment_turn_seconds",
            "Rules asked about events that came together.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.events_handled = Counter(
            "micromoment_events_handled_total",
            "Events that rules were asked about, by the way on which they came: bus or sweep.",
            ["way"],
            registry=registry,
        )
        self.events_left = Counter(
            "micromoment_events_left_to_sweep_total",
            "Events from the bus that the next sweep handles, by the reason.",
            ["reason"],
            registry=registry,
        )
        self.rules_set_aside = Counter(
            "micromoment_rules_set_aside_total",
            "Times that a rule raised an error when it was asked about somebody, and was passed over.",
            ["rule"],
            registry=registry,
        )
        self.people_apart = Counter(
            "micromoment_people_apart_total",
            "People who were asked about apart from others, by the reason.",
            ["reason"],
            registry=registry,
        )
        self.events_apart = Gauge(
            "micromoment_events_apart", "Events and waits of people who are asked about apart.", registry=registry
        )
        self.events_given_up = Counter(
            "micromoment_events_given_up_total",
            "Events and waits about which nobody could be asked, because of a mistake of ours.",
            registry=registry,
        )
        self.people_loaded = Counter(
            "micromoment_people_loaded_total", "Visitors read from ClickHouse.", registry=registry
        )
        self.load_seconds = Histogram(
            "micromoment_load_seconds", "One reading of people from ClickHouse.", buckets=_SECONDS, registry=registry
        )
        self.people = Gauge("micromoment_people", "People in memory.", registry=registry)
        self.people_bytes = Gauge("micromoment_people_bytes", "Memory that people take, about.", registry=registry)
        self.people_evicted = Counter(
            "micromoment_people_evicted_total", "People forgotten to make room for others.", registry=registry
        )
        self.hourly_messages = Gauge(
            "micromoment_hourly_messages",
            "Messages that left the pages within the last hour.",
            ["site", "class"],
            registry=registry,
        )
        self.hourly_ceiling_reached = Gauge(
            "micromoment_hourly_ceiling_reached",
            "1 while messages wait because a site has sent as many as it may within the hour.",
            ["site", "class"],
            registry=registry,
        )
        self.addresses = Gauge("micromoment_addresses", "Addresses in memory.", registry=registry)
        self.told_addresses_passed_over = Counter(
            "micromoment_told_addresses_passed_over_total",
            "People whose events may tell of an address, and for whom there was no room to look.",
            registry=registry,
        )
        self.unstored_events = Gauge(
            "micromoment_unstored_events", "Events from the bus that the feed has not told of yet.", registry=registry
        )
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
        self.lag_seconds = Gauge("micromoment_lag_seconds", "From an event's storing to its sweep.", registry=registry)
        self.outbox_depth = Gauge("micromoment_outbox_depth", "Messages that wait for their time.", registry=registry)
        # Looking up the child of some labels takes longer than what it counts.
        self.fires_of = lru_cache(maxsize=MAX_CHILDREN)(self.fires.labels)
        self.decisions_of = lru_cache(maxsize=MAX_CHILDREN)(self.decisions.labels)
        self.messages_sent_of = lru_cache(maxsize=MAX_CHILDREN)(self.messages_sent.labels)
        self.events_handled_by = lru_cache(maxsize=MAX_CHILDREN)(self.events_handled.labels)
