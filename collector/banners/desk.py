"""Banners on their way to a visitor's open pages, and those that wait for one to open."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, Final

import msgspec
import structlog

from collector.metrics import CollectorMetrics
from warehouse.banner_notice import BannerNotice

MAX_WAITING_VISITORS: Final = 10_000
MAX_WAITING_EACH: Final = 5
MAX_STREAMS_EACH: Final = 20
MAX_QUEUED_EACH: Final = 32

_log = structlog.get_logger("collector.banners.desk")


class Browser(msgspec.Struct, frozen=True):
    """Whose pages: one anonymous id of one site."""

    site: str
    anonymous_id: str


class Banner(msgspec.Struct, frozen=True):
    """One banner for one visitor; `payload` is its JSON."""

    message_id: str
    payload: bytes
    expires_at: int


#: Where a page's banners arrive; None ends its stream.
Stream = asyncio.Queue[Banner | None]


class TooManyStreams(Exception):
    """A visitor has as many open streams as one may have."""


class BannerDesk:
    """Hands each banner to the open pages of its visitor, and keeps it a while for those that have none.

    What waits here is a copy: ClickHouse has every banner until it is shown.
    """

    def __init__(self, metrics: CollectorMetrics) -> None:
        self._metrics = metrics
        self._streams: dict[Browser, set[Stream]] = {}
        self._waiting: OrderedDict[Browser, list[Banner]] = OrderedDict()
        self._ended = False

    def open(self, visitor: Browser) -> Stream:
        """Return a queue that receives the visitor's banners until `close`.

        Raises:
            TooManyStreams: the visitor has the most that one may have.
        """
        queues = self._streams.setdefault(visitor, set())
        if len(queues) >= MAX_STREAMS_EACH:
            raise TooManyStreams
        queue: Stream = asyncio.Queue(MAX_QUEUED_EACH)
        if self._ended:
            queue.put_nowait(None)
        queues.add(queue)
        self._metrics.open_streams.inc()
        return queue

    def close(self, visitor: Browser, queue: Stream) -> None:
        """Stop a queue that `open` returned."""
        queues = self._streams.get(visitor, set())
        queues.discard(queue)
        if not queues:
            self._streams.pop(visitor, None)
        self._metrics.open_streams.dec()

    def end_streams(self) -> None:
        """End every stream, for a server stops only once nobody listens; the pages connect again by themselves."""
        self._ended = True
        for queues in self._streams.values():
            for queue in queues:
                _put(queue, None)

    def deliver(self, data: bytes) -> None:
        """Take a notice from the bus; one that cannot be read, as another version might send, is logged and left."""
        try:
            notice = msgspec.json.decode(data, type=BannerNotice)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            _log.warning("banner_notice_unreadable", error=str(error))
            return
        banner = Banner(notice.message_id, bytes(notice.banner), notice.expires_at)
        for anonymous_id in notice.anonymous_ids:
            self._hand_over(Browser(notice.site, anonymous_id), banner)

    def collect(self, visitor: Browser, now_ms: int) -> list[Banner]:
        """Return the banners that wait for a visitor, who has them from now on."""
        return [banner for banner in self._waiting.pop(visitor, []) if banner.expires_at > now_ms]

    def _hand_over(self, visitor: Browser, banner: Banner) -> None:
        queues = self._streams.get(visitor)
        if not queues:
            self._keep(visitor, banner)
            return
        for queue in queues:
            _put(queue, banner)

    def _keep(self, visitor: Browser, banner: Banner) -> None:
        kept = self._waiting.setdefault(visitor, [])
        self._waiting[visitor] = [*kept, banner][-MAX_WAITING_EACH:]
        self._waiting.move_to_end(visitor)
        if len(self._waiting) > MAX_WAITING_VISITORS:
            self._waiting.popitem(last=False)


def _put(queue: Stream, banner: Banner | None) -> None:
    """A page that reads nothing loses its oldest; it gets all that was never shown when it connects again."""
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(banner)


def as_json(banners: list[Banner]) -> list[Any]:
    """Return banners as they go into a reply, their JSON untouched."""
    return [msgspec.Raw(banner.payload) for banner in banners]
