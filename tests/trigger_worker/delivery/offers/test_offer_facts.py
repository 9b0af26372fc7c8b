"""What templates ask for beyond their message: recommendations, coupons, and what becomes of their mistakes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.trigger_worker.shop import Shop
from trigger_worker.delivery.content.engine import MissingFacts
from trigger_worker.delivery.offers.offer_facts import OfferFacts
from warehouse.connection import Warehouse
from warehouse.errors import WarehouseError, WarehouseUnavailable

HEAD = "form: bar\nposition: top\n"


@pytest.fixture
async def shop(warehouse: Warehouse, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop whose visitors get a banner when they hover."""
    shop = Shop(warehouse, tmp_path)
    shop.rule("lingers", "when: hover\nevery: 0\nsend:\n  - banner: offer\n")
    await shop.starts()
    yield shop
    await shop.dispatcher.settle(10)


def titles(shop: Shop) -> dict[str, str]:
    """The titles of the banners that were sent, by visitor."""
    return {message.visitor_id: message.content.title for message in shop.channels["banner"].sent}  # type: ignore[attr-defined]


def failures(shop: Shop) -> dict[str, str]:
    """Why messages failed, by visitor."""
    rows = shop.rows("SELECT visitor_id, detail FROM messages WHERE state = 'failed'")
    return {visitor: json.loads(detail)["error"] for visitor, detail in rows}


async def test_each_visitor_gets_one_coupon_of_a_rule(shop: Shop) -> None:
    shop.write("templates/offer.banner.yaml", HEAD + 'title: \'{{ coupon("spring") }}, {{ coupon("spring") }}\'\n')
    shop.write("coupons/spring.txt", "ONE\nTWO\n")
    shop.happens("hover", "anna")
    shop.happens("hover", "bob")
    await shop.passes()
    first = titles(shop)
    assert sorted(first.values()) == ["ONE, ONE", "TWO, TWO"]
    await shop.starts()
    await shop.passes(1)
    shop.happens("hover", "anna")
    await shop.passes(1)
    assert len(shop.sent()) == 3
    assert titles(shop) == first


async def test_an_exhausted_pool_stops_a_message_unless_the_template_has_a_fallback(shop: Shop) -> None:
    shop.rule("gives", "when: click\nsend:\n  - banner: given\n")
    shop.write("templates/offer.banner.yaml", HEAD + "title: Hello\ntext: '{{ coupon(\"spring\") }}'\n")
    shop.write("templates/given.banner.yaml", HEAD + 'title: \'{{ coupon("spring", "WELCOME") }}\'\n')
    shop.write("coupons/spring.txt", "# none yet\n")
    shop.happens("hover", "anna")
    shop.happens("click", "bob")
    await shop.passes()
    assert titles(shop) == {"bob": "WELCOME"}
    place = shop.folder / "templates" / "offer.banner.yaml"
    assert failures(shop) == {"anna": f"{place}:4: the coupon pool spring has no code left"}


async def test_recommendations_leave_out_what_is_in_the_cart_and_what_is_sold_out(shop: Shop) -> None:
    asks = "{% for each in recommend.complementary(product.product_id, 2) %}{{ each.name }} {% endfor %}"
    shop.write("templates/offer.banner.yaml", f"{HEAD}title: '{asks}'\n")
    for number in range(3):
        items = [{"product_id": product} for product in ("tent", "pegs", "lamp", "mat", "rope")]
        shop.happens("purchase", f"buyer-{number}", order_id=f"o{number}", items=items)
        shop.happens("purchase", f"other-{number}", order_id=f"p{number}", items=[{"product_id": "bread"}])
    for product in ("tent", "pegs", "lamp", "mat", "rope"):
        shop.happens("view_item", "anybody", product_id=product, name=product.title(), in_stock=product != "pegs")
    shop.happens("add_to_cart", "anna", product_id="lamp")
    shop.happens("hover", "anna", product_id="tent")
    await shop.passes()
    assert titles(shop) == {"anna": "Mat Rope"}


async def test_what_is_recommended_is_brought_up_to_date_in_the_background(shop: Shop) -> None:
    asks = "{% for each in recommend.trending(1) %}{{ each.name }}{% endfor %}"
    shop.write("templates/offer.banner.yaml", f"{HEAD}title: 'Trending: {asks}'\n")
    shown: list[str] = []
    for product in ("tent", "lamp", "mat"):
        for number in range(3 + len(shown)):
            shop.happens("view_item", f"{product}-{number}", product_id=product, name=product.title())
        shop.happens("hover", "anna")
        await shop.passes(16 * 60)
        shown.append(titles(shop)["anna"])
    assert shown == ["Trending: Tent", "Trending: Tent", "Trending: Lamp"]


async def test_what_a_visitor_looked_at_is_at_hand(shop: Shop) -> None:
    asks = "{% for each in recommend.recently_viewed() %}{{ each.name }} {% endfor %}"
    shop.write("templates/offer.banner.yaml", f"{HEAD}title: 'Seen: {asks}'\n")
    for ago, product in ((4000, "tent"), (3000, "pegs"), (2000, "tent"), (1000, "lamp")):
        shop.happens("view_item", "anna", ago, product_id=product, name=product.title())
    shop.happens("view_item", "bob", product_id="mat", name="Mat")
    shop.happens("add_to_cart", "anna", product_id="lamp")
    shop.happens("hover", "anna")
    await shop.passes()
    assert titles(shop) == {"anna": "Seen: Tent Pegs"}


async def test_a_template_with_a_mistake_stops_its_message_only(shop: Shop) -> None:
    shop.write(
        "templates/offer.banner.yaml",
        HEAD + "title: Hello\ntext: |\n  {% if visitor.id == 'anna' %}\n  {{ 1 / 0 }}\n  {% endif %}\n  Bye\n",
    )
    shop.happens("hover", "anna")
    shop.happens("hover", "bob")
    await shop.passes()
    assert list(titles(shop)) == ["bob"]
    (why,) = failures(shop).values()
    assert why == f"{shop.folder / 'templates' / 'offer.banner.yaml'}:6: ZeroDivisionError: division by zero"


async def test_what_clickhouse_refuses_stops_those_who_ask_for_it_only(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise WarehouseError("no such column")

    monkeypatch.setattr(OfferFacts, "read", refuse)
    shop.write(
        "templates/offer.banner.yaml",
        HEAD + 'title: \'You{% if visitor.id == "anna" %}{{ coupon("x") }}{% endif %}\'\n',
    )
    shop.happens("hover", "anna")
    shop.happens("hover", "bob")
    await shop.passes()
    assert titles(shop) == {"bob": "You"}
    assert failures(shop) == {"anna": "what the template asks for cannot be read: no such column"}


async def test_clickhouse_that_is_away_is_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    read, asked = OfferFacts.read, []

    def away_at_first(facts: OfferFacts, missing: Sequence[MissingFacts], now_ms: int) -> None:
        asked.append(now_ms)
        if len(asked) == 1:
            raise WarehouseUnavailable("away")
        read(facts, missing, now_ms)

    monkeypatch.setattr(OfferFacts, "read", away_at_first)
    shop.write("templates/offer.banner.yaml", HEAD + "title: '{{ coupon(\"spring\") }}'\n")
    shop.write("coupons/spring.txt", "ONE\n")
    shop.happens("hover", "anna")
    await shop.passes()
    assert titles(shop) == {"anna": "ONE"}
    assert len(asked) == 2
