"""What strangers write into the facts of a message, and what of it a reader gets to see."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.deciding.recipient.profile import VisitorContext
from trigger_worker.deciding.recipient.shopping import CartContext, CartItem
from trigger_worker.delivery.content.context import RenderContext, RuleContext, SiteContext
from trigger_worker.delivery.content.foreign_text import LONG, SHORT, FactCleaner, plain, unlinked
from trigger_worker.store.products import Product

HOSTS: Final = {"shop": ["shop.example", "*.cdn.example", "b\u00fccher.example"]}
TENT: Final = Product(product_id="p1", name="Two-person tent", image="https://shop.example/tent.jpg", url="/tent")
CLEANER: Final = FactCleaner(HOSTS, lambda _site, product_id: TENT if product_id == "p1" else None)

#: What a mail program, a telephone or a chat makes a link of.
_LINK: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://|www\.\S|[^\W_]\.[^\W\d_]{2}|\S@\S|(?:javascript|data|tel|sms|mailto):|//", re.IGNORECASE
)

NAMES: Final = [
    "Your account is locked, visit evil.example",
    "Your account is locked, visit https://evil.example/login?a=1",
    "http:\\\\evil.example",
    "evil\u3002example/login",
    "evil\uff0eexample",
    "evil\uff61example",
    "evil\u2024example",
    "ev\u200bil.exa\u00admple",
    "\u202emoc.elpmaxe.live\u202c",
    "\u2066evil.example\u2069",
    "https\uff1a\uff0f\uff0fevil.example",
    "www.evil.example",
    "write to thief@evil.example",
    "thief\uff20evil.example",
    "javascript:alert(document.cookie)",
    "data:text/html,<script>alert(1)</script>",
    "tel:+4915112345678",
    "sms:+4915112345678?body=YES",
    "//evil.example",
    "go to 192.0.2.17/login",
    "xn--80ak6aa92e.com",
    "\u0430pple.com",
    "evil.\u0440\u0444",
    "Tent\r\nBcc: everybody@evil.example\r\n\r\n<h1>Hi</h1>",
    "Tent\u2028evil.example\u2029",
    "{{ 7 * 7 }}{% for x in range(999) %}evil.example{% endfor %}",
    "<a href=https://evil.example>Sale</a>",
    "x" * 10_000,
    "a.b" * 5_000,
    "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "\ud83d evil.example",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", ["name", "category", "first_name", "plan", "search_term", "order_id", "product_id"])
def test_no_text_of_a_stranger_becomes_a_link_or_steers_how_it_is_shown(name: str, key: str) -> None:
    shown = CLEANER.facts("shop", {key: name})[key]
    assert not _LINK.search(shown), shown
    assert shown.isprintable()
    assert not any(unicodedata.category(each) in {"Cf", "Cc", "Cs", "Co", "Zl", "Zp"} for each in shown)
    assert len(shown) <= LONG


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Dr. Martens 1460", "Dr. Martens 1460"),
        ("St.Moritz jacket", "St. Moritz jacket"),
        ("Size 9.5, 2.0 kg", "Size 9.5, 2.0 kg"),
        ("A.P.C. jeans", "A.P.C. jeans"),
        ("Kaffee & Kuchen \u2013 s\u00fc\u00df", "Kaffee & Kuchen \u2013 s\u00fc\u00df"),
        ("\u65e5\u672c\u8a9e\u306e\u5546\u54c1", "\u65e5\u672c\u8a9e\u306e\u5546\u54c1"),
        ("1/2 price: 50 % off", "1/2 price: 50 % off"),
        ("Tent \U0001f3d5\ufe0f", "Tent \U0001f3d5\ufe0f"),
        ("two\n\n lines", "two lines"),
        ("x" * 81, "x" * 79 + "\u2026"),
    ],
)
def test_what_a_shop_calls_its_products_stays_as_it_is(name: str, shown: str) -> None:
    assert CLEANER.facts("shop", {"name": name})["name"] == shown


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://user:pw@shop.example/",
        "https://evilshop.example/",
        "//evil.example/x.png",
        "/\\evil.example",
        "\\\\evil.example",
        "https:/\\evil.example",
        "javascript:alert(1)",
        " javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:image/png;base64,AAAA",
        "vbscript:x",
        "mailto:thief@evil.example",
        "tel:+49151",
        "ftp://shop.example/x",
        "https://shop.ex\u0430mple/",
        "https://shop\u3002evil\u3002example/",
        "https://cdn.example.evil.example/x.png",
        "https://shop.example:99999/",
        "https://shop.example\t.evil.example/",
        "https://shop.example/\u202egpj.exe",
        "https://[::1/",
        "https:///x",
        "evil.example/path",
        "https://shop.example/" + "x" * 3_000,
    ],
)
@pytest.mark.parametrize("key", ["url", "image", "icon"])
def test_no_link_or_picture_leads_anywhere_else(address: str, key: str) -> None:
    assert CLEANER.facts("shop", {key: address})[key] == ""


@pytest.mark.parametrize(
    "address",
    [
        "https://shop.example/p?a=1&b=2#c",
        "HTTPS://SHOP.example/p",
        "http://shop.example:8001/p",
        "https://img.cdn.example/a.png",
        "https://a.b.cdn.example/a.png",
        "https://b\u00fccher.example/p",
        "https://xn--bcher-kva.example/p",
        "/p/1?x=//y",
        "/",
    ],
)
def test_links_and_pictures_of_the_shop_stay(address: str) -> None:
    assert CLEANER.facts("shop", {"url": address})["url"] == address


def test_another_sites_hosts_are_not_this_ones() -> None:
    assert CLEANER.facts("other", {"url": "https://shop.example/"})["url"] == ""


def test_a_value_that_is_an_address_is_one_under_any_name() -> None:
    facts = {"website": "https://evil.example/x", "photo": "data:image/png;base64,AA", "help": "https://shop.example/h"}
    assert CLEANER.facts("shop", facts) == {"website": "", "photo": "", "help": "https://shop.example/h"}


def test_a_product_that_the_shop_described_has_its_words_wherever_it_stands() -> None:
    told = {
        "product_id": "p1",
        "name": "Your account is locked",
        "image": "https://evil.example/x.png",
        "url": "https://evil.example",
        "price": 1,
        "items": [{"product_id": "p1", "name": "evil.example"}, {"product_id": "p2", "name": "see evil.example"}],
    }
    mine = {"product_id": "p1", "name": "Two-person tent", "image": "https://shop.example/tent.jpg", "url": "/tent"}
    assert CLEANER.facts("shop", told) == {
        **mine,
        "price": 1,
        "items": [mine, {"product_id": "p2", "name": "see evil. example"}],
    }


def test_every_part_of_a_message_is_cleaned() -> None:
    bad = "see https://evil.example"
    told = RenderContext(
        visitor=VisitorContext(id="u1", first_name=bad, email="ann@example.com", traits={"plan": {"name": bad}}),
        site=SiteContext(name="shop", url="https://shop.example"),
        rule=RuleContext("letters"),
        cart=CartContext(items=(CartItem(product_id="p2", quantity=1, name=bad, image="https://evil.example/x"),)),
        event={"search_term": bad, "tags": [bad] * 500},
        product={"name": bad, "url": "https://evil.example"},
        order={"items": [{"name": bad}]},
        unsubscribe_url="https://collector.example/v1/u/token",
    )
    cleaned = CLEANER.context(told)
    assert "evil.example" not in str(cleaned)
    assert cleaned.visitor.email == "ann@example.com"
    assert cleaned.unsubscribe_url == told.unsubscribe_url
    assert len(str(cleaned.event)) < 10_000
    assert cleaned.cart.items[0].image == ""


def test_facts_without_measure_are_cut() -> None:
    deep: dict[str, Any] = {}
    inner = deep
    for _ in range(1_000):
        inner["a"] = {}
        inner = inner["a"]
    wide = {f"key-{number}": "x" for number in range(100_000)}
    assert len(str(CLEANER.facts("shop", {"deep": deep, "wide": wide}))) < 5_000


@given(st.text(max_size=300))
def test_cleaning_again_changes_nothing(text: str) -> None:
    once = unlinked(text, SHORT)
    assert unlinked(once, SHORT) == once
    assert len(once) <= SHORT
    assert plain(once, SHORT) == once


@given(st.text(alphabet="aB9_,;!?'()+- ", max_size=60))
def test_what_is_known_to_be_harmless_at_a_glance_is_what_is_looked_at_closely(text: str) -> None:
    # A full stop at the end keeps it from being known at a glance, and changes nothing else.
    assert unlinked(text, 200) == unlinked(f"{text}.", 200).removesuffix(".").rstrip()


OFFERED: Final = Product(
    product_id="p2", name="Lamp", price=40.0, sale_price=30.0, currency="EUR", availability="in_stock"
)


@pytest.mark.parametrize(
    ("told", "product", "expected"),
    [
        pytest.param(
            {"product_id": "p2", "price": 1.0, "currency": "USD"},
            OFFERED,
            {"price": 40.0, "sale_price": 30.0, "currency": "EUR", "availability": "in_stock"},
            id="a product of a feed costs what the feed says",
        ),
        pytest.param(
            {"product_id": "p2", "price": 35.0, "quantity": 2.0},
            OFFERED,
            {"price": 35.0, "quantity": 2.0},
            id="a line of a cart keeps its price",
        ),
        pytest.param(
            {"product_id": "p2", "price": 1.0},
            Product(product_id="p2", name="Lamp", price=40.0),
            {"price": 1.0},
            id="what a server told in an event says nothing of today's price",
        ),
    ],
)
def test_what_a_product_costs(told: dict[str, Any], product: Product, expected: dict[str, Any]) -> None:
    cleaner = FactCleaner(HOSTS, lambda _site, _product_id: product)
    assert cleaner.facts("shop", told) == {"product_id": "p2", "name": "Lamp", **expected}
