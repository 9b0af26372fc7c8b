"""Finds out which kind of feed a file is, of Google Merchant or of Shopify, and yields its products."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from micromoment.catalogue.feed_products import FeedProduct, merchant_product, shopify_product
from micromoment.catalogue.feed_xml import XmlItems
from micromoment.history.formats import refuse_binary
from micromoment.history.lines import FileText, NoteLine
from micromoment.history.table import TableRows
from micromoment.history.values import json_values
from warehouse.errors import ConfigurationError

#: The beginning of `products.json`, up to the array of its products.
_ENVELOPE: Final = re.compile(rb'\s*\{\s*"products"\s*:\s*(?=\[)')
#: Products with the numbers of their lines; a text says what an item lacks.
Items = Iterator[tuple[int, FeedProduct | str]]


class ProductFeed(msgspec.Struct, frozen=True):
    """A feed: what it is, in words, and its products."""

    described: str
    items: Items


def find_feed(text: FileText, base: str, currency: str, note: NoteLine, place: str) -> ProductFeed:
    """Return the products of a feed.

    Args:
        text: of the file.
        base: the shop's address, from which links may start.
        currency: of prices that name none.
        note: called for items that cannot be read.
        place: the feed, for errors.

    Raises:
        ConfigurationError: it is no feed; the error says what it seems to be.
    """
    beginning = text.head.lstrip()
    if beginning.startswith(b"<"):
        if _is_page(beginning):
            remedy = (
                "the server seems to have answered with a page, such as one to log in; look at the address of the feed"
            )
            raise ConfigurationError(f"{place} is an HTML page, and no feed", remedy)
        return ProductFeed("a feed of Google Merchant, XML", _of_xml(text, base, currency, place))
    refuse_binary(text.head, place)
    if beginning[:1] in {b"{", b"["}:
        return ProductFeed("products of Shopify, JSON", _of_json(text, base, currency, note))
    rows = TableRows(text.lines(note), "", '"', note, place)
    names = [re.sub(r"[ -]", "_", name.lower().removeprefix("g:")) for name in rows.header]
    if not {"id", "title"} <= set(names):
        raise ConfigurationError(
            f"{place}: no feed of products: no column `id` and `title`\n  the header is: {', '.join(rows.header)}",
            "export the feed as Google Merchant describes it: XML, or a table with id, title, link, price ...",
        )
    return ProductFeed("a feed of Google Merchant, a table", _of_table(rows, names, base, currency))


def _is_page(beginning: bytes) -> bool:
    head = beginning[:1000].lower()
    return head.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or b"<html" in head


def _of_xml(text: FileText, base: str, currency: str, place: str) -> Items:
    # The text is UTF-8 by now, whatever its declaration says.
    declaration = re.compile(rb"^\s*<\?xml[^>]*\?>")
    blocks = (
        declaration.sub(b"", block, count=1) if not number else block for number, block in enumerate(text.blocks())
    )
    for line, fields in XmlItems(place).items(blocks):
        yield line, merchant_product(fields, base, currency)


def _of_table(rows: TableRows, names: list[str], base: str, currency: str) -> Items:
    for number, row in rows:
        yield number, merchant_product(dict(zip(names, map(str.strip, row), strict=False)), base, currency)


def _of_json(text: FileText, base: str, currency: str, note: NoteLine) -> Items:
    blocks = text.blocks()
    first = next(blocks, b"")
    envelope = _ENVELOPE.match(first)

    def without_envelope() -> Iterator[bytes]:
        yield first[envelope.end() :] if envelope else first
        yield from blocks

    for number, value in json_values(without_envelope(), note):
        try:
            product = msgspec.json.decode(value, type=dict)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            yield number, str(error)
            continue
        yield number, shopify_product(product, base, currency)
