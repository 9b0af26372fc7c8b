"""What Shopify's webhooks become."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector.intake.draft import DropReason
from collector.platforms.platform import PrivacyRequest, Translation, Who
from tests.collector.platforms.shopify_payloads import (
    BROWSER,
    LARGE_ID,
    PAYLOADS,
    SITE,
    cart,
    checkout,
    customer,
    line,
    order,
    product,
    refund,
)
from tests.collector.platforms.translating import facts, rows, told, translated
from warehouse.event import EventRow

CUSTOMER = "706405506930370084"
ORDER = "820982911946154508"


def becomes(topic: str, payload: object, **around: Any) -> Translation:
    return translated(SITE, topic, payload, **around)


def only(event: str, translation: Translation) -> EventRow:
    (row,) = [row for row in rows(translation, SITE) if row.event == event]
    return row


def reasons(translation: Translation) -> list[DropReason]:
    return [drop.reason for drop in translation.drops]


def test_an_order_is_a_purchase_with_all_that_it_says() -> None:
    row = only("purchase", becomes("orders/create", order()))
    assert (row.order_id, row.value, row.currency, row.coupon) == (ORDER, 148.9, "EUR", "WELCOME10")
    assert (row.ts, row.visitor_id, row.user_id) == ("2026-11-22 11:59:30.000", BROWSER, "")
    assert (row.country, row.region, row.locale, row.device) == ("AT", "9", "de-DE", "mobile")
    assert (row.utm_source, row.utm_medium, row.utm_campaign) == ("news", "email", "autumn")
    assert row.referrer == "https://news.example/"
    said = facts(row)
    assert said["presentment_value"] == 160.81
    assert (said["presentment_currency"], said["tax"], said["shipping"], said["discount"]) == ("USD", 23.77, 4.9, 10.0)
    pack, pole = said["items"]
    assert pack == {
        "product_id": str(LARGE_ID),
        "variant_id": "39072856",
        "sku": "PACK-40",
        "name": "Alpine pack",
        "variant": "green",
        "brand": "Packs & Poles",
        "price": 129.0,
        "quantity": 1.0,
    }
    assert (pole["product_id"], pole["quantity"]) == ("632910392", 2.0)


def test_every_topic_about_an_order_tells_of_the_same_purchase() -> None:
    ids = {
        (row.event_id, row.visitor_id, row.ts)
        for topic in ("orders/create", "orders/paid", "orders/updated", "orders/fulfilled")
        for row in [only("purchase", becomes(topic, order(updated_at="2026-11-22T11:59:59Z")))]
    }
    assert len(ids) == 1


def test_an_order_joins_no_browser_to_the_customer_whose_address_was_typed() -> None:
    translation = becomes("orders/create", order())
    assert told(translation, SITE) == [
        ("purchase", BROWSER),
        ("identify", CUSTOMER),
        ("consent", CUSTOMER),
        ("identify", BROWSER),
    ]
    assert all(not (row.anonymous_id and row.user_id) for row in rows(translation, SITE))
    believing = msgspec.structs.replace(SITE, identity="off")
    row = rows(translated(believing, "orders/create", order()), believing)[0]
    assert (row.anonymous_id, row.user_id) == (BROWSER, CUSTOMER)


def test_whose_an_order_is() -> None:
    table: list[tuple[dict[str, Any], str]] = [
        ({"note_attributes": []}, CUSTOMER),
        ({"note_attributes": [], "customer": None}, f"shopify-order-{ORDER}"),
        ({"note_attributes": [{"name": "_micromoment_id", "value": BROWSER.upper()}]}, BROWSER),
        ({"note_attributes": [{"name": "micromoment_id", "value": "guessed"}]}, CUSTOMER),
        ({"note_attributes": [{"name": ["micromoment_id"], "value": BROWSER}]}, CUSTOMER),
    ]
    for changes, visitor in table:
        assert only("purchase", becomes("orders/create", order(**changes))).visitor_id == visitor, changes


def test_an_id_of_a_browser_that_can_be_guessed_is_passed_over_with_a_warning() -> None:
    guessed = order(note_attributes=[{"name": "micromoment_id", "value": "ann"}])
    (warning, *_) = becomes("orders/create", guessed).warnings
    assert "micromoment_id is not the id of a browser" in warning.detail
    assert "ann" not in warning.detail


def test_who_orders_as_a_guest_can_be_written_to_about_the_order() -> None:
    row = rows(becomes("orders/create", order()), SITE)[-1]
    assert facts(row)["traits"] == {
        "email": "ann@example.com",
        "phone": "+4915112345678",
        "first_name": "Ann",
        "last_name": "Arbor",
    }
    assert facts(row)["proven_by"] == "server"


def test_a_cancelled_order_gives_back_what_was_never_paid() -> None:
    at = "2026-11-22T12:59:55+01:00"
    unpaid = becomes("orders/cancelled", order(cancelled_at=at, financial_status="voided"))
    assert told(unpaid, SITE) == [("order_cancelled", BROWSER), ("refund", BROWSER)]
    row = only("refund", unpaid)
    assert (row.order_id, row.value, row.currency) == (ORDER, 148.9, "EUR")
    paid = becomes("orders/updated", order(cancelled_at=at, financial_status="refunded"))
    assert told(paid, SITE) == [("order_cancelled", BROWSER)]


def test_a_refund_is_its_orders_buyers_and_worth_what_was_given_back() -> None:
    row = only("refund", becomes("refunds/create", refund(), owner=Who(BROWSER)))
    assert (row.visitor_id, row.order_id, row.value, row.currency) == (BROWSER, ORDER, 12.5, "EUR")
    assert facts(row)["items"][0]["quantity"] == 1.0
    assert facts(row)["refund_id"] == "890088186047892319"


def test_a_refund_before_its_order_comes_again_and_after_a_while_counts_as_nobodys() -> None:
    early = becomes("refunds/create", refund())
    assert (early.messages, early.come_again) == ([], f"order {ORDER}, which the refund is of, is not known yet")
    late = becomes("refunds/create", refund(processed_at="2026-11-22T11:40:00Z"))
    assert told(late, SITE) == [("refund", f"shopify-order-{ORDER}")]
    assert [warning.reason for warning in late.warnings] == ["order_unknown"]


def test_an_order_that_is_history_is_left_to_the_import() -> None:
    old = becomes("orders/updated", order(processed_at="2026-11-01T00:00:00Z"))
    assert (old.messages, reasons(old)) == ([], [DropReason.TOO_OLD])
    assert "micromoment import" in old.drops[0].detail


def test_a_checkout_begins_for_its_browser_and_believes_no_address() -> None:
    assert told(becomes("checkouts/create", checkout()), SITE) == [("begin_checkout", BROWSER)]
    known = becomes("checkouts/update", checkout(note_attributes=[], customer=customer()))
    assert told(known, SITE)[0] == ("begin_checkout", CUSTOMER)
    nobody = becomes("checkouts/create", checkout(note_attributes=[]))
    assert reasons(nobody) == [DropReason.NO_VISITOR]
    over = becomes("checkouts/update", checkout(completed_at="2026-11-22T11:59:59Z"))
    assert reasons(over) == [DropReason.TOLD_ELSEWHERE]


def test_a_cart_of_nobody_is_dropped_with_the_remedy() -> None:
    nobody = becomes("carts/update", cart())
    assert reasons(nobody) == [DropReason.NO_VISITOR]
    assert "pixel" in nobody.drops[0].detail
    assert told(becomes("carts/update", PAYLOADS["carts/update"]), SITE) == [("cart_updated", BROWSER)]


def test_a_customer_is_who_shopify_says() -> None:
    new = becomes("customers/create", customer())
    assert told(new, SITE) == [("identify", CUSTOMER), ("consent", CUSTOMER), ("sign_up", CUSTOMER)]
    guest = becomes("customers/create", customer(state="disabled"))
    assert ("sign_up", CUSTOMER) not in told(guest, SITE)
    row = only("identify", new)
    assert facts(row)["traits"]["email"] == "Ann@example.com"
    assert row.ts == "2026-11-22 11:59:40.000"


def test_an_older_state_of_a_customer_that_comes_late_is_older() -> None:
    newer, older = (
        only("identify", becomes("customers/update", customer(updated_at=at, first_name=name)))
        for at, name in (("2026-11-22T11:59:00Z", "Anna"), ("2026-11-22T11:58:00Z", "Ann"))
    )
    assert older.ts < newer.ts
    assert older.event_id != newer.event_id


@pytest.mark.parametrize(
    ("state", "at", "events", "warned"),
    [
        ("subscribed", "2026-03-01T08:05:00Z", [("consent", "2026-03-01 08:05:00.000")], 0),
        ("SUBSCRIBED", "2026-03-01T08:05:00Z", [("consent", "2026-03-01 08:05:00.000")], 0),
        ("subscribed", None, [], 1),
        ("unsubscribed", "2026-11-22T11:00:00Z", [("unsubscribed", "2026-11-22 11:00:00.000")], 0),
        ("unsubscribed", None, [("unsubscribed", "2026-11-22 11:59:40.000")], 0),
        ("not_subscribed", None, [], 0),
        ("pending", "2026-03-01T08:05:00Z", [], 0),
        ("redacted", None, [], 0),
        ("yes", None, [], 1),
    ],
)
def test_an_answer_about_offers_counts_from_when_it_was_given(
    state: str, at: str | None, events: list[tuple[str, str]], warned: int
) -> None:
    answer = {"state": state, "opt_in_level": "single_opt_in", "consent_updated_at": at}
    translation = becomes("customers/update", customer(email_marketing_consent=answer))
    answers = [(row.event, row.ts) for row in rows(translation, SITE) if row.event != "identify"]
    assert (answers, len(translation.warnings)) == (events, warned)


def test_a_change_of_an_answer_is_told_with_its_address() -> None:
    left = becomes("customers_email_marketing_consent/update", PAYLOADS["customers_email_marketing_consent/update"])
    assert [(row.event, facts(row).get("channel")) for row in rows(left, SITE)] == [
        ("identify", None),
        ("unsubscribed", "email"),
    ]
    texts = becomes("customers_marketing_consent/update", PAYLOADS["customers_marketing_consent/update"])
    row = only("consent", texts)
    assert (facts(row)["channels"], facts(row)["source"], facts(row)["proven_by"]) == (
        {"sms": True},
        "shopify",
        "server",
    )


def test_what_is_asked_about_a_persons_data() -> None:
    table = {
        "customers/delete": PrivacyRequest("erase", CUSTOMER),
        "customers/redact": PrivacyRequest("erase", CUSTOMER, "ann@example.com"),
        "customers/data_request": PrivacyRequest("data_request", CUSTOMER, number="9999"),
        "shop/redact": PrivacyRequest("shop_redact", number="954889"),
    }
    assert {topic: becomes(topic, PAYLOADS[topic]).request for topic in table} == table


def test_a_topic_that_nobody_understands_is_dropped_by_name() -> None:
    (drop,) = becomes("inventory_levels/update", {"id": 1}).drops
    assert drop.reason is DropReason.UNKNOWN_TOPIC
    assert drop.detail.startswith("topic 'inventory_levels/update' is not understood; these are: orders/create")


def test_a_product_is_described_and_is_nobodys_news() -> None:
    told = becomes("products/update", PAYLOADS["products/update"])
    (row,) = rows(told, SITE)
    assert (row.event, row.source, row.visitor_id, row.ts) == (
        "product_updated",
        "import",
        "catalogue",
        "2026-11-22 11:30:00.000",
    )
    assert (row.product_id, row.name, row.category, row.price) == (str(LARGE_ID), "Alpine pack", "Packs", 129.0)
    assert row.url == "/products/alpine-pack"
    assert facts(row) == {
        "brand": "Packs & Poles",
        "sku": "PACK-40",
        "image": "https://cdn.shopify.com/s/files/1/pack.jpg",
        "stock": 7.0,
        "is_for_sale": True,
    }
    (hidden,) = rows(becomes("products/update", product(status="draft", variants=None)), SITE)
    assert (hidden.price, facts(hidden)["is_for_sale"]) == (None, False)


def test_an_order_of_any_number_of_lines_is_kept_and_what_is_left_out_is_told() -> None:
    for count, kept, said in (
        (50, 50, ""),
        (51, 51, "is long: its lines are kept"),
        (700, 100, "100 of 700 lines are kept"),
    ):
        lines = [line(product_id=LARGE_ID - place, title="Alpine pack " * 8) for place in range(count)]
        told = becomes("orders/create", order(line_items=lines))
        items = facts(only("purchase", told))["items"]
        assert (len(items), items[-1]["product_id"]) == (kept, str(LARGE_ID - kept + 1))
        assert ("name" in items[0]) == (not said)
        assert [said in warning.detail for warning in told.warnings] == ([True] if said else [])


def test_a_person_without_an_id_is_erased_by_their_address() -> None:
    asked = becomes("customers/redact", {"customer": {"id": None, "email": "Ann@example.com"}})
    assert asked.request == PrivacyRequest("erase", "", "ann@example.com")
    nobody = becomes("customers/redact", {"customer": {"id": None, "email": None}})
    assert (nobody.request, reasons(nobody)) == (None, [DropReason.MALFORMED])
