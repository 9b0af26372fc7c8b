"""What senders write, and what rules, the gate, templates and backtests make of it: the same, on both engines."""

from __future__ import annotations

from typing import Any

import pytest

from tests.trigger_worker.as_sent import WAYS, Way, happened, identifies, sends
from tests.trigger_worker.replays import HOUR, replay
from tests.trigger_worker.shop import START_MS, Shop

BIG = 1729384756102938475
CART = "form: bar\nposition: top\ntitle: 'worth {{ cart.value }} of {{ cart.quantity }}'\ntext: x\n"
README = """\
when: add_to_cart -> no purchase within 15m
if: cart.value >= 50 and count(view_item, 7d) >= 2
send: [{banner: cart}]
"""
MARKETING = "when: page_view\nevery: 0s\nsend: [{email: reminder}]\n"
TENT = {"product_id": "tent", "name": "Tent"}


def titles(shop: Shop) -> list[str]:
    return [message.content.title for message in shop.channels["banner"].sent]  # type: ignore[attr-defined]


CARTS: list[tuple[str, dict[str, Any], float, float]] = [
    ("price and quantity", {**TENT, "price": 60, "quantity": 1}, 60, 1),
    ("without a quantity", {**TENT, "price": 60}, 60, 1),
    ("text", {**TENT, "price": "30.00", "quantity": "2"}, 60, 2),
    ("text with blanks and a currency", {**TENT, "price": " 60.00 EUR ", "quantity": " 1 "}, 60, 1),
    ("thousands", {**TENT, "price": "1,299.00"}, 1299, 1),
    ("a given value", {**TENT, "price": 10, "value": "60"}, 60, 1),
    ("GA4's items", {"currency": "EUR", "items": [{"item_id": "tent", "price": 30, "quantity": 2}]}, 60, 2),
    (
        "GA4's items as text",
        {"items": [{"item_id": "a", "price": "25"}, {"item_id": "b", "price": "20", "quantity": "2"}]},
        65,
        3,
    ),
    (
        "items, one without a price that can be read",
        {"items": [{"item_id": "a", "price": 60}, {"item_id": "b", "price": "?"}]},
        60,
        2,
    ),
    ("the flat push", {"item_id": "tent", "price": 60}, 60, 1),
    ("an id alone", {"id": "tent", "price": 60}, 60, 1),
    ("ecommerce", {"ecommerce": {"currency": "EUR", "items": [{"item_id": "tent", "price": 60}]}}, 60, 1),
    ("ecommerce with a value", {"ecommerce": {"value": 60, "items": [{"item_id": "tent"}]}}, 60, 1),
    (
        "the earlier ecommerce",
        {"ecommerce": {"currencyCode": "EUR", "add": {"products": [{"id": "tent", "price": "60.00", "quantity": 1}]}}},
        60,
        1,
    ),
    ("Segment's", {"sku": "tent", "price": 30, "quantity": 2}, 60, 2),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("fields", "value", "pieces"), [case[1:] for case in CARTS], ids=[case[0] for case in CARTS])
async def test_a_cart_is_worth_the_same_to_rules_and_to_templates(
    shop: Shop, way: Way, fields: dict[str, Any], value: float, pieces: float
) -> None:
    shop.write("templates/cart.banner.yaml", CART)
    shop.rule(
        "worth", f"when: add_to_cart\nif: cart.value == {value} and cart.items == {pieces}\nsend: [{{banner: cart}}]\n"
    )
    shop.rule(
        "never", f"when: add_to_cart\nif: cart.value != {value} or cart.items != {pieces}\nsend: [{{banner: cart}}]\n"
    )
    await shop.passes()
    sends(shop, happened("add_to_cart", **fields), way=way)
    await shop.passes(1)
    assert [rule for rule, *_ in shop.fires()] == ["worth"]
    assert titles(shop) == [f"worth {value:g} of {pieces:g}"] or titles(shop) == [
        f"worth {float(value)} of {float(pieces)}"
    ]
    if way == "stored":
        rule = f"id: worth\nwhen: add_to_cart\nif: cart.value == {value}"
        found = replay(shop.warehouse, rule, since=START_MS - HOUR, until=START_MS + HOUR)
        assert sum(len(one.firings) for one in found) == 1


async def test_the_first_rule_of_the_readme_fires_on_an_ordinary_page(shop: Shop) -> None:
    shop.write("templates/cart.banner.yaml", CART)
    shop.rule("cart_abandoned", README)
    await shop.passes()
    seen: dict[str, Any] = {"items": [{"item_id": "tent", "item_name": "Tent", "price": 60}], "currency": "EUR"}
    for event in ("view_item", "view_item", "add_to_cart"):
        shop.now_ms += 1000
        sends(shop, happened(event, **seen))
    await shop.passes(1)
    assert shop.fires() == []
    await shop.passes(15 * 60)
    assert [rule for rule, *_ in shop.fires()] == ["cart_abandoned"]
    assert titles(shop) in (["worth 60 of 1"], ["worth 60.0 of 1.0"])


@pytest.mark.parametrize(
    ("events", "value"),
    [
        ([("add_to_cart", {**TENT, "price": 60, "quantity": 2}), ("remove_from_cart", TENT)], 60),
        (
            [
                ("add_to_cart", {**TENT, "price": 60, "quantity": 2}),
                ("remove_from_cart", {**TENT, "price": 60, "quantity": -1}),
            ],
            60,
        ),
        (
            [
                ("add_to_cart", {**TENT, "price": 60, "quantity": 2}),
                ("add_to_cart", {**TENT, "price": 60, "quantity": -1}),
            ],
            60,
        ),
        ([("remove_from_cart", {"product_id": "old", "price": 90}), ("add_to_cart", {**TENT, "price": 60})], 60),
        ([("add_to_cart", {**TENT, "price": 0}), ("add_to_cart", {"product_id": "mug", "price": 60})], 60),
        (
            [
                ("add_to_cart", {**TENT, "price": 99}),
                ("purchase", {"order_id": "1"}),
                ("add_to_cart", {**TENT, "price": 60}),
            ],
            60,
        ),
        ([("Product Added", {"sku": "tent", "price": 90}), ("Product Removed", {"sku": "tent", "price": 30})], 60),
    ],
)
async def test_what_is_taken_out_is_no_longer_in_the_cart(shop: Shop, events: list[Any], value: float) -> None:
    shop.write("templates/cart.banner.yaml", CART)
    shop.rule("worth", f"when: page_view\nif: cart.value == {value}\nsend: [{{banner: cart}}]\n")
    await shop.passes()
    for name, fields in events:
        shop.now_ms += 1000
        sends(shop, happened(name, **fields))
    sends(shop, happened("page_view"))
    await shop.passes(1)
    assert len(shop.fires()) == 1
    assert titles(shop)[0].startswith(f"worth {value:g}")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "said",
    [
        [happened("consent", marketing="false")],
        [happened("consent", marketing=0)],
        [happened("consent", marketing="denied")],
        [happened("consent", marketing="vielleicht")],
        [happened("consent", ad_storage="denied")],
        [happened("consent", channels={"email": "no"})],
        [happened("consent", channels={"All": False})],
        [happened("unsubscribed", channel="Email")],
        [happened("unsubscribed", channel="all")],
        [happened("unsubscribed", channel=["SMS", "email"])],
        [happened("unsubscribed", channel="letters")],
        [happened("unsubscribed")],
        [identifies(consent="no")],
        [identifies(accepts_marketing="false")],
        [identifies(email_marketing_consent={"state": "unsubscribed"})],
        [happened("consent", marketing=True), identifies(email_marketing_consent={"state": "not_subscribed"})],
        [
            {
                **happened("Segment Consent Preference Updated"),
                "context": {"consent": {"categoryPreferences": {"Advertising": False}}},
            }
        ],
        [
            {
                **identifies(plan="gold"),
                "context": {"consent": {"categoryPreferences": {"Advertising": False, "Analytics": True}}},
            }
        ],
    ],
)
async def test_a_refusal_in_any_words_ends_marketing(shop: Shop, way: Way, said: list[dict[str, Any]]) -> None:
    shop.rule("letters", MARKETING)
    await shop.passes()
    sends(shop, identifies(email="ann@example.com"), way=way)
    await shop.passes(1)
    for message in said:
        shop.now_ms += 1000
        sends(shop, message, way=way)
    shop.now_ms += 1000
    sends(shop, happened("page_view"), way=way)
    await shop.passes(1)
    assert len(shop.fires()) == 1
    assert shop.sent("email") == []


@pytest.mark.parametrize(
    "said",
    [
        [happened("consent", marketing="yes")],
        [happened("consent", marketing="false"), happened("consent", marketing="Granted")],
        [happened("unsubscribed", channel="all"), happened("subscribe", channel="E-Mail")],
        [happened("unsubscribed", channel="SMS")],
        [identifies(accepts_marketing="no"), identifies(accepts_marketing="yes")],
        [happened("consent", marketing=None)],
    ],
)
async def test_a_yes_in_any_words_is_one(shop: Shop, said: list[dict[str, Any]]) -> None:
    shop.rule("letters", MARKETING)
    await shop.passes()
    for message in [identifies(email="ann@example.com"), *said, happened("page_view")]:
        shop.now_ms += 1000
        sends(shop, message)
    await shop.passes(1)
    assert shop.sent("email") == ["anna"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("user", [0, "undefined", "null", "guest", "00000000-0000-0000-0000-000000000000"])
async def test_guests_under_one_placeholder_stay_apart(shop: Shop, way: Way, user: object) -> None:
    shop.rule("worth", "when: add_to_cart\nif: cart.value > 20\nsend: [{banner: hello}]\n")
    await shop.passes()
    for guest in ("g1", "g2", "g3"):
        warnings = sends(shop, {**happened("add_to_cart", price=20), "userId": user, "anonymousId": guest}, way=way)
        assert [warning.reason for warning in warnings] == ["id_is_none"]
    await shop.passes(1)
    assert shop.fires() == []
    if way == "stored":
        assert shop.rows("SELECT count() FROM identity") == [(0,)]


GONE = [None, ""]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("nothing", GONE)
async def test_a_trait_that_is_taken_back_is_gone_from_then_on(shop: Shop, way: Way, nothing: object) -> None:
    rule = 'when: page_view\nif: traits.plan == "pro"\nevery: 0s\n'
    shop.write(
        "templates/plan.banner.yaml", "form: bar\nposition: top\ntitle: 'plan {{ visitor.traits.plan }}.'\ntext: x\n"
    )
    shop.rule("pro", f"{rule}send: [{{banner: plan}}]\n")
    shop.rule("letters", MARKETING)
    await shop.passes()
    seen = happened("page_view")
    for message in (identifies(plan="pro", email="ann@example.com", phone="+4915112345678"), seen):
        sends(shop, message, way=way)
        await shop.passes(1)
    assert (titles(shop), shop.sent("email")) == (["plan pro."], ["anna"])
    for message in (identifies(plan=nothing, email=nothing, phone=nothing), happened("page_view")):
        sends(shop, message, way=way)
        await shop.passes(1)
    assert (len(titles(shop)), shop.sent("email")) == (1, ["anna"])
    assert [rule for rule, *_ in shop.fires()] == ["letters", "pro", "letters"]
    # A trait that is told again is there again.
    for message in (identifies(plan="pro", email="ann@example.com"), happened("page_view")):
        sends(shop, message, way=way)
        await shop.passes(1)
    assert (len(titles(shop)), shop.sent("email")) == (2, ["anna", "anna"])
    if way == "stored":
        found = replay(shop.warehouse, f"id: pro\n{rule}", since=START_MS - HOUR, until=START_MS + HOUR)
        assert sum(len(one.firings) for one in found) == 2


async def test_traits_that_come_late_count_in_the_order_of_their_times(shop: Shop) -> None:
    shop.rule("pro", 'when: page_view\nif: traits.plan == "pro"\nevery: 0s\nsend: [{banner: hello}]\n')
    await shop.passes(60)

    def at(ago_ms: int, **traits: Any) -> dict[str, Any]:
        return {**identifies(**traits), "timestamp": shop.now_ms - ago_ms}

    sends(shop, at(1_000, plan="pro"))
    sends(shop, at(30_000, plan=None))
    sends(shop, happened("page_view"))
    await shop.passes(1)
    assert len(shop.fires()) == 1
    sends(shop, at(500, plan=None), happened("page_view"))
    await shop.passes(1)
    assert len(shop.fires()) == 1
