"""The collector's counters and timings, in Prometheus' format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class CollectorMetrics:
    """Counters and timings of one collector.

    Args:
        registry: takes their registration.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._accepted_of_site: dict[str, Counter] = {}
        self.events_accepted = Counter(
            "micromoment_events_accepted_total", "Events acknowledged.", ["site"], registry=self.registry
        )
        self.events_dropped = Counter(
            "micromoment_events_dropped_total", "Events not kept.", ["site", "reason"], registry=self.registry
        )
        self.events_warned = Counter(
            "micromoment_events_warned_total",
            "Events kept, but not as they were sent.",
            ["site", "reason"],
            registry=self.registry,
        )
        self.requests_refused = Counter(
            "micromoment_requests_refused_total", "Requests answered with an error.", ["code"], registry=self.registry
        )
        self.webhooks = Counter(
            "micromoment_webhooks_total",
            "Genuine deliveries of platforms, by what became of them.",
            ["site", "webhook", "outcome"],
            registry=self.registry,
        )
        self.sdk_figures = Counter(
            "micromoment_sdk_figures_total",
            "Requests in which the SDK of another vendor tells figures of itself, which are not kept.",
            registry=self.registry,
        )
        self.message_events_lost = Counter(
            "micromoment_message_events_lost_total",
            "Openings and clicks that were answered, but not kept.",
            ["event", "reason"],
            registry=self.registry,
        )
        self.message_links_refused = Counter(
            "micromoment_message_links_refused_total",
            "Addresses of messages that were forged, damaged, or of a site that is gone.",
            ["purpose"],
            registry=self.registry,
        )
        self.acknowledge_seconds = Histogram(
            "micromoment_acknowledge_seconds", "From request to 200.", buckets=_SECONDS, registry=self.registry
        )
        self.open_streams = Gauge("micromoment_open_streams", "Pages that listen for banners.", registry=self.registry)
        self.streams_opened = Counter(
            "micromoment_streams_opened_total",
            "Streams that were opened, by how it was learned which banners their browser has not shown.",
            ["unshown"],
            registry=self.registry,
        )
        self.unshown_queries = Counter(
            "micromoment_unshown_queries_total",
            "Queries for the unshown banners of browsers, many in one.",
            ["outcome"],
            registry=self.registry,
        )
        self.unshown_late = Counter(
            "micromoment_unshown_late_total",
            "Streams that went on without ClickHouse's answer, and get older banners once it is there.",
            registry=self.registry,
        )
        self.banners_missed = Counter(
            "micromoment_banners_missed_total",
            "Banners that the bus did not bring, and that were read from ClickHouse.",
            registry=self.registry,
        )
        self.kept_browsers = Gauge(
            "micromoment_kept_browsers", "Browsers whose unshown banners are in memory.", registry=self.registry
        )
        self.kept_banner_bytes = Gauge(
            "micromoment_kept_banner_bytes", "Memory of the banners in it.", registry=self.registry
        )

    def count_accepted(self, site: str, events: int) -> None:
        """Count events of a site that were acknowledged."""
        counter = self._accepted_of_site.get(site)
        if counter is None:
            counter = self._accepted_of_site[site] = self.events_accepted.labels(site)
        counter.inc(events)
