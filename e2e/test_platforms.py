"""Stock shops of Shopify and WooCommerce: their pages and webhooks fire the library's rules, and count once."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.shop_pages import CHECKOUT_TOKEN, SHOPIFY_PRODUCT, ShopPages, checkout, money, shop_pages, variant
from e2e.shopper import Shopper
from e2e.stack import SHOPIFY_SECRET, SHOPIFY_TOKEN, WOO_SECRET, WOO_TOKEN, Stack
from e2e.visit import shopping
from e2e.waiting import wait_for
from tests.collector.platforms import shopify_payloads as shopify
from tests.collector.platforms import woocommerce_payloads as woo

LIBRARY: Final = Path(__file__).parents[1] / "trigger_worker" / "rules" / "library"
#: A rule about the cart, one about the checkout, and one about what comes after the order.
RULES: Final = ("cart_abandoned", "checkout_stalled", "post_purchase_next_days")
_ADD: Final = {"cartLine": {"merchandise": variant(), "quantity": 1, "cost": {"totalAmount": money(129.0)}}}


@pytest.fixture(scope="module")
def shops(stack: Stack) -> Iterator[ShopPages]:
    with shop_pages(stack) as pages:
        yield pages


@pytest.fixture(scope="module", autouse=True)
def library_rules(stack: Stack) -> Iterator[None]:
    """Have rules of the library decide, under names of their own, with waits that a test can wait for."""
    templates = stack.rules_folder.parent / "templates"
    missing = [file for file in (LIBRARY / "templates").iterdir() if not (templates / file.name).exists()]
    added = [Path(shutil.copy(file, templates)) for file in missing]
    for rule in RULES:
        text = (LIBRARY / "rules" / f"{rule}.yaml").read_text(encoding="utf-8")
        text = re.sub(r"^id: ", "id: library_", text, flags=re.MULTILINE)
        target = stack.rules_folder / f"library_{rule}.yaml"
        target.write_text(re.sub(r"(-> no .* )within \d+m", r"\1within 2s", text))
        added.append(target)
    yield
    for each in reversed(added):
        each.unlink()


@pytest.fixture
def visitor(browser: Browser, stack: Stack) -> Iterator[Shopper]:
    with shopping(browser, stack) as shopper:
        yield shopper


def wait_for_rules(shopper: Shopper, *rules: str) -> None:
    """Wait until rules of the library fired for a browser."""

    def fired() -> bool:
        query = f"SELECT DISTINCT rule FROM fires WHERE site = 'acme' AND visitor_id = '{shopper.anonymous_id}'"
        return {f"library_{rule}" for rule in rules} <= {row["rule"] for row in shopper.stack.sql(query)}

    wait_for(fired, f"{rules} to fire for {shopper.anonymous_id}")


def publish(page: Page, name: str, data: dict[str, Any]) -> None:
    page.evaluate("([name, data]) => window.publish(name, data)", [name, data])


def deliver(stack: Stack, name: str, token: str, signed: tuple[bytes, dict[str, str]]) -> dict[str, Any]:
    """Post a webhook, and return the answer."""
    body, headers = signed
    reply = httpx.post(f"{stack.collector_url}/v1/webhooks/{name}/{token}", content=body, headers=headers)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def redact(stack: Stack, payload: dict[str, Any]) -> None:
    """Ask to erase a customer until it is done, as Shopify does."""
    body, headers = shopify.signed("customers/redact", payload, SHOPIFY_SECRET)

    def is_done() -> bool:
        url = f"{stack.collector_url}/v1/webhooks/store/{SHOPIFY_TOKEN}"
        reply = httpx.post(url, content=body, headers=headers, timeout=30)
        assert reply.status_code in {200, 503}, reply.text
        return reply.status_code == 200

    wait_for(is_done, "the customer to be erased")


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def test_a_stock_shopify_shop_fires_the_rules_about_cart_checkout_and_order(
    visitor: Shopper, shops: ShopPages, stack: Stack
) -> None:
    page, product_id = visitor.page, str(SHOPIFY_PRODUCT["id"])
    with page.expect_request("**/cart/update.js"):
        page.goto(f"{shops.url}/products/alpine-pack")
    publish(page, "product_added_to_cart", _ADD)
    # The theme's snippet names the product as the pixel and the webhooks do.
    assert visitor.wait_for_event("view_item")["product_id"] == product_id
    added = visitor.wait_for_event("add_to_cart")
    assert (added["product_id"], added["value"], added["currency"]) == (product_id, 129.0, "EUR")
    assert added["props"]["items"][0]["image"] == "http://cdn.shop.example/pack.jpg"
    wait_for_rules(visitor, "cart_abandoned")
    # The demo has a rule of its own about carts: whichever is first, a banner is there.
    expect(visitor.banner).to_be_visible(timeout=20_000)
    assert shops.cart_attributes == {"micromoment_id": visitor.anonymous_id}

    page.goto(f"{shops.url}/checkouts/cn/{CHECKOUT_TOKEN}")
    publish(page, "checkout_started", checkout())
    begun = visitor.wait_for_event("begin_checkout")
    assert (begun["value"], begun["coupon"], begun["page_type"]) == (148.9, "WELCOME10", "checkout")
    assert begun["session_id"] == added["session_id"]
    wait_for_rules(visitor, "checkout_stalled")

    publish(page, "checkout_contact_info_submitted", checkout(email="ann@example.com"))
    publish(page, "payment_info_submitted", checkout())
    order_id = 820_982_911_946_154_508
    publish(page, "checkout_completed", checkout(order={"id": f"gid://shopify/OrderIdentity/{order_id}"}))
    visitor.wait_for_event("purchase")
    attributes = [{"name": name, "value": value} for name, value in shops.cart_attributes.items()]
    order = shopify.order(note_attributes=attributes, processed_at=now(), updated_at=now(), id=order_id)
    signed = shopify.signed("orders/create", order, SHOPIFY_SECRET)
    answer = deliver(stack, "store", SHOPIFY_TOKEN, signed)
    assert [drop["reason"] for drop in answer["dropped"]] == ["duplicate"]
    assert deliver(stack, "store", SHOPIFY_TOKEN, signed)["dropped"]
    wait_for_rules(visitor, *RULES)
    visitor.wait_for_message(rule="library_post_purchase_next_days", state="pending")
    assert visitor.wait_for_event("identify", proven_by="server")["props"]["traits"]["email"] == "ann@example.com"
    assert [row["order_id"] for row in visitor.events("purchase")] == [str(order_id)]
    assert visitor.events("add_payment_info")[0]["value"] == 148.9
    redact(stack, shopify.PAYLOADS["customers/redact"])
    assert visitor.events() == []


def test_the_pixel_tells_nothing_before_the_visitor_allows_it(visitor: Shopper, shops: ShopPages) -> None:
    page = visitor.page
    page.goto(f"{shops.url}/plain/products/alpine-pack")
    publish(page, "product_viewed", {"productVariant": variant()})
    page.evaluate("window.decide({analyticsProcessingAllowed: false, marketingAllowed: false})")
    publish(page, "product_added_to_cart", _ADD)
    assert page.evaluate("Object.keys(localStorage)") == []
    page.evaluate("window.decide({analyticsProcessingAllowed: true, marketingAllowed: false})")
    publish(page, "search_submitted", {"searchResult": {"query": "poles", "productVariants": [variant(), variant()]}})
    found = visitor.wait_for_event("search")
    assert (found["search_term"], found["results"], found["page_type"]) == ("poles", 2, "product")
    assert [row["event"] for row in visitor.events()] == ["search"]
    # Without our snippet in the theme, the pixel makes an id that is as good as the snippet's.
    assert not visitor.anonymous_id.startswith("~")
    publish(page, "page_viewed", {})
    publish(page, "product_viewed", {"productVariant": variant()})
    viewed = visitor.wait_for_event("view_item")
    assert (viewed["product_id"], viewed["name"], viewed["price"]) == (str(SHOPIFY_PRODUCT["id"]), "Alpine pack", 129.0)
    assert visitor.wait_for_event("page_view")["path"] == "/plain/products/alpine-pack"


def test_a_stock_woocommerce_shop_fires_the_rules_about_cart_checkout_and_order(
    visitor: Shopper, shops: ShopPages, stack: Stack
) -> None:
    page = visitor.page
    item = {"product_id": "93", "name": "Alpine pack", "category": "Packs", "price": 129, "quantity": 1}
    ecommerce = {"value": 129, "currency": "EUR", "items": [item]}

    def push(event: str, **others: object) -> None:
        entry = {"event": event, "ecommerce": ecommerce | others}
        page.evaluate("entry => window.dataLayer.push(entry)", entry)

    with page.expect_response("**/v1/stream*"):
        page.goto(f"{shops.url}/woo/product/alpine-pack")
    push("add_to_cart")
    assert visitor.wait_for_event("view_item")["product_id"] == "93"
    assert visitor.wait_for_event("add_to_cart")["product_id"] == "93"
    wait_for_rules(visitor, "cart_abandoned")
    # The demo has a rule of its own about carts: whichever is first, a banner is there.
    expect(visitor.banner).to_be_visible(timeout=20_000)
    page.goto(f"{shops.url}/woo/checkout")
    push("begin_checkout")
    wait_for_rules(visitor, "checkout_stalled")
    page.goto(f"{shops.url}/woo/checkout/order-received/727")
    push("purchase", transaction_id="1727")
    visitor.wait_for_event("purchase")
    meta = [{"id": 1, "key": "_micromoment_id", "value": visitor.anonymous_id}]
    order = woo.order(meta_data=meta, date_paid_gmt=now().removesuffix("Z"), date_modified_gmt=now().removesuffix("Z"))
    shop_of = {"x-wc-webhook-source": f"{shops.url}/"}
    answer = deliver(stack, "woo", WOO_TOKEN, woo.signed("order.created", order, WOO_SECRET, **shop_of))
    assert [drop["reason"] for drop in answer["dropped"]] == ["duplicate"]
    wait_for_rules(visitor, *RULES)
    visitor.wait_for_message(rule="library_post_purchase_next_days", state="pending")
    assert [row["order_id"] for row in visitor.events("purchase")] == ["1727"]
