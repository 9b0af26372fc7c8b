"""Reads a feed into the catalogue: what it names is stored, and what it names no more is taken out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from micromoment.catalogue.feed_items import Items, find_feed
from micromoment.catalogue.feed_products import FeedProduct
from micromoment.engine.client import Engine
from micromoment.history.lines import FileText
from micromoment.history.packed import Unpacked
from warehouse.errors import ConfigurationError
from warehouse.event import format_time
from warehouse.queries import read_sql

#: Products that are stored together.
PRODUCTS_PER_INSERT: Final = 20_000
#: A feed that names less than this share of the products that it named before is taken for half a feed.
_LEAST_SHARE: Final = 0.5
_MOST_EXAMPLES: Final = 10
_encode: Final = msgspec.json.Encoder().encode


class FeedReport(msgspec.Struct):
    """What came of a feed.

    Args:
        described: what it is, in words.
        stored: how many products it names.
        gone: how many products it named before and does not name any more; they are in the catalogue no longer.
        kept: how many of those stay all the same, because the feed seems not to be whole.
        unread: how many of its items are no products.
        examples: the first of those, with line and reason.
        damage: what of the file is damaged.
    """

    described: str = ""
    stored: int = 0
    gone: int = 0
    kept: int = 0
    unread: int = 0
    examples: list[str] = []
    damage: list[str] = []

    def note(self, line: int, _: str, detail: str) -> None:
        """Note an item that is no product."""
        self.unread += 1
        if len(self.examples) < _MOST_EXAMPLES:
            self.examples.append(f"line {line}: {detail}")


class FeedSource(msgspec.Struct, frozen=True):
    """Which feed it is.

    Args:
        site: the site.
        name: of the feed among those of the site; only its own products are taken out when it names them no more.
        place: where it was read, for errors.
        base: the shop's address, from which links may start.
        currency: of prices that name none.
    """

    site: str
    name: str
    place: str
    base: str = ""
    currency: str = ""


def import_feed(
    engine: Engine, read: Callable[[int], bytes], source: FeedSource, now_ms: int, *, removes_most: bool = False
) -> FeedReport:
    """Store the products of a feed, and take out those that it named before and names no more.

    Nothing is taken out when the feed is damaged, or names less than half of what it named before. Memory: 20,000
    products, however many there are.

    Cost: one insert for 20,000 products, two queries over the products of the feed.

    Args:
        engine: the ClickHouse database.
        read: returns up to so many further bytes of the feed.
        source: which feed it is.
        now_ms: epoch ms.
        removes_most: whether products are taken out even if they are most of them.

    Raises:
        ConfigurationError: it is no feed, or cannot be read further; nothing is taken out then.
        WarehouseError: ClickHouse does not answer.
    """
    report = FeedReport()
    text = FileText(Unpacked(read, report.damage.append).blocks())
    if not text.head:
        raise ConfigurationError(f"{source.place} is empty", "export the feed again; the catalogue stays as it was")
    feed = find_feed(text, source.base, source.currency, report.note, source.place)
    report.described = feed.described
    ((before,),) = engine.query(read_sql("micromoment.catalogue", "known_products"), _scope(source))
    for products in _portions(feed.items, report):
        _insert(engine, source, now_ms, (_row(product) for product in products))
        report.stored += len(products)
    if not report.stored:
        raise ConfigurationError(f"{source.place} names no products", "export the feed again; nothing was changed")
    is_whole = not report.damage and (removes_most or report.stored >= before * _LEAST_SHARE)
    if is_whole:
        report.gone = _take_out(engine, source, now_ms)
    else:
        report.kept = max(0, before - report.stored)
    return report


def _portions(items: Items, report: FeedReport) -> Iterator[list[FeedProduct]]:
    def products() -> Iterator[FeedProduct]:
        for line, item in items:
            if isinstance(item, str):
                report.note(line, "", item)
            else:
                yield item

    found = products()
    while portion := list(islice(found, PRODUCTS_PER_INSERT)):
        yield portion


def _row(product: FeedProduct) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(product)
    return row


def _take_out(engine: Engine, source: FeedSource, now_ms: int) -> int:
    scope = {**_scope(source), "read_at": format_time(now_ms), "limit": PRODUCTS_PER_INSERT}
    count = 0
    while gone := engine.query(read_sql("micromoment.catalogue", "gone_products"), scope):
        fields = FeedProduct.__struct_fields__
        _insert(engine, source, now_ms, ({**dict(zip(fields, row, strict=True)), "is_gone": 1} for row in gone))
        count += len(gone)
    return count


def _insert(engine: Engine, source: FeedSource, now_ms: int, rows: Iterable[dict[str, Any]]) -> None:
    shared = {"site": source.site, "feed": source.name, "ts": format_time(now_ms)}
    lines = b"\n".join(_encode({**shared, **row}) for row in rows)
    engine.insert_lines("feed_products", lines, hashlib.sha256(lines).hexdigest())


def _scope(source: FeedSource) -> dict[str, object]:
    return {"site": source.site, "feed": source.name}
