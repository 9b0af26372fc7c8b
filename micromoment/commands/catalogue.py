"""The command `catalogue`, which reads feeds of products."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from micromoment.catalogue.feed_import import FeedReport, FeedSource, import_feed
from micromoment.configuration.options import read_options, settings_options
from micromoment.configuration.site_choice import choose_site
from micromoment.configuration.site_money import site_money
from micromoment.engine.client import open_engine
from micromoment.terminal.text import harmless, say, user_name
from warehouse.audit import store_audit
from warehouse.errors import ConfigurationError

#: The largest feed that is fetched, and the longest that its server may be silent.
MAX_FEED_BYTES: Final = 8 * 1024**3
_SILENCE_SECONDS: Final = 30.0


@click.group()
def catalogue() -> None:
    """Tell Micromoment what the shop sells."""


@catalogue.command("import")
@click.argument("source")
@click.option("--site", "site_name", help="Whose products they are; not needed when one site is configured.")
@click.option("--feed", "feed_name", default="feed", show_default=True, help="Its name, where a site has several.")
@click.option("--currency", default="", help="Of prices that name none, such as EUR.")
@click.option(
    "--all", "removes_most", is_flag=True, help="Take out what is gone even if that is most of the catalogue."
)
@settings_options
def import_catalogue(
    source: str,
    site_name: str | None,
    feed_name: str,
    currency: str,
    *,
    removes_most: bool,
    **options: Any,  # noqa: ANN401 - the settings
) -> None:
    """Read a feed of products from SOURCE, a file or an http(s) address; `-` is the standard input.

    Google Merchant's XML (RSS 2.0, Atom) and tables, and Shopify's products.json, gzip welcome. Read it again, as by
    cron, whenever it changes: products that it names no more are taken out.
    """
    settings = read_options(options)
    site = choose_site(settings.sites, site_name)
    found = settings.sites.get(site)
    is_address = source.startswith(("http://", "https://"))
    base = found.url if found and found.url else source if is_address else ""
    own = site_money(settings, site).currency if found else ""
    feed = FeedSource(site, feed_name, source, base, currency.upper() or own)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with open_engine(settings) as engine, Progress(*columns, console=Console(stderr=True)) as bar:
        with _opened(source, is_address=is_address) as (read, size):
            task = bar.add_task("read the feed", total=size)
            counted = _counted(read, lambda count: bar.advance(task, count))
            report = import_feed(engine, counted, feed, time.time_ns() // 1_000_000, removes_most=removes_most)
        told = {"site": site, "feed": feed_name, "stored": report.stored, "gone": report.gone}
        store_audit(engine, user_name(), "catalogue", told)
    _tell(report)
    sys.exit(1 if report.unread or report.damage or report.kept else 0)


@contextmanager
def _opened(source: str, *, is_address: bool) -> Iterator[tuple[Callable[[int], bytes], int | None]]:
    """Open a feed: yield what reads up to so many further bytes of it, and its size where that is known."""
    if source == "-":
        yield sys.stdin.buffer.read, None
        return
    if is_address:
        with _fetched(source) as fetched:
            yield fetched
        return
    try:
        with Path(source).open("rb") as file:
            yield file.read, Path(source).stat().st_size
    except OSError as error:
        raise ConfigurationError(f"{source}: cannot be read: {error.strerror}", "name a file or an address") from error


@contextmanager
def _fetched(address: str) -> Iterator[tuple[Callable[[int], bytes], int | None]]:
    remedy = "look at the address in a browser; a feed behind a login can be given as a file"
    try:
        with httpx.stream("GET", address, timeout=_SILENCE_SECONDS, follow_redirects=True) as response:
            if not response.is_success:
                raise ConfigurationError(f"{harmless(address)}: the server answers {response.status_code}", remedy)
            size = response.headers.get("content-length", "")
            is_plain = "content-encoding" not in response.headers
            yield _reader(response.iter_bytes()), int(size) if size.isdigit() and is_plain else None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ConfigurationError(f"{harmless(address)}: cannot be fetched: {error}", remedy) from error


def _reader(pieces: Iterator[bytes]) -> Callable[[int], bytes]:
    ahead, total = b"", 0

    def read(size: int) -> bytes:
        nonlocal ahead, total
        if not ahead:
            ahead = next((piece for piece in pieces if piece), b"")
            total += len(ahead)
            if total > MAX_FEED_BYTES:
                raise ConfigurationError(f"the feed is larger than {MAX_FEED_BYTES:,} bytes", "split it")
        data, ahead = ahead[:size], ahead[size:]
        return data

    return read


def _counted(read: Callable[[int], bytes], progress: Callable[[int], None]) -> Callable[[int], bytes]:
    def counted(size: int) -> bytes:
        data = read(size)
        progress(len(data))
        return data

    return counted


def _tell(report: FeedReport) -> None:
    say(f"{report.described}: {report.stored} products stored, {report.gone} taken out", err=True)
    for damage in report.damage:
        say(f"damaged: {damage}; nothing was taken out", err=True)
    if report.kept:
        say(f"{report.kept} products that the feed names no more stay: it names less than half as many", err=True)
        say("  remedy: give --all if that is right", err=True)
    if report.unread:
        say(f"{report.unread} items are no products: give each an id and a title", err=True)
    for example in report.examples:
        say(f"  {example}", err=True)
