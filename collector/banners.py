"""Banners on their way to a visitor's open pages, and those that wait for one to open."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, Final

import msgspec

from collector.metrics import CollectorMetrics

MAX_WAITING_VISITORS: Final = 10_000
MAX_WAITING_EACH: Final = 5
MAX_STREAMS_EACH: Final = 20
MAX_QUEUED_EACH: Final = 32


class Visitor(msgspec.Struct, frozen=True):
    """Whose pages: one anonymous id of one site."""

    site: str
    anonymous_id: str


class BannerNotice(msgspec.Struct, frozen=True):
    """What the worker publishes on the bus for each banner.

    Args:
        message_id: names the banner.
        anonymous_ids: the pages that may show it.
        expires_at: epoch milliseconds.
        banner: its JSON, which is passed on as it is.
    """

    site: str
    message_id: str
    anonymous_ids: list[str]
    expires_at: int
    banner: msgspec.Raw


class Banner(msgspec.Struct, frozen=True):
    """One banner for one visitor; `payload` is its JSON."""

    message_id: str
    payload: bytes
    expires_at: int


class TooManyStreams(Exception):
    """A visitor has as many open streams as one may have."""


class BannerDesk:
    """Hands each banner to the open pages of its visitor, and keeps it a while for those that have none.

    What waits here is a copy: ClickHouse has every banner until it is shown.
    """

    def __init__(self, metrics: CollectorMetrics) -> None:
        self._metrics = metrics
        self._streams: dict[Visitor, set[asyncio.Queue[Banner]]] = {}
        self._waiting: OrderedDict[Visitor, list[Banner]] = OrderedDict()

    def open(self, visitor: Visitor) -> asyncio.Queue[Banner]:
        """Return a queue that receives the visitor's banners until `close`.

        Raises:
            TooManyStreams: the visitor has the most that one may have.
        """
        queues = self._streams.setdefault(visitor, set())
        if len(queues) >= MAX_STREAMS_EACH:
            raise TooManyStreams
        queue: asyncio.Queue[Banner] = asyncio.Queue(MAX_QUEUED_EACH)
        queues.add(queue)
        self._metrics.open_streams.inc()
        return queue

    def close(self, visitor: Visitor, queue: asyncio.Queue[Banner]) -> None:
        """Stop a queue that `open` returned."""
        queues = self._streams.get(visitor, set())
        queues.discard(queue)
        if not queues:
            self._streams.pop(visitor, None)
        self._metrics.open_streams.dec()

    def deliver(self, data: bytes) -> None:
        """Take a notice from the bus."""
        notice = msgspec.json.decode(data, type=BannerNotice)
        banner = Banner(notice.message_id, bytes(notice.banner), notice.expires_at)
        for anonymous_id in notice.anonymous_ids:
            self._hand_over(Visitor(notice.site, anonymous_id), banner)

    def collect(self, visitor: Visitor, now_ms: int) -> list[Banner]:
        """Return the banners that wait for a visitor, who has them from now on."""
        return [banner for banner in self._waiting.pop(visitor, []) if banner.expires_at > now_ms]

    def _hand_over(self, visitor: Visitor, banner: Banner) -> None:
        queues = self._streams.get(visitor)
        if not queues:
            self._keep(visitor, banner)
            return
        for queue in queues:
            # A page that reads nothing loses its oldest; it gets all that was never shown when it connects again.
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(banner)

    def _keep(self, visitor: Visitor, banner: Banner) -> None:
        kept = self._waiting.setdefault(visitor, [])
        self._waiting[visitor] = [*kept, banner][-MAX_WAITING_EACH:]
        self._waiting.move_to_end(visitor)
        if len(self._waiting) > MAX_WAITING_VISITORS:
            self._waiting.popitem(last=False)


def as_json(banners: list[Banner]) -> list[Any]:
    """Return banners as they go into a reply, their JSON untouched."""
    return [msgspec.Raw(banner.payload) for banner in banners]
