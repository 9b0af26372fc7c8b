"""Feeds come into the catalogue, on both engines: XML, tables and JSON, whole and damaged, once and again."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from micromoment.catalogue.feed_import import FeedReport, FeedSource, import_feed
from micromoment.catalogue.feed_xml import MAX_ITEM_BYTES, XmlItems
from tests.trigger_worker.stored import NOON, event_row, store
from trigger_worker.store import products
from trigger_worker.store.products import read_catalogue, read_recommendations
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item><g:id>p1</g:id><g:title>Lamp &amp; shade</g:title><g:link>https://shop.example/lamp</g:link>
<g:image_link>https://shop.example/lamp.jpg</g:image_link><g:price>40.00 EUR</g:price>
<g:sale_price>30.00 EUR</g:sale_price>
<g:availability>in_stock</g:availability><g:product_type>Lamps</g:product_type>
<g:shipping><g:id>wrong</g:id><g:price>5.00 EUR</g:price></g:shipping></item>
<item><g:id>p2</g:id><title><![CDATA[Bulb]]></title><link>/bulb</link><g:price>2.50 EUR</g:price>
<g:availability>out of stock</g:availability></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><title>Shop</title>
<entry><g:id>p1</g:id><title>Lamp &amp; shade</title><link rel="alternate" href="https://shop.example/lamp"/>
<g:image_link>https://shop.example/lamp.jpg</g:image_link><g:price>40.00 EUR</g:price>
<g:sale_price>30.00 EUR</g:sale_price>
<g:availability>in_stock</g:availability><g:product_type>Lamps</g:product_type></entry>
<entry><g:id>p2</g:id><title>Bulb</title><link href="/bulb"/><g:price>2.50 EUR</g:price>
<g:availability>out of stock</g:availability></entry></feed>"""
TSV = """id\ttitle\tlink\timage link\tprice\tsale price\tavailability\tproduct type
p1\tLamp & shade\thttps://shop.example/lamp\thttps://shop.example/lamp.jpg\t40.00 EUR\t30.00 EUR\tin stock\tLamps
p2\tBulb\t/bulb\t\t2.50 EUR\t\tout of stock\t
"""
SHOPIFY = json.dumps(
    {
        "products": [
            {
                "id": "p1",
                "title": "Lamp & shade",
                "handle": "lamp",
                "product_type": "Lamps",
                "images": [{"src": "https://shop.example/lamp.jpg"}],
                "variants": [{"price": "30.00", "compare_at_price": "40.00", "available": True}],
            },
            {"id": "p2", "title": "Bulb", "handle": "bulb", "variants": [{"price": "2.50", "available": False}]},
        ]
    }
)
SOURCE = FeedSource("shop", "feed", "feed.xml", "https://shop.example", "EUR")


def read_feed(
    warehouse: Warehouse, content: str | bytes, now_ms: int = NOON, source: FeedSource = SOURCE, **options: Any
) -> FeedReport:
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return import_feed(warehouse, file.read, source, now_ms, **options)


def catalogue(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    columns = "product_id, name, price, sale_price, currency, image, url, availability"
    return sorted(warehouse.query(f"SELECT {columns} FROM catalogue WHERE site = 'shop'"))


@pytest.mark.parametrize("content", [RSS, ATOM, TSV, SHOPIFY], ids=["RSS", "Atom", "TSV", "Shopify"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda content: content.decode().encode("utf-16")])
def test_every_kind_of_feed_fills_the_catalogue(warehouse: Warehouse, content: str, pack: Any) -> None:
    report = read_feed(warehouse, pack(content.encode()))
    assert (report.stored, report.gone, report.unread, report.damage) == (2, 0, 0, [])
    products = "/products" if content is SHOPIFY else ""
    lamp, bulb = catalogue(warehouse)
    lamp_url = f"https://shop.example{products}/lamp"
    assert lamp == ("p1", "Lamp & shade", 40.0, 30.0, "EUR", "https://shop.example/lamp.jpg", lamp_url, "in_stock")
    assert bulb == ("p2", "Bulb", 2.5, None, "EUR", "", f"https://shop.example{products}/bulb", "out_of_stock")


def test_what_a_feed_names_no_more_is_out_of_stock_until_it_is_named_again(warehouse: Warehouse) -> None:
    read_feed(warehouse, TSV)
    without = "\n".join(TSV.splitlines()[:2])
    assert read_feed(warehouse, without, NOON + 1).gone == 1
    assert [row[-1] for row in catalogue(warehouse)] == ["in_stock", "out_of_stock"]
    assert read_feed(warehouse, without, NOON + 2).gone == 0
    assert read_feed(warehouse, TSV.replace("out of stock", "in stock"), NOON + 3).stored == 2
    assert [row[-1] for row in catalogue(warehouse)] == ["in_stock", "in_stock"]


def test_a_feed_takes_out_only_its_own_products(embedded_warehouse: Warehouse) -> None:
    read_feed(embedded_warehouse, TSV)
    other = FeedSource("shop", "outlet", "outlet.xml")
    read_feed(embedded_warehouse, TSV.replace("p1", "o1").replace("p2", "o2"), NOON + 1, other)
    assert len([row for row in catalogue(embedded_warehouse) if row[0].startswith("p")]) == 2


def rows(count: int) -> str:
    return "id\ttitle\tprice\n" + "".join(f"p{number}\tName {number}\t{number}.00 EUR\n" for number in range(count))


def test_half_a_feed_takes_nothing_out_unless_that_is_said(embedded_warehouse: Warehouse) -> None:
    read_feed(embedded_warehouse, rows(100))
    report = read_feed(embedded_warehouse, rows(20), NOON + 1)
    assert (report.stored, report.gone, report.kept) == (20, 0, 80)
    report = read_feed(embedded_warehouse, rows(20), NOON + 2, removes_most=True)
    assert (report.gone, report.kept) == (80, 0)


def test_a_truncated_feed_takes_nothing_out(embedded_warehouse: Warehouse) -> None:
    read_feed(embedded_warehouse, rows(100))
    report = read_feed(embedded_warehouse, gzip.compress(rows(99).encode())[:-8], NOON + 1)
    assert (report.gone, len(report.damage)) == (0, 1)
    with pytest.raises(ConfigurationError, match="no XML that can be read"):
        read_feed(embedded_warehouse, RSS[:-30], NOON + 2)
    assert len([row for row in catalogue(embedded_warehouse) if row[-1] == "in_stock"]) == 100


def test_items_that_are_no_products_are_counted_and_shown(embedded_warehouse: Warehouse) -> None:
    report = read_feed(embedded_warehouse, "id\ttitle\n\tx\np1\t\np2\tBulb\n")
    assert (report.stored, report.unread) == (1, 2)
    assert report.examples == ["line 2: it has no id", "line 3: it has no title"]


BOMB = (
    '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><rss><channel><item>&b;</item></channel></rss>'
)
FILE = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><id>&x;</id></item></channel></rss>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", "is empty", id="nothing"),
        pytest.param("<!DOCTYPE html><html><body>Log in</body></html>", "is an HTML page", id="a page"),
        pytest.param('<?xml version="1.0"?><html><body/></html>', "is an HTML page", id="a page in XML"),
        pytest.param(BOMB, "it declares an entity, 'a'", id="an entity bomb"),
        pytest.param(FILE, "it declares an entity, 'x'", id="an entity that is a file"),
        pytest.param("<rss><channel></channel></rss>", "names no products", id="a feed of nothing"),
        pytest.param("<rss>" * 5000, "too deep inside each other", id="nested without end"),
        pytest.param("<rss><channel><item>", "no XML that can be read", id="half a feed"),
        pytest.param("name;price\nx;1\n", "no column `id` and `title`\n  the header is: name, price", id="a table"),
        pytest.param("PK\x03\x04", "is a ZIP archive", id="an archive"),
        pytest.param('{"products": []}', "names no products", id="an empty list"),
    ],
)
def test_what_is_no_feed_is_told_and_changes_nothing(warehouse: Warehouse, content: str, message: str) -> None:
    read_feed(warehouse, TSV)
    before = catalogue(warehouse)
    with pytest.raises(ConfigurationError) as raised:
        read_feed(warehouse, content, NOON + 1)
    assert message in raised.value.message
    assert raised.value.hint
    assert catalogue(warehouse) == before


def test_a_field_and_an_item_without_end_are_bounded() -> None:
    def blocks(inside: bytes, times: int) -> Iterator[bytes]:
        yield b"<rss><channel><item><id>p1</id><title>"
        for _ in range(times):
            yield inside
        yield b"</title></item></channel></rss>"

    ((_, fields),) = XmlItems("feed").items(blocks(b"x" * 10_000, 50))
    assert len(fields["title"]) == 4096
    with pytest.raises(ConfigurationError, match=re.escape(f"longer than {MAX_ITEM_BYTES:,} bytes")):
        list(XmlItems("feed").items(blocks(b"x" * 100_000, 1000)))
    with pytest.raises(ConfigurationError, match=re.escape(f"longer than {MAX_ITEM_BYTES:,} bytes")):
        list(XmlItems("feed").items([b'<rss a="', *[b"y" * 100_000] * 1000, b'"/>']))


def test_templates_and_recommendations_read_the_feed(warehouse: Warehouse) -> None:
    looks = [
        event_row("view_item", f"v{n}", NOON - 1000, product_id=product, name=f"Page's {product}", price=99)
        for n, product in enumerate(("p1", "p2", "p3"))
    ]
    store(warehouse, *looks)
    read_feed(warehouse, RSS)
    known = read_recommendations(warehouse, "shop", NOON)
    assert known.sold_out == {"p2"}
    lamp, page = known.products["p1"], known.products["p3"]
    assert (lamp.name, lamp.price, lamp.sale_price, lamp.category) == ("Lamp & shade", 40.0, 30.0, "Lamps")
    assert (page.name, page.price, page.sale_price) == ("Page's p3", 99.0, None)
    described = read_catalogue(warehouse, "shop", NOON)
    assert described.keys() == {"p1", "p2"}
    assert (described["p1"].url, described["p1"].availability) == ("https://shop.example/lamp", "in_stock")


def test_a_feed_goes_before_what_the_server_told_and_leaves_what_it_does_not_say(warehouse: Warehouse) -> None:
    told = {"name": "Server's lamp", "category": "Old", "image": "/server.jpg", "proven_by": "server"}
    store(warehouse, event_row("view_item", "v", NOON + 5000, product_id="p1", url="/server", price=1, **told))
    read_feed(warehouse, "id,title,price\np1,Lamp,40.00 EUR\n")
    (lamp,) = catalogue(warehouse)
    assert lamp == ("p1", "Lamp", 40.0, None, "EUR", "/server.jpg", "/server", "in_stock")


def test_of_more_products_than_fit_those_that_most_people_viewed_are_known(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "MAX_PRODUCTS", 5)
    read_feed(warehouse, rows(100))
    looks = [("p90", "ann"), ("p90", "bob"), ("p80", "ann"), ("unknown", "ann")]
    store(warehouse, *(event_row("view_item", visitor, NOON - 1000, product_id=product) for product, visitor in looks))
    known = list(read_catalogue(warehouse, "shop", NOON))
    assert (known[:2], len(known)) == (["p90", "p80"], 5)
