"""What a WooCommerce shop posts, after WooCommerce's public documentation: a made-up shop, made-up people."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any, Final

from collector.sites import ShopWebhook, Site
from tests.collector.platforms.shopify_payloads import BROWSER

SECRET: Final = "the secret that the shop chose"
TOKEN: Final = "token-of-the-woo-webhook"
WEBHOOK: Final = ShopWebhook("woo", "woocommerce", TOKEN, (SECRET.encode(), b"the secret before"), "shop.example")
SITE: Final = Site("shop", "shop-key", identity="required", identity_secrets=(b"identity",), webhooks=(WEBHOOK,))
PATH: Final = f"/v1/webhooks/woo/{TOKEN}"


def signed(topic: str, payload: object, secret: str = SECRET, **headers: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a delivery."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    usual = {
        "content-type": "application/json",
        "x-wc-webhook-source": "https://shop.example/",
        "x-wc-webhook-topic": topic,
        "x-wc-webhook-resource": topic.partition(".")[0],
        "x-wc-webhook-event": topic.partition(".")[2],
        "x-wc-webhook-signature": base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode(),
        "x-wc-webhook-id": "5",
        "x-wc-webhook-delivery-id": "36e520ebabc2fa725092ff4a47acedf2",
    }
    return body, usual | headers


def order(**changes: Any) -> dict[str, Any]:
    """An order of a guest's browser, paid a minute ago."""
    usual = {
        "id": 727,
        "parent_id": 0,
        "number": "1727",
        "order_key": "wc_order_58d2d042d1d",
        "created_via": "checkout",
        "status": "processing",
        "currency": "EUR",
        "date_created": "2026-11-22T12:58:00",
        "date_created_gmt": "2026-11-22T11:58:00",
        "date_modified_gmt": "2026-11-22T11:59:30",
        "date_paid_gmt": "2026-11-22T11:59:00",
        "discount_total": "5.00",
        "shipping_total": "4.90",
        "total": "128.90",
        "total_tax": "20.58",
        "customer_id": 0,
        "customer_user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        "billing": {
            "first_name": "Ann",
            "last_name": "Arbor",
            "email": "ann@example.com",
            "phone": "+4915112345678",
            "country": "DE",
            "state": "BE",
        },
        "shipping": {"first_name": "Ann", "country": "AT", "state": ""},
        "payment_method": "stripe",
        "meta_data": [
            {"id": 1, "key": "_stripe_intent", "value": {"id": "pi_1"}},
            {"id": 2, "key": "_micromoment_id", "value": BROWSER},
        ],
        "line_items": [
            {"id": 315, "name": "Alpine pack", "product_id": 93, "variation_id": 0, "quantity": 1, "total": "129.00",
             "sku": "PACK-40", "price": 129}
        ],
        "coupon_lines": [{"id": 9, "code": "welcome5", "discount": "5.00"}],
        "refunds": [],
    }  # fmt: skip
    return usual | changes


def customer(**changes: Any) -> dict[str, Any]:
    """A customer with an account."""
    usual = {
        "id": 25,
        "date_created_gmt": "2026-11-22T11:50:00",
        "date_modified_gmt": "2026-11-22T11:59:00",
        "email": "ann@example.com",
        "first_name": "Ann",
        "last_name": "Arbor",
        "role": "customer",
        "username": "ann",
        "billing": {"phone": "+4915112345678", "country": "DE"},
        "is_paying_customer": False,
    }
    return usual | changes


def product(**changes: Any) -> dict[str, Any]:
    """A product that is for sale."""
    usual = {
        "id": 93,
        "name": "Alpine pack",
        "permalink": "https://shop.example/product/alpine-pack/",
        "date_created_gmt": "2025-03-01T08:00:00",
        "date_modified_gmt": "2026-11-22T11:30:00",
        "status": "publish",
        "sku": "PACK-40",
        "price": "129.00",
        "stock_quantity": 7,
        "stock_status": "instock",
        "categories": [{"id": 9, "name": "Packs", "slug": "packs"}],
        "images": [{"id": 794, "src": "https://shop.example/pack.jpg"}],
    }
    return usual | changes


#: By topic, a payload of each kind that is understood.
PAYLOADS: Final[dict[str, dict[str, Any]]] = {
    "order.created": order(),
    "order.updated": order(status="completed", refunds=[{"id": 801, "reason": "bent", "total": "-12.50"}]),
    "order.restored": order(),
    "customer.created": customer(),
    "customer.updated": customer(),
    "customer.deleted": {"id": 25},
    "product.created": product(),
    "product.updated": product(),
    "product.restored": product(),
}
