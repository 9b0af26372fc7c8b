"""The ceiling of messages an hour: whatever makes rules fire, a site sends no more than its operator expects."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import structlog

from trigger_worker.metrics import WorkerMetrics
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.sent import SentLately
from warehouse.channel_traits import CHANNEL_TRAITS

HOUR_MS: Final = 3_600_000
#: Least wait of a message that is held back: those that wait are not asked about again and again.
_LEAST_WAIT_MS: Final = 60_000
#: Channels whose messages leave the shop's pages.
OUTBOUND_CHANNELS: Final = frozenset(name for name, traits in CHANNEL_TRAITS.items() if not traits.shows_on_page)

_log = structlog.get_logger("trigger_worker.deciding.hourly_messages")


class HourlyMessages:
    """Counts the messages of each site and class that were let through in the last hour.

    Marketing and transactional messages count apart: a flood of one kind holds back none of the other.

    Args:
        ceilings: by site, the most messages of a class an hour; 0, or a site that is not named, for no ceiling.
        metrics: shows the counts, and where a ceiling is reached.
    """

    def __init__(self, ceilings: Mapping[str, int], metrics: WorkerMetrics) -> None:
        self._ceilings = ceilings
        self._metrics = metrics
        self._sent: defaultdict[tuple[str, str], OrderedDict[str, int]] = defaultdict(OrderedDict)
        self._reached: set[tuple[str, str]] = set()

    def load(self, sent: Iterable[SentLately]) -> None:
        """Count messages that an earlier worker sent, the earliest first."""
        for one in sent:
            self._sent[one.site, one.message_class][one.message_id] = one.at

    def add(self, message: QueuedMessage, now_ms: int) -> None:
        """Count a message that is let through at `now_ms` (epoch ms); another attempt of it counts as the same."""
        if message.channel in OUTBOUND_CHANNELS and self._ceilings.get(message.site):
            counted = self._sent[message.site, message.message_class]
            counted[message.message_id] = now_ms
            counted.move_to_end(message.message_id)

    def room_at(self, message: QueuedMessage, now_ms: int) -> int | None:
        """Return when there may be room for a message, epoch ms; None when there is.

        Args:
            message: the message.
            now_ms: epoch ms.
        """
        ceiling = self._ceilings.get(message.site, 0)
        if not ceiling or message.channel not in OUTBOUND_CHANNELS:
            return None
        kind = (message.site, message.message_class)
        counted = self._left(kind, now_ms)
        if len(counted) < ceiling or message.message_id in counted:
            return None
        if kind not in self._reached:
            self._reached.add(kind)
            self._alarm(kind, ceiling)
        return max(next(iter(counted.values())) + HOUR_MS, now_ms + _LEAST_WAIT_MS)

    def show(self, now_ms: int) -> None:
        """Show the counts at `now_ms` (epoch ms), and end the alarm where there is room again."""
        for kind in list(self._sent):
            count = len(self._left(kind, now_ms))
            self._metrics.hourly_messages.labels(*kind).set(count)
            if count < self._ceilings.get(kind[0], 0):
                self._reached.discard(kind)
            self._metrics.hourly_ceiling_reached.labels(*kind).set(kind in self._reached)

    def _left(self, kind: tuple[str, str], now_ms: int) -> OrderedDict[str, int]:
        """Return the messages of the last hour, the earliest first."""
        counted = self._sent[kind]
        while counted and next(iter(counted.values())) <= now_ms - HOUR_MS:
            counted.popitem(last=False)
        return counted

    def _alarm(self, kind: tuple[str, str], ceiling: int) -> None:
        site, message_class = kind
        self._metrics.hourly_ceiling_reached.labels(*kind).set(1)
        _log.error(
            "hourly_ceiling_reached",
            site=site,
            message_class=message_class,
            hourly_messages=ceiling,
            remedy=f"look what fires (micromoment_fires_total), or raise hourly_messages of [sites.{site}]",
        )
