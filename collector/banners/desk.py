"""Passes banners to the open pages of browsers, and gives a page that opens what its browser has not shown yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from collector.banners.banner import Banner, Browser, as_event
from collector.banners.kept import KeptBanners, Shelf
from collector.banners.open_stream import Heartbeat, OpenStream
from collector.banners.unshown import MAX_FOUND_EACH, UnshownReader
from collector.metrics import CollectorMetrics
from warehouse.banner_notice import BannerNotice
from warehouse.event import EventRow
from warehouse.queries import Queries
from warehouse.vocabulary import OUTCOME_STATES

MAX_STREAMS_EACH: Final = 20


class TooManyStreams(Exception):
    """A browser has as many open streams as it may have."""


@dataclass(slots=True)
class _Question:
    """What ClickHouse is asked for the pages of one browser.

    Args:
        shelf: the browser's banners, as far as they are here.
        asked_at: epoch ms.
        pages: the streams that wait for the answer, each with the messages that it got meanwhile.
        is_late: whether the pages got what is here already.
    """

    shelf: Shelf
    asked_at: int
    pages: dict[OpenStream, set[str]] = field(default_factory=dict)
    is_late: bool = False


class BannerDesk:
    """Passes each banner to the open pages of its browser, and keeps it until the browser shows it.

    Memory holds copies only: ClickHouse has every banner. It is asked when a page opens whose browser is not known.

    Args:
        queries: ClickHouse.
        metrics: counts streams and what they cost.
        now_ms: returns the present, in epoch ms.
        heartbeat_seconds: between two signs of life of a stream.
        is_alone: whether no other collector takes events, so that this one hears of each banner that was shown.
        patience_seconds: how long a page that opened waits for ClickHouse; then it gets what is here, the rest follows.
    """

    def __init__(
        self,
        queries: Queries,
        metrics: CollectorMetrics,
        now_ms: Callable[[], int],
        *,
        heartbeat_seconds: float,
        is_alone: bool,
        patience_seconds: float = 0.25,
    ) -> None:
        self._metrics = metrics
        self._now_ms = now_ms
        self._kept = KeptBanners(now_ms, is_alone=is_alone)
        self._reader = UnshownReader(queries, metrics, now_ms)
        self._heartbeat = Heartbeat(heartbeat_seconds)
        self._streams: dict[Browser, list[OpenStream]] = {}
        self._questions: dict[Browser, _Question] = {}
        self._patience_seconds = patience_seconds
        self._is_ended = False
        metrics.kept_browsers.set_function(lambda: len(self._kept))
        metrics.kept_banner_bytes.set_function(lambda: self._kept.size_bytes)

    def open(self, browser: Browser) -> OpenStream:
        """Return a stream that gets the browser's unshown banners, and each new one until `close`.

        Cost: none for a browser that is known, or whose id was made just now; else a part of a query, whose answer
        comes later.

        Raises:
            TooManyStreams: the browser has as many streams as it may have.
        """
        streams = self._streams.setdefault(browser, [])
        if len(streams) >= MAX_STREAMS_EACH:
            raise TooManyStreams
        stream = OpenStream()
        streams.append(stream)
        self._heartbeat.add(stream)
        self._metrics.open_streams.inc()
        if self._is_ended:
            stream.end()
        else:
            self._metrics.streams_opened.labels(self._welcome(browser, stream)).inc()
        return stream

    def close(self, browser: Browser, stream: OpenStream) -> None:
        """Pass no more banners to a stream that `open` returned."""
        streams = self._streams.get(browser, [])
        streams.remove(stream)
        if not streams:
            del self._streams[browser]
        if (question := self._questions.get(browser)) is not None:
            question.pages.pop(stream, None)
        self._heartbeat.remove(stream)
        self._metrics.open_streams.dec()

    def end_streams(self) -> None:
        """End every stream, because a server stops only when no response is open; pages connect again by themselves."""
        self._is_ended = True
        for streams in self._streams.values():
            for stream in streams:
                stream.end()

    def take(self, notice: BannerNotice) -> None:
        """Take a banner that the worker sent."""
        banner = Banner(notice.message_id, bytes(notice.banner), notice.expires_at)
        for anonymous_id in notice.anonymous_ids:
            self._hand_over(Browser(notice.site, anonymous_id), banner)

    def take_missed(self, notice: BannerNotice) -> int:
        """Take a banner that the bus may have brought before; return for how many browsers it is news."""
        banner = Banner(notice.message_id, bytes(notice.banner), notice.expires_at)
        browsers = [Browser(notice.site, anonymous_id) for anonymous_id in notice.anonymous_ids]
        fresh = [browser for browser in browsers if not self._kept.has_had(browser, banner)]
        for browser in fresh:
            self._hand_over(browser, banner)
        return len(fresh)

    def collect(self, browser: Browser) -> list[Banner]:
        """Return the banners that neither a page nor a batch reply of the browser has got yet."""
        return self._kept.collect(browser)

    def hear(self, rows: Sequence[EventRow], _: int = 0) -> None:
        """Take accepted events, and offer the messages no more that were shown, or went another way.

        Args:
            rows: the events.
        """
        for row in rows:
            if row.message_id and row.event in OUTCOME_STATES:
                self._kept.end(row.site, row.message_id, row.anonymous_id)

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget the banners of browsers that were erased; a page that is open may stay so.

        Args:
            is_erased: tells it of a browser, by site and anonymous id.
        """
        self._kept.forget_erased(is_erased)

    def forget_all(self) -> None:
        """Know no browser from now on, because the bus may have lost notices: ClickHouse is asked when pages open."""
        self._kept.forget_all()

    def _hand_over(self, browser: Browser, banner: Banner) -> None:
        streams = self._streams.get(browser, ())
        self._kept.note(browser, banner, is_waiting=not streams)
        for stream in streams:
            stream.put(as_event(banner))
        if (question := self._questions.get(browser)) is not None:
            for got in question.pages.values():
                got.add(banner.message_id)

    def _welcome(self, browser: Browser, stream: OpenStream) -> str:
        """Give a new stream its banners, now or later, and return how it was learned which they are."""
        shelf = self._kept.meet(browser)
        if self._kept.knows(shelf):
            source = "known"
        elif self._kept.welcome(browser, shelf):
            source = "newborn"
        else:
            return "asked" if self._ask(browser, shelf, stream) else "not_asked"
        self._offer(stream, (banner for _, banner in shelf.banners), set())
        shelf.waiting = ()
        return source

    def _ask(self, browser: Browser, shelf: Shelf, stream: OpenStream) -> bool:
        question = self._questions.get(browser)
        if question is None:
            question = _Question(shelf, self._now_ms())
            if not self._reader.ask(browser, partial(self._answer, question)):
                self._offer(stream, self._kept.collect(browser), set())
                return False
            self._questions[browser] = question
            asyncio.get_running_loop().call_later(self._patience_seconds, self._be_late, browser, question)
        question.pages[stream] = got = set[str]()
        if question.is_late:
            self._offer(stream, self._kept.collect(browser), got)
        return True

    def _be_late(self, browser: Browser, question: _Question) -> None:
        """Give the pages that still wait for ClickHouse what is here; the rest follows once it is read."""
        if self._questions.get(browser) is not question:
            return
        question.is_late = True
        waiting = self._kept.collect(browser) if question.pages else []
        for stream, got in question.pages.items():
            self._offer(stream, waiting, got)
            self._metrics.unshown_late.inc()

    def _answer(self, question: _Question, browser: Browser, found: list[Banner] | None) -> None:
        del self._questions[browser]
        banners = self._kept.collect(browser) if question.pages else []
        if found is not None:
            are_all = len(found) < MAX_FOUND_EACH
            all_of_them = self._kept.learn(browser, question.shelf, question.asked_at, found, are_all=are_all)
            banners = [*all_of_them, *banners]
        for stream, got in question.pages.items():
            self._offer(stream, banners, got)

    def _offer(self, stream: OpenStream, banners: Iterable[Banner], got: set[str]) -> None:
        now_ms = self._now_ms()
        for banner in banners:
            if banner.expires_at > now_ms and banner.message_id not in got:
                got.add(banner.message_id)
                stream.put(as_event(banner))
