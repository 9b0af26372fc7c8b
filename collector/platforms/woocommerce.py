"""WooCommerce's webhooks: orders by their status, customers, products; and its first, empty question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.intake.draft import DropReason
from collector.platforms.facts import attribute_of, browser_of, digest_of, is_history, present, short_items, traits_of
from collector.platforms.fields import PayloadFields
from collector.platforms.platform import (
    Circumstances,
    Envelope,
    PrivacyRequest,
    Teller,
    Translation,
    Who,
    base64_signature_fits,
    translation_of,
)
from collector.sites import ShopWebhook

#: Statuses of an order that is paid, or as good as paid.
_BOUGHT: Final = frozenset({"processing", "completed"})
#: Statuses in which all that was paid is given back.
_UNDONE: Final = frozenset({"cancelled", "refunded"})
#: Written into an order by our plugin: who was logged in when it was made.
_LOGGED_IN: Final = "micromoment_user"
_GUEST: Final = ("", "0")


class WooCommerce:
    """WooCommerce: `X-WC-Webhook-Signature` is the HMAC-SHA256 of the body, in base64, by a secret of the shop."""

    shop_chooses_secret: Final = True

    def __init__(self) -> None:
        self.topics: Final = tuple(_TELLERS)

    def envelope(self, headers: Mapping[str, str]) -> Envelope:
        """Return topic and shop, of whose address the host counts."""
        source = headers.get("x-wc-webhook-source", "")
        return Envelope(headers.get("x-wc-webhook-topic", ""), source.partition("://")[2].partition("/")[0])

    def is_genuine(self, webhook: ShopWebhook, headers: Mapping[str, str], body: bytes, now_ms: int) -> bool:  # noqa: ARG002 - no time is signed
        """Tell whether a body was signed with a secret of the webhook."""
        return base64_signature_fits(webhook, headers.get("x-wc-webhook-signature", ""), body)

    def is_greeting(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether it is the form that WooCommerce posts when a webhook is made, `webhook_id=5`, unsigned."""
        number = body.removeprefix(b"webhook_id=")
        return number != body and number.isdigit() and "x-wc-webhook-topic" not in headers

    def order_wanted(self, topic: str, payload: object) -> str:  # noqa: ARG002 - none is
        """Return '': an order tells of its refunds itself."""
        return ""

    def translate(self, topic: str, payload: object, around: Circumstances) -> Translation:
        """Return what a payload becomes."""
        return translation_of(_TELLERS, topic, payload, around)


def _tell_order(told: Translation, order: PayloadFields, around: Circumstances) -> None:
    """Tell what the status of an order says: bought, refunded in part or in all, cancelled; or nothing yet."""
    number, status = order.text("number", "id"), order.text("status")
    message_id, paid_at = f"woocommerce-order-{number}", _utc(order.text("date_paid_gmt"))
    if not number:
        return told.drop(DropReason.MALFORMED, "the order has neither number nor id")
    if status not in _BOUGHT | _UNDONE and not paid_at:
        return told.drop(DropReason.UNPAID, f"an order that is {status[:20]!r} counts once it is paid", message_id)
    who, at = _buyer_of(order, number), paid_at or _utc(order.text("date_created_gmt"))
    if status not in _UNDONE or paid_at:
        _tell_purchase(told, order, who, at, message_id, around)
    _tell_refunds(told, order, who, number, is_undone=status in _UNDONE, was_paid=bool(paid_at))
    return None


def _tell_purchase(
    told: Translation, order: PayloadFields, who: Who, at: str, message_id: str, around: Circumstances
) -> None:
    if is_history(at, around):
        detail = f"of {at[:10]}: what is older than event_max_age_days comes by `micromoment import`"
        return told.drop(DropReason.TOO_OLD, detail, message_id)
    address = order.inner("shipping") or order.inner("billing")
    context = present(
        userAgent=order.text("customer_user_agent"),
        location=present(country=address.text("country"), region=address.text("state")),
    )
    facts = present(
        order_id=order.text("number", "id"),
        value=order.number("total"),
        currency=order.text("currency"),
        tax=order.number("total_tax"),
        shipping=order.number("shipping_total"),
        discount=order.number("discount_total"),
        coupon=",".join(code for each in order.each("coupon_lines") if (code := each.text("code"))),
        payment_type=order.text("payment_method"),
        items=short_items(order, "line_items", [_item(line) for line in order.each("line_items")]),
    )
    told.say("track:purchase", message_id, who, at, properties=facts, context=context)
    told.say("identify", f"{message_id}-buyer", who, at, traits=traits_of(order.inner("billing")))
    return None


def _tell_refunds(
    told: Translation, order: PayloadFields, who: Who, number: str, *, is_undone: bool, was_paid: bool
) -> None:
    """Tell each refund of an order, and of one that was undone, what is left of it."""
    at, currency = _utc(order.text("date_modified_gmt")), order.text("currency")
    left = order.number("total") or 0.0
    for refund in order.each("refunds"):
        refund_id, value = refund.text("id"), abs(refund.number("total") or 0.0)
        left -= value
        facts = present(
            order_id=number, refund_id=refund_id, value=value, currency=currency, note=refund.text("reason")
        )
        told.say("track:refund", f"woocommerce-refund-{refund_id}", who, at, properties=facts)
    if not is_undone:
        return
    status = order.text("status")
    if status == "cancelled":
        facts = present(order_id=number, reason=status)
        told.say("track:order_cancelled", f"woocommerce-cancelled-{number}", who, at, properties=facts)
    if was_paid and round(left, 6) > 0:
        facts = present(order_id=number, refund_id=status, value=round(left, 6), currency=currency)
        told.say("track:refund", f"woocommerce-{status}-{number}", who, at, properties=facts)


def _buyer_of(order: PayloadFields, number: str) -> Who:
    """Return whose an order is; our plugin says who was logged in, by which alone a browser is joined to a customer."""
    customer_id = order.text("customer_id")
    user_id = "" if customer_id in _GUEST else customer_id
    browser = browser_of(order.each("meta_data"), "key")
    if not browser:
        return Who(user_id=user_id) if user_id else Who(f"woocommerce-order-{number}")
    logged_in = attribute_of(order.each("meta_data"), _LOGGED_IN, "key")
    return Who(browser, user_id if logged_in == user_id else "", agreed=True)


def _item(line: PayloadFields) -> dict[str, Any]:
    variation = line.text("variation_id")
    return present(
        product_id=line.text("product_id", "sku"),
        variant_id="" if variation in _GUEST else variation,
        sku=line.text("sku"),
        name=line.text("name"),
        price=line.number("price"),
        quantity=line.number("quantity"),
    )


def _tell_customer(told: Translation, customer: PayloadFields, _: Circumstances) -> None:
    customer_id, at = customer.text("id"), _utc(customer.text("date_modified_gmt", "date_created_gmt"))
    if customer_id in _GUEST:
        return told.drop(DropReason.MALFORMED, "the customer has no id")
    traits = traits_of(customer, customer.inner("billing"))
    message_id = f"woocommerce-customer-{customer_id}-{at or digest_of(traits)}"
    told.say("identify", message_id, Who(user_id=customer_id), at, traits=traits)
    return None


def _tell_new_customer(told: Translation, customer: PayloadFields, around: Circumstances) -> None:
    _tell_customer(told, customer, around)
    customer_id, at = customer.text("id"), _utc(customer.text("date_created_gmt"))
    if customer_id not in _GUEST:
        message_id = f"woocommerce-sign-up-{customer_id}"
        told.say("track:sign_up", message_id, Who(user_id=customer_id), at, properties={"method": "woocommerce"})


def _tell_product(told: Translation, product: PayloadFields, _: Circumstances) -> None:
    product_id, at = product.text("id"), _utc(product.text("date_modified_gmt", "date_created_gmt"))
    if product_id in _GUEST or not at:
        return told.drop(DropReason.MALFORMED, "the product has no id, or no date_modified_gmt")
    facts = present(
        product_id=product_id,
        name=product.text("name"),
        category=next((each.text("name") for each in product.each("categories")), ""),
        price=product.number("price"),
        sku=product.text("sku"),
        image=next((each.text("src") for each in product.each("images")), ""),
        url=product.text("permalink"),
        stock=product.number("stock_quantity"),
        is_for_sale=product.text("status") in {"", "publish"} and product.text("stock_status") != "outofstock",
    )
    told.describe(f"woocommerce-product-{product_id}-{at}", at, facts)
    return None


def _ask_to_erase(told: Translation, customer: PayloadFields, _: Circumstances) -> None:
    customer_id = customer.text("id")
    if customer_id in _GUEST:
        return told.drop(DropReason.MALFORMED, "the customer has no id")
    told.request = PrivacyRequest("erase", customer_id, customer.text("email").lower())
    return None


def _utc(time: str) -> str:
    """Return a time that WooCommerce writes without a zone, and means in UTC."""
    return f"{time}Z" if time and time[-1].isdigit() and "+" not in time else time


_TELLERS: Final[Mapping[str, Teller]] = {
    "order.created": _tell_order,
    "order.updated": _tell_order,
    "order.restored": _tell_order,
    "customer.created": _tell_new_customer,
    "customer.updated": _tell_customer,
    "customer.deleted": _ask_to_erase,
    "product.created": _tell_product,
    "product.updated": _tell_product,
    "product.restored": _tell_product,
}
