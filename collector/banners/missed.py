"""Banners that the bus did not bring: while it is away, and for a while after, they are read from ClickHouse.

Without this, a page that is open would get them only when its stream opens again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec
import structlog

from collector.metrics import CollectorMetrics
from warehouse.banner_notice import BannerNotice
from warehouse.errors import WarehouseError
from warehouse.queries import Queries, read_sql

#: Seconds between two looks, while the bus is away or was a moment ago.
LOOK_SECONDS: Final = 0.3
#: How long after the bus is back is looked: what was sent right before reaches ClickHouse within that time.
SETTLED_AFTER_MS: Final = 30_000
#: How far each look goes back before the one before it. Rows of one instant become visible one after another, clocks of
#: machines differ, and a bus that is gone is noticed some seconds later.
OVERLAP_MS: Final = 10_000
#: The longest outage of which all banners are read; older ones come when their page opens its stream again.
LONGEST_MS: Final = 600_000
#: The part of the feed that is looked at at a time, and the most banners of one query.
SLICE_MS: Final = 15_000
PAGE: Final = 2_000
#: Banners that were read already, which are not passed on again.
MAX_READ: Final = 50_000

_log = structlog.get_logger("collector.banners.missed")


class MissedBanners:
    """Reads from ClickHouse the banners that the bus may have lost, for the open pages of all browsers at once.

    Args:
        queries: ClickHouse.
        take: takes a banner as one that the bus brought; tells for how many browsers it was news.
        is_away: tells whether the bus is known to bring nothing just now.
        metrics: counts the banners.
        now_ms: returns the present, in epoch ms.
    """

    def __init__(
        self,
        queries: Queries,
        take: Callable[[BannerNotice], int],
        is_away: Callable[[], bool],
        metrics: CollectorMetrics,
        now_ms: Callable[[], int],
    ) -> None:
        self._queries = queries
        self._take = take
        self._is_away = is_away
        self._metrics = metrics
        self._now_ms = now_ms
        self._read_to = now_ms()
        self._until = 0
        self._read: OrderedDict[tuple[str, str], None] = OrderedDict()

    def note_gap(self, since: int) -> None:
        """Note that the bus may have lost banners since an instant, epoch ms; 0 for an unknown one."""
        now_ms = self._now_ms()
        self._read_to = max(min(self._read_to, since), now_ms - LONGEST_MS)
        self._until = now_ms + SETTLED_AFTER_MS

    async def run(self) -> None:
        """Look as often as there may be something to find, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except WarehouseError as error:
                _log.warning("missed_banners_unknown", error=error.message, remedy=error.hint)
            except Exception:  # noqa: BLE001 - a mistake of ours must not take the collector along
                _log.exception("missed_banners_failed")

    async def look(self) -> None:
        """Pass on what was sent since the last look, unless the bus brings everything.

        Cost: nothing while the bus is there; else one query of the feed's last seconds, and of the messages of those
        whom it tells of; more of them after an outage.

        Raises:
            WarehouseError: ClickHouse did not answer; the next look begins where this one did.
        """
        now_ms = self._now_ms()
        if self._is_away():
            self._until = now_ms + SETTLED_AFTER_MS
        if now_ms >= self._until:
            self._read_to = now_ms
            return
        self._read_to = max(self._read_to, now_ms - LONGEST_MS)
        while True:
            # Up to a little ahead: ClickHouse's clock stamps the feed.
            until = min(self._read_to + SLICE_MS, now_ms + OVERLAP_MS)
            await self._look_at(self._read_to - OVERLAP_MS, until, now_ms)
            if until >= now_ms:
                self._read_to = now_ms
                return
            self._read_to = until

    async def _look_at(self, since: int, until: int, now_ms: int) -> None:
        parameters = {"since": since, "until": until, "now_ms": now_ms, "limit": PAGE}
        offset, found = 0, PAGE
        while found == PAGE:
            notices = await asyncio.to_thread(self._query, {**parameters, "offset": offset})
            self._pass_on(notices)
            offset, found = offset + PAGE, len(notices)

    def _query(self, parameters: Mapping[str, object]) -> list[BannerNotice]:
        rows = self._queries.query(read_sql("collector", "missed_banners"), parameters)
        return [
            BannerNotice(site, message_id, tuple(browsers), expires, msgspec.Raw(banner.encode()))
            for site, message_id, browsers, banner, expires, _ in rows
        ]

    def _pass_on(self, notices: Iterable[BannerNotice]) -> None:
        for notice in notices:
            key = (notice.site, notice.message_id)
            if key in self._read:
                continue
            self._read[key] = None
            if len(self._read) > MAX_READ:
                self._read.popitem(last=False)
            if self._take(notice):
                self._metrics.banners_missed.inc()
