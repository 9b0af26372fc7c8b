"""Shopify as a platform: its signature, its topics, and who tells of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from collector.platforms.platform import (
    Circumstances,
    Envelope,
    Teller,
    Translation,
    base64_signature_fits,
    object_of,
    translation_of,
)
from collector.platforms.shopify.carts import tell_cart, tell_checkout, tell_product
from collector.platforms.shopify.orders import tell_cancelled, tell_order, tell_refund
from collector.platforms.shopify.people import (
    ask_for_data,
    ask_to_erase,
    ask_to_redact,
    ask_to_redact_shop,
    tell_change,
    tell_customer,
    tell_new_customer,
)
from collector.sites import ShopWebhook

_TELLERS: Final[Mapping[str, Teller]] = {
    "orders/create": tell_order,
    "orders/paid": tell_order,
    "orders/updated": tell_order,
    "orders/fulfilled": tell_order,
    "orders/cancelled": tell_cancelled,
    "refunds/create": tell_refund,
    "checkouts/create": tell_checkout,
    "checkouts/update": tell_checkout,
    "carts/create": tell_cart,
    "carts/update": tell_cart,
    "customers/create": tell_new_customer,
    "customers/update": tell_customer,
    "customers/enable": tell_customer,
    "customers/disable": tell_customer,
    "customers/delete": ask_to_erase,
    "customers/redact": ask_to_redact,
    "customers/data_request": ask_for_data,
    "shop/redact": ask_to_redact_shop,
    "products/create": tell_product,
    "products/update": tell_product,
    "customers_marketing_consent/update": tell_change,
    "customers_email_marketing_consent/update": tell_change,
}


class Shopify:
    """Shopify: `X-Shopify-Hmac-Sha256` is the HMAC-SHA256 of the body, in base64, by a secret that Shopify shows."""

    shop_chooses_secret: Final = False
    topics: Final = tuple(_TELLERS)

    def envelope(self, headers: Mapping[str, str]) -> Envelope:
        """Return topic and shop."""
        return Envelope(headers.get("x-shopify-topic", ""), headers.get("x-shopify-shop-domain", ""))

    def is_genuine(self, webhook: ShopWebhook, headers: Mapping[str, str], body: bytes, now_ms: int) -> bool:  # noqa: ARG002 - no time is signed
        """Tell whether a body was signed with a secret of the webhook."""
        return base64_signature_fits(webhook, headers.get("x-shopify-hmac-sha256", ""), body)

    def is_greeting(self, headers: Mapping[str, str], body: bytes) -> bool:  # noqa: ARG002 - it has none
        """Return False: Shopify signs all it sends."""
        return False

    def order_wanted(self, topic: str, payload: object) -> str:
        """Return the order of a refund, which itself names no buyer."""
        return object_of(payload, []).text("order_id") if topic == "refunds/create" else ""

    def translate(self, topic: str, payload: object, around: Circumstances) -> Translation:
        """Return what a payload becomes."""
        return translation_of(_TELLERS, topic, payload, around)
