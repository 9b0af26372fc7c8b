"""Passes banners to a browser's open pages, and finds the banners that a browser has not shown yet."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, Final

import msgspec
import structlog

from collector.metrics import CollectorMetrics
from warehouse.banner_notice import BannerNotice
from warehouse.connection import Warehouse
from warehouse.queries import read_sql

MAX_WAITING_BROWSERS: Final = 10_000
MAX_WAITING_EACH: Final = 5
MAX_STREAMS_EACH: Final = 20
MAX_QUEUED_EACH: Final = 32

_log = structlog.get_logger("collector.banners.desk")


class Browser(msgspec.Struct, frozen=True):
    """A browser on a site, by the anonymous id that its pages share."""

    site: str
    anonymous_id: str


class Banner(msgspec.Struct, frozen=True):
    """A banner that one browser may show.

    Args:
        message_id: the message that the banner is.
        payload: its JSON.
        expires_at: the end of its life, epoch ms.
    """

    message_id: str
    payload: bytes
    expires_at: int


#: The queue by which one open page receives banners; None ends its stream.
Stream = asyncio.Queue[Banner | None]


class TooManyStreams(Exception):
    """A browser has as many open streams as it may have."""


class BannerDesk:
    """Passes each banner to the open pages of its browser, and keeps it for a while where no page is open.

    Memory holds copies only: ClickHouse has every banner until it is shown.

    Args:
        metrics: counts the open streams.
    """

    def __init__(self, metrics: CollectorMetrics) -> None:
        self._metrics = metrics
        self._streams: dict[Browser, set[Stream]] = {}
        self._waiting: OrderedDict[Browser, list[Banner]] = OrderedDict()
        self._ended = False

    def open(self, browser: Browser) -> Stream:
        """Return a stream that receives the browser's banners until `close`.

        Raises:
            TooManyStreams: the browser has as many streams as it may have.
        """
        streams = self._streams.setdefault(browser, set())
        if len(streams) >= MAX_STREAMS_EACH:
            raise TooManyStreams
        stream: Stream = asyncio.Queue(MAX_QUEUED_EACH)
        if self._ended:
            stream.put_nowait(None)
        streams.add(stream)
        self._metrics.open_streams.inc()
        return stream

    def close(self, browser: Browser, stream: Stream) -> None:
        """Pass no more banners to a stream that `open` returned."""
        streams = self._streams.get(browser, set())
        streams.discard(stream)
        if not streams:
            self._streams.pop(browser, None)
        self._metrics.open_streams.dec()

    def end_streams(self) -> None:
        """End every stream, because a server stops only when no response is open; pages connect again by themselves."""
        self._ended = True
        for streams in self._streams.values():
            for stream in streams:
                _put(stream, None)

    def deliver(self, data: bytes) -> None:
        """Take a banner notice from the bus; a notice that cannot be read, from another version, is logged and left."""
        try:
            notice = msgspec.json.decode(data, type=BannerNotice)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            _log.warning("banner_notice_unreadable", error=str(error))
            return
        banner = Banner(notice.message_id, bytes(notice.banner), notice.expires_at)
        for anonymous_id in notice.anonymous_ids:
            self._hand_over(Browser(notice.site, anonymous_id), banner)

    def collect(self, browser: Browser, now_ms: int) -> list[Banner]:
        """Return the banners that wait for a browser, and keep them no longer."""
        return [banner for banner in self._waiting.pop(browser, []) if banner.expires_at > now_ms]

    def _hand_over(self, browser: Browser, banner: Banner) -> None:
        streams = self._streams.get(browser)
        if not streams:
            self._keep(browser, banner)
            return
        for stream in streams:
            _put(stream, banner)

    def _keep(self, browser: Browser, banner: Banner) -> None:
        kept = self._waiting.setdefault(browser, [])
        self._waiting[browser] = [*kept, banner][-MAX_WAITING_EACH:]
        self._waiting.move_to_end(browser)
        if len(self._waiting) > MAX_WAITING_BROWSERS:
            self._waiting.popitem(last=False)


def as_json(banners: list[Banner]) -> list[Any]:
    """Return banners as values of a JSON reply, their own JSON unchanged."""
    return [msgspec.Raw(banner.payload) for banner in banners]


def unshown_banners(warehouse: Warehouse, browser: Browser, now_ms: int) -> list[Banner]:
    """Return the banners that were sent to a browser and never shown, oldest first.

    Cost: one query that reads the rows of `messages` of the browser and its person; five banners at most come back.

    Args:
        now_ms: banners that expired before this instant are left out, epoch ms.

    Raises:
        WarehouseError: ClickHouse did not answer.
    """
    parameters = {"site": browser.site, "anonymous_id": browser.anonymous_id, "now_ms": now_ms}
    rows = warehouse.query(read_sql("collector", "unshown_banners"), parameters)
    return [Banner(message_id, content.encode(), expires) for message_id, content, expires in rows if content]


def _put(stream: Stream, banner: Banner | None) -> None:
    """Queue a banner; a page that reads nothing loses its oldest one, and gets it when it connects again."""
    if stream.full():
        stream.get_nowait()
    stream.put_nowait(banner)
