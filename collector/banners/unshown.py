"""Asks ClickHouse which banners browsers have not shown yet: for many browsers at a time, and not often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from collector.banners.banner import Banner, Browser
from collector.metrics import CollectorMetrics
from warehouse.errors import WarehouseError
from warehouse.queries import Queries, read_sql
from warehouse.threads import Threads

#: Banners of one browser that a query returns; a browser with so many may have more.
MAX_FOUND_EACH: Final = 5
MAX_BROWSERS_A_QUERY: Final = 50
MAX_QUERIES_AT_ONCE: Final = 2
#: Browsers that wait for a query; one beyond them is not asked about.
MAX_ASKED: Final = 5_000
#: Between the beginnings of two queries, as long as a query has room for all that wait, in seconds: those who come
#: meanwhile go by one query, whose price hardly depends on their number. The first after a pause waits for its peers.
BETWEEN_QUERIES_SECONDS: Final = 0.1
GATHER_SECONDS: Final = 0.003

#: Takes what was found for each browser that was asked about, oldest first, or None when ClickHouse did not answer.
Found = Callable[[Browser, "list[Banner] | None"], None]

_log = structlog.get_logger("collector.banners.unshown")


class UnshownReader:
    """Reads the unshown banners of browsers, those who are asked about at the same time in one query.

    Args:
        queries: ClickHouse.
        metrics: counts queries.
        now_ms: returns the present, in epoch ms.
    """

    def __init__(self, queries: Queries, metrics: CollectorMetrics, now_ms: Callable[[], int]) -> None:
        self._queries = queries
        self._metrics = metrics
        self._now_ms = now_ms
        self._threads = Threads("unshown banners", MAX_QUERIES_AT_ONCE)
        self._asked: dict[Browser, Found] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._next_at = 0.0

    def ask(self, browser: Browser, found: Found) -> bool:
        """Read a browser's unshown banners with the next query, and tell whether there is room for that.

        Cost: a part of a query; at most `MAX_QUERIES_AT_ONCE` run, and while they do, the others wait and are gathered.

        Args:
            browser: the browser, which is not being asked about.
            found: called with the answer in the event loop.
        """
        if len(self._asked) >= MAX_ASKED:
            return False
        self._asked[browser] = found
        self._schedule()
        return True

    def _schedule(self) -> None:
        """Start a query when one may run, or once its time has come."""
        if not self._asked or len(self._running) >= MAX_QUERIES_AT_ONCE:
            return
        loop = asyncio.get_running_loop()
        if len(self._asked) >= MAX_BROWSERS_A_QUERY:
            self._start()
        elif self._timer is None:
            at = max(loop.time() + GATHER_SECONDS, self._next_at)
            self._timer = loop.call_at(at, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        if self._asked and len(self._running) < MAX_QUERIES_AT_ONCE:
            self._start()

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._next_at = loop.time() + BETWEEN_QUERIES_SECONDS
        site = next(iter(self._asked)).site
        chosen = [browser for browser in self._asked if browser.site == site][:MAX_BROWSERS_A_QUERY]
        task = loop.create_task(self._read(site, {browser: self._asked.pop(browser) for browser in chosen}))
        self._running.add(task)
        task.add_done_callback(self._finished)
        self._schedule()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            self._schedule()

    async def _read(self, site: str, asked: dict[Browser, Found]) -> None:
        names = [browser.anonymous_id for browser in asked]
        banners: dict[str, list[Banner]] | None = None
        try:
            banners = await self._threads.run(unshown_banners, self._queries, site, names, self._now_ms())
        except WarehouseError as error:
            _log.warning("unshown_banners_unknown", browsers=len(asked), error=error.message, remedy=error.hint)
        except Exception:  # noqa: BLE001 - the pages that wait must hear that nothing comes
            _log.exception("unshown_banners_failed", browsers=len(asked))
        self._metrics.unshown_queries.labels("failed" if banners is None else "answered").inc()
        for browser, found in asked.items():
            found(browser, None if banners is None else banners.get(browser.anonymous_id, []))


def unshown_banners(queries: Queries, site: str, anonymous_ids: Sequence[str], now_ms: int) -> dict[str, list[Banner]]:
    """Return the banners that were sent to browsers and never shown, by anonymous id, oldest first.

    Cost: one query that reads the rows of `messages` of the browsers and their persons; at most `MAX_FOUND_EACH`
    banners of each come back.

    Args:
        queries: ClickHouse.
        site: the site of all browsers.
        anonymous_ids: the browsers.
        now_ms: banners that expired before this instant are left out, epoch ms.

    Raises:
        WarehouseError: ClickHouse did not answer.
    """
    parameters = {"site": site, "anonymous_ids": list(anonymous_ids), "now_ms": now_ms}
    found: dict[str, list[Banner]] = {}
    rows = queries.query(read_sql("collector", "unshown_banners"), parameters)
    for anonymous_id, message_id, content, expires in rows:
        if content:
            found.setdefault(anonymous_id, []).append(Banner(message_id, content.encode(), expires))
    return found
