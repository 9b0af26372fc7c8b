"""What WooCommerce's webhooks become."""

from __future__ import annotations

import pytest

from collector.intake.draft import DropReason
from collector.platforms.platform import PrivacyRequest, Translation
from tests.collector.platforms.shopify_payloads import BROWSER
from tests.collector.platforms.translating import facts, rows, told, translated
from tests.collector.platforms.woocommerce_payloads import PAYLOADS, SITE, customer, order, product
from warehouse.event import EventRow


def becomes(topic: str, payload: object) -> Translation:
    return translated(SITE, topic, payload)


def only(event: str, translation: Translation) -> EventRow:
    (row,) = [row for row in rows(translation, SITE) if row.event == event]
    return row


def test_an_order_that_is_paid_is_a_purchase_of_its_browser() -> None:
    translation = becomes("order.created", order())
    assert told(translation, SITE) == [("purchase", BROWSER), ("identify", BROWSER)]
    row = only("purchase", translation)
    assert (row.order_id, row.value, row.currency, row.coupon) == ("1727", 128.9, "EUR", "welcome5")
    assert (row.ts, row.country, row.device) == ("2026-11-22 11:59:00.000", "AT", "desktop")
    assert facts(row)["items"] == [
        {"product_id": "93", "sku": "PACK-40", "name": "Alpine pack", "price": 129.0, "quantity": 1.0}
    ]
    assert facts(only("identify", translation))["traits"]["email"] == "ann@example.com"


@pytest.mark.parametrize(
    ("status", "paid_at", "events"),
    [
        ("pending", None, []),
        ("on-hold", None, []),
        ("failed", None, []),
        ("checkout-draft", None, []),
        ("processing", None, ["purchase", "identify"]),
        ("processing", "2026-11-22T11:59:00", ["purchase", "identify"]),
        ("completed", "2026-11-22T11:59:00", ["purchase", "identify"]),
        ("shipped-by-a-plugin", "2026-11-22T11:59:00", ["purchase", "identify"]),
        ("cancelled", None, ["order_cancelled"]),
        ("cancelled", "2026-11-22T11:59:00", ["purchase", "identify", "order_cancelled", "refund"]),
        ("refunded", "2026-11-22T11:59:00", ["purchase", "identify", "refund"]),
    ],
)
def test_what_a_status_says(status: str, paid_at: str | None, events: list[str]) -> None:
    translation = becomes("order.updated", order(status=status, date_paid_gmt=paid_at))
    assert [event for event, _ in told(translation, SITE)] == events
    assert [drop.reason for drop in translation.drops] == ([] if events else [DropReason.UNPAID])


def test_refunds_are_told_one_by_one_and_what_is_left_when_all_is_undone() -> None:
    part = [{"id": 801, "reason": "bent", "total": "-28.90"}]
    partly = becomes("order.updated", order(status="completed", refunds=part))
    row = only("refund", partly)
    assert (facts(row)["refund_id"], row.order_id, row.value) == ("801", "1727", 28.9)
    wholly = becomes("order.updated", order(status="refunded", refunds=part))
    assert [row.value for row in rows(wholly, SITE) if row.event == "refund"] == [28.9, 100.0]
    both = [*part, {"id": 802, "reason": "", "total": "-100.00"}]
    settled = becomes("order.updated", order(status="refunded", refunds=both))
    assert [row.value for row in rows(settled, SITE) if row.event == "refund"] == [28.9, 100.0]


def test_every_delivery_about_an_order_tells_of_the_same_purchase() -> None:
    ids = {
        (row.event_id, row.visitor_id, row.ts)
        for topic, status in (("order.created", "processing"), ("order.updated", "completed"))
        for row in [only("purchase", becomes(topic, order(status=status)))]
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("customer_id", "meta", "anonymous_id", "user_id"),
    [
        (0, {"_micromoment_id": BROWSER}, BROWSER, ""),
        (25, {"_micromoment_id": BROWSER, "_micromoment_user": "25"}, BROWSER, "25"),
        (25, {"_micromoment_id": BROWSER, "_micromoment_user": "26"}, BROWSER, ""),
        (25, {"_micromoment_id": BROWSER}, BROWSER, ""),
        (25, {}, "", "25"),
        (0, {}, "woocommerce-order-1727", ""),
        (0, {"_micromoment_id": "0"}, "woocommerce-order-1727", ""),
    ],
)
def test_a_browser_is_joined_only_to_who_was_logged_in(
    customer_id: int, meta: dict[str, str], anonymous_id: str, user_id: str
) -> None:
    attributes = [{"id": 1, "key": key, "value": value} for key, value in meta.items()]
    row = only("purchase", becomes("order.created", order(customer_id=customer_id, meta_data=attributes)))
    assert (row.anonymous_id, row.user_id) == (anonymous_id, user_id)


def test_customers() -> None:
    new = becomes("customer.created", customer())
    assert told(new, SITE) == [("identify", "25"), ("sign_up", "25")]
    assert facts(only("identify", new))["traits"]["phone"] == "+4915112345678"
    assert becomes("customer.deleted", PAYLOADS["customer.deleted"]).request == PrivacyRequest("erase", "25")
    nobody = becomes("customer.updated", customer(id=0))
    assert [drop.reason for drop in nobody.drops] == [DropReason.MALFORMED]


def test_a_topic_that_nobody_understands_is_dropped_by_name() -> None:
    (drop,) = becomes("coupon.created", {"id": 1}).drops
    assert (drop.reason, "coupon.created" in drop.detail) == (DropReason.UNKNOWN_TOPIC, True)


def test_a_product_is_described() -> None:
    (row,) = rows(becomes("product.updated", PAYLOADS["product.updated"]), SITE)
    assert (row.event, row.source, row.product_id, row.name) == ("product_updated", "import", "93", "Alpine pack")
    assert (row.category, row.price, row.url) == ("Packs", 129.0, "https://shop.example/product/alpine-pack/")
    assert facts(row)["stock"] == 7.0
    (sold_out,) = rows(becomes("product.updated", product(stock_status="outofstock", stock_quantity=0)), SITE)
    assert (facts(sold_out)["is_for_sale"], facts(sold_out)["stock"]) == (False, 0.0)
