"""What a Shopify shop posts, after Shopify's public documentation: a made-up shop, made-up people."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any, Final

from collector.sites import ShopWebhook, Site
from warehouse.browser_id import make_browser_id

SECRET: Final = "the secret that Shopify shows"
TOKEN: Final = "token-of-the-shopify-webhook"
SHOP_DOMAIN: Final = "packs-and-poles.myshopify.com"
WEBHOOK: Final = ShopWebhook("store", "shopify", TOKEN, (SECRET.encode(),), SHOP_DOMAIN)
SITE: Final = Site("shop", "shop-key", identity="required", identity_secrets=(b"identity",), webhooks=(WEBHOOK,))
PATH: Final = f"/v1/webhooks/store/{TOKEN}"
#: 2026-11-22T11:58:20Z
BROWSER: Final = make_browser_id(1_795_348_700_000, "0123456789abcdef0123456789abcdef")
#: More digits than a float holds.
LARGE_ID: Final = 9_172_938_475_610_293_847


def signed(topic: str, payload: object, secret: str = SECRET, **headers: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a delivery."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    usual = {
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-shop-domain": SHOP_DOMAIN,
        "x-shopify-hmac-sha256": signature,
        "x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "x-shopify-api-version": "2026-04",
    }
    return body, usual | headers


def customer(**changes: Any) -> dict[str, Any]:
    """A customer who agreed to mails in spring, and never to text messages."""
    usual = {
        "id": 706_405_506_930_370_084,
        "email": "Ann@example.com",
        "created_at": "2026-03-01T09:00:00+01:00",
        "updated_at": "2026-11-22T12:59:40+01:00",
        "first_name": "Ann",
        "last_name": "Arbor",
        "state": "enabled",
        "verified_email": True,
        "phone": "+4915112345678",
        "currency": "EUR",
        "tags": "loyal",
        "default_address": {"id": 1, "country_code": "DE", "phone": "+49301234567"},
        "email_marketing_consent": {
            "state": "subscribed",
            "opt_in_level": "confirmed_opt_in",
            "consent_updated_at": "2026-03-01T09:05:00+01:00",
        },
        "sms_marketing_consent": {
            "state": "not_subscribed",
            "opt_in_level": "single_opt_in",
            "consent_updated_at": None,
        },
    }
    return usual | changes


def money(amount: str, presented: str, currency: str = "USD") -> dict[str, Any]:
    """An amount in the shop's currency and in the one that the buyer saw."""
    return {
        "shop_money": {"amount": amount, "currency_code": "EUR"},
        "presentment_money": {"amount": presented, "currency_code": currency},
    }


def line(**changes: Any) -> dict[str, Any]:
    """A line of an order."""
    usual = {
        "id": 466_157_049,
        "product_id": LARGE_ID,
        "variant_id": 39_072_856,
        "sku": "PACK-40",
        "title": "Alpine pack",
        "name": "Alpine pack - green",
        "variant_title": "green",
        "vendor": "Packs & Poles",
        "price": "129.00",
        "quantity": 1,
        "taxable": True,
    }
    return usual | changes


def order(**changes: Any) -> dict[str, Any]:
    """An order of two products with a discount code, paid in dollars in a shop that reckons in euros."""
    usual = {
        "id": 820_982_911_946_154_508,
        "name": "#9999",
        "order_number": 1234,
        "email": "ann@example.com",
        "phone": None,
        "created_at": "2026-11-22T12:59:30+01:00",
        "processed_at": "2026-11-22T12:59:30+01:00",
        "updated_at": "2026-11-22T12:59:40+01:00",
        "cancelled_at": None,
        "cancel_reason": None,
        "currency": "EUR",
        "presentment_currency": "USD",
        "total_price": "148.90",
        "total_price_set": money("148.90", "160.81"),
        "total_tax": "23.77",
        "total_discounts": "10.00",
        "total_shipping_price_set": money("4.90", "5.29"),
        "financial_status": "paid",
        "discount_codes": [{"code": "WELCOME10", "amount": "10.00", "type": "fixed_amount"}],
        "note_attributes": [{"name": "gift", "value": "yes"}, {"name": "micromoment_id", "value": BROWSER}],
        "landing_site": "/collections/packs?utm_source=news&utm_medium=email&utm_campaign=autumn",
        "referring_site": "https://news.example/",
        "source_name": "web",
        "test": False,
        "customer_locale": "de-DE",
        "client_details": {"user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148"},
        "billing_address": {"first_name": "Ann", "last_name": "Arbor", "phone": "+4915112345678", "country_code": "DE"},
        "shipping_address": {"first_name": "Ann", "country_code": "AT", "province_code": "9"},
        "customer": customer(),
        "line_items": [line(), line(product_id=632_910_392, sku="POLE", title="Pole", price="12.50", quantity=2)],
        "refunds": [],
    }
    return usual | changes


def refund(**changes: Any) -> dict[str, Any]:
    """A refund of one of the poles."""
    usual = {
        "id": 890_088_186_047_892_319,
        "order_id": 820_982_911_946_154_508,
        "created_at": "2026-11-22T12:59:50+01:00",
        "processed_at": "2026-11-22T12:59:50+01:00",
        "note": "bent",
        "refund_line_items": [
            {"id": 1, "quantity": 1, "subtotal": "12.50", "line_item": line(product_id=632_910_392, quantity=2)}
        ],
        "transactions": [
            {"id": 2, "amount": "12.50", "currency": "EUR", "kind": "refund", "status": "success"},
            {"id": 3, "amount": "99.00", "currency": "EUR", "kind": "refund", "status": "failure"},
        ],
    }
    return usual | changes


def checkout(**changes: Any) -> dict[str, Any]:
    """A checkout that somebody began."""
    usual = {
        "id": 981_820_079_255_243_537,
        "token": "123123123",
        "cart_token": "eeafa272cebfd4b22385bc4b645e762c",
        "email": "ann@example.com",
        "created_at": "2026-11-22T12:59:00+01:00",
        "updated_at": "2026-11-22T12:59:10+01:00",
        "completed_at": None,
        "currency": "EUR",
        "total_price": "129.00",
        "note_attributes": [{"name": "micromoment_id", "value": BROWSER}],
        "line_items": [line()],
        "discount_codes": [],
        "customer": None,
    }
    return usual | changes


def cart(**changes: Any) -> dict[str, Any]:
    """A cart, which names nobody."""
    usual = {
        "id": "eeafa272cebfd4b22385bc4b645e762c",
        "token": "eeafa272cebfd4b22385bc4b645e762c",
        "line_items": [line()],
        "note": None,
        "updated_at": "2026-11-22T11:59:00.000Z",
        "created_at": "2026-11-22T11:58:00.000Z",
    }
    return usual | changes


def product(**changes: Any) -> dict[str, Any]:
    """A product that is for sale."""
    usual = {
        "id": LARGE_ID,
        "title": "Alpine pack",
        "vendor": "Packs & Poles",
        "product_type": "Packs",
        "handle": "alpine-pack",
        "status": "active",
        "created_at": "2025-03-01T09:00:00+01:00",
        "updated_at": "2026-11-22T12:30:00+01:00",
        "image": {"id": 1, "src": "https://cdn.shopify.com/s/files/1/pack.jpg"},
        "variants": [
            {"id": 39_072_856, "sku": "PACK-40", "price": "129.00", "inventory_quantity": 3},
            {"id": 39_072_857, "sku": "PACK-50", "price": "149.00", "inventory_quantity": 4},
        ],
    }
    return usual | changes


#: By topic, a payload of each kind that is understood.
PAYLOADS: Final[dict[str, dict[str, Any]]] = {
    "orders/create": order(),
    "orders/paid": order(),
    "orders/updated": order(),
    "orders/fulfilled": order(),
    "orders/cancelled": order(
        cancelled_at="2026-11-22T12:59:55+01:00", cancel_reason="customer", financial_status="voided"
    ),
    "refunds/create": refund(),
    "checkouts/create": checkout(),
    "checkouts/update": checkout(),
    "carts/create": cart(note_attributes=[{"name": "__micromoment_id", "value": BROWSER}]),
    "carts/update": cart(note_attributes=[{"name": "__micromoment_id", "value": BROWSER}]),
    "customers/create": customer(),
    "customers/update": customer(),
    "customers/enable": customer(),
    "customers/disable": customer(state="disabled"),
    "customers/delete": {"id": 706_405_506_930_370_084},
    "customers/redact": {
        "shop_id": 954_889,
        "shop_domain": SHOP_DOMAIN,
        "customer": {"id": 706_405_506_930_370_084, "email": "ann@example.com", "phone": None},
        "orders_to_redact": [820_982_911_946_154_508],
    },
    "customers/data_request": {
        "shop_id": 954_889,
        "shop_domain": SHOP_DOMAIN,
        "orders_requested": [820_982_911_946_154_508],
        "customer": {"id": 706_405_506_930_370_084, "email": "ann@example.com", "phone": None},
        "data_request": {"id": 9999},
    },
    "shop/redact": {"shop_id": 954_889, "shop_domain": SHOP_DOMAIN},
    "products/create": product(),
    "products/update": product(),
    "customers_email_marketing_consent/update": {
        "customer_id": 706_405_506_930_370_084,
        "email_address": "ann@example.com",
        "email_marketing_consent": {
            "state": "unsubscribed",
            "opt_in_level": "confirmed_opt_in",
            "consent_updated_at": "2026-11-22T12:59:00+01:00",
        },
    },
    "customers_marketing_consent/update": {
        "id": 706_405_506_930_370_084,
        "phone": "+4915112345678",
        "sms_marketing_consent": {
            "state": "subscribed",
            "opt_in_level": "single_opt_in",
            "consent_updated_at": "2026-11-22T12:59:00+01:00",
            "consent_collected_from": "other",
        },
    },
}
