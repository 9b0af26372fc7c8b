"""For each rule of the library a history that fires it, when it does, and one that must not."""

from __future__ import annotations

from typing import Final, NamedTuple

from tests.trigger_worker.rules.evaluate.support import event
from trigger_worker.rules.evaluate.event import Event


class Case(NamedTuple):
    """Two histories, their times counted from noon, UTC; the second is looked at until `silent_until`."""

    fires: list[Event]
    at: str
    silent: list[Event]
    silent_until: str = "400d"


def page(after: str, page_type: str, path: str = "/") -> Event:
    return event("page_view", after, page_type=page_type, path=path)


def dwell(after: str, page_type: str, seconds: int, device: str = "desktop") -> Event:
    return event("dwell", after, page_type=page_type, duration_ms=seconds * 1000, device=device)


def view(after: str, product: str = "lamp", price: float = 40.0, category: str = "light") -> Event:
    return event("view_item", after, product_id=product, price=price, category=category)


def add(after: str, value: float = 40.0, category: str = "light") -> Event:
    return event("add_to_cart", after, product_id="lamp", price=value, value=value, quantity=1.0, category=category)


def remove(after: str, value: float = 40.0) -> Event:
    return event("remove_from_cart", after, product_id="lamp", price=value, value=value, quantity=1.0)


def buy(after: str, value: float = 40.0) -> Event:
    items = [{"product_id": "lamp", "quantity": 1.0, "price": value}]
    return event("purchase", after, value=value, order_id=after, items=items)


def search(after: str, term: str = "lamp", results: float = 3.0) -> Event:
    return event("search", after, search_term=term, results=results)


def visit(after: str, utm_medium: str = "organic") -> Event:
    return event("session_start", after, utm_medium=utm_medium)


def times(name: str, *instants: str) -> list[Event]:
    return [event(name, after) for after in instants]


def views(*instants: str) -> list[Event]:
    return [view(after, f"product {number}") for number, after in enumerate(instants)]


def orders(*instants: str) -> list[Event]:
    return [buy(after) for after in instants]


HOVER: Final = event("hover", duration_ms=3000, price=120.0)
ENGAGED: Final = [
    *times("email_clicked", "-3d", "-2d", "-1d"),
    *times("session_start", *[f"-{day}d" for day in range(2, 8)]),
]

MICRO_INTERACTIONS: Final = {
    "hover_hesitation": Case([HOVER], "0s", [add("-2h"), HOVER]),
    "dwell_without_scroll": Case(
        [event("scroll", "-3m"), dwell("0s", "product", 180)],
        "0s",
        [event("scroll", "-2m"), dwell("0s", "product", 180)],
    ),
    "read_to_the_end": Case(
        [event("scroll", depth_pct=75.0, page_type="product")],
        "30s",
        [event("scroll", depth_pct=75.0, page_type="product"), add("20s")],
    ),
    "article_finished": Case(
        [event("scroll", depth_pct=90.0, page_type="article")],
        "0s",
        [view("-30m"), event("scroll", depth_pct=90.0, page_type="article")],
    ),
    "product_copied": Case(
        [event("copy", page_type="product")], "0s", [add("-10m"), event("copy", page_type="product")]
    ),
    "rage_click_help": Case([event("rage_click")], "0s", [event("click")]),
    "dead_clicks_help": Case(
        times("dead_click", "-30s", "-20s", "0s"), "0s", times("dead_click", "-60s", "-20s", "0s")
    ),
    "form_abandoned": Case(
        [event("form_abandon", fields_touched=2.0)],
        "2m",
        [event("form_abandon", fields_touched=2.0), event("form_submit", "1m")],
    ),
    "exit_with_cart": Case([add("-5m"), event("exit_intent")], "0s", [add("-5m"), remove("-1m"), event("exit_intent")]),
    "exit_from_product": Case(
        [event("exit_intent", page_type="product")], "0s", [buy("-30d"), event("exit_intent", page_type="product")]
    ),
    "exit_from_checkout": Case(
        [event("begin_checkout", "-5m"), event("exit_intent", page_type="checkout")],
        "0s",
        [event("begin_checkout", "-31m"), event("exit_intent", page_type="checkout")],
    ),
    "evening_on_the_phone": Case(
        [dwell("7h", "category", 60, device="mobile")], "7h", [dwell("6h", "category", 60, device="mobile")]
    ),
}

CART: Final = {
    "cart_abandoned": Case([add("0s", 50.0)], "15m", [add("0s", 50.0), buy("15m")]),
    "cart_of_high_value": Case([add("0s", 200.0)], "5m", [add("0s", 200.0), event("begin_checkout", "4m")]),
    "quick_choice_abandoned": Case(
        [view("0s", price=120.0), add("2m", 120.0)], "86520s", [view("0s", price=120.0), add("3m", 120.0)]
    ),
    "many_added_quickly": Case(
        [add("0s"), add("1m"), add("2m"), add("3m")], "3m", [add("0s"), add("1m"), add("2m"), add("10m")]
    ),
    "cart_emptied": Case([add("-5m"), remove("0s")], "2m", [add("-5m"), remove("0s"), add("1m")]),
    "expensive_item_removed": Case(
        [add("-5m", 100.0), add("-4m"), remove("0s", 100.0)], "0s", [add("-5m", 100.0), remove("0s", 100.0)]
    ),
    "near_free_delivery": Case([add("0s", 35.0)], "0s", [add("0s", 50.0)]),
    "cart_looked_at_again": Case(
        [add("-2d"), *times("view_cart", "-2d", "-1d", "0s")],
        "0s",
        [add("-2d"), *times("view_cart", "-3d", "-1d", "0s")],
    ),
    "back_with_a_cart": Case([add("-2d"), visit("0s")], "0s", [add("-2d"), buy("-1d"), visit("0s")]),
    "checkout_stalled": Case([event("begin_checkout")], "10m", [event("begin_checkout"), buy("9m")]),
    "delivery_choice_stalled": Case(
        [event("add_shipping_info")], "3m", [event("add_shipping_info"), event("add_payment_info", "2m")]
    ),
    "payment_stalled": Case([event("add_payment_info")], "3m", [event("add_payment_info"), buy("2m")]),
    "express_delivery": Case(
        [add("-5m", 80.0), event("add_shipping_info", shipping_tier="Standard")],
        "0s",
        [add("-5m", 80.0), event("add_shipping_info", shipping_tier="Express")],
    ),
}

SEARCH: Final = {
    "search_without_results": Case([search("0s", results=0.0)], "0s", [search("0s", results=1.0)]),
    "search_unused": Case([search("0s")], "30m", [search("0s"), event("select_item", "30m")]),
    "search_again_and_again": Case(
        [search("-2m", "lamp"), search("-1m", "light"), search("0s", "lantern")],
        "0s",
        [search("-2m", "lamp"), search("-1m", "light"), search("0s", "lamp")],
    ),
    "search_for_a_bargain": Case([search("0s", "lamp sale")], "0s", [search("0s", "lamp")]),
}

PAGES: Final = {
    "pricing_revisited": Case(
        [page("-6d", "pricing", "/pricing"), page("0s", "pricing", "/pricing/plans")],
        "0s",
        [page("-7d", "pricing", "/pricing"), page("0s", "pricing", "/pricing/plans")],
    ),
    "size_guide_hesitation": Case([page("0s", "size_guide")], "3m", [page("0s", "size_guide"), add("2m")]),
    "delivery_page_with_cart": Case([add("-5m"), page("0s", "shipping")], "0s", [page("0s", "shipping")]),
    "returns_page_before_order": Case(
        [view("-30m"), page("0s", "returns")], "0s", [buy("-7d"), view("-30m"), page("0s", "returns")]
    ),
    "same_product_again": Case(
        [view("-2d"), view("-1d"), view("0s")], "0s", [view("-2d"), view("-1d"), view("0s", "table")]
    ),
    "lists_without_a_product": Case(
        times("view_item_list", "0s", "1m", "2m", "3m", "4m"),
        "4m",
        [*times("view_item_list", "0s", "1m", "2m", "3m", "4m"), view("150s")],
    ),
}

JOURNEY: Final = {
    "first_visit": Case([visit("0s"), view("1m")], "1m", [visit("-60d"), visit("0s"), view("1m")]),
    "advertisement_visit": Case([visit("0s", utm_medium="cpc")], "1m", [visit("0s", utm_medium="cpc"), add("30s")]),
    "consideration": Case(
        views("-4d", "-3d", "-2d", "-1d", "0s"), "0s", [*views("-4d", "-3d", "-2d", "-1d", "0s"), add("-5d")]
    ),
    "sign_up_without_order": Case([event("sign_up")], "48h", [event("sign_up"), buy("47h")]),
    "confirm_address": Case([event("subscribe")], "0s", [event("unsubscribed", channel="email")]),
    "newsletter_welcome": Case([event("subscribe")], "0s", [buy("-30d"), event("subscribe")]),
}

INACTIVITY: Final = {
    "inactive_for_two_weeks": Case([visit("0s")], "14d", [event("email_opened")]),
    "inactive_customer": Case([buy("0s")], "30d", [visit("0s")]),
    "welcome_back": Case([visit("-31d"), visit("0s")], "0s", [visit("0s")]),
    "mail_opened_not_clicked": Case(
        [event("email_opened", message_id="m1"), event("email_clicked", "1h", message_id="m2")],
        "4h",
        [event("email_opened", message_id="m1"), event("email_clicked", "1h", message_id="m1")],
    ),
    "mail_clicked_not_bought": Case(
        [event("email_clicked"), view("5m")], "1445m", [event("email_clicked"), view("5m"), buy("1h")]
    ),
    "wish_not_fulfilled": Case(
        [event("add_to_wishlist", product_id="lamp")], "3d", [event("add_to_wishlist", product_id="lamp"), add("2d")]
    ),
}

LIFECYCLE: Final = {
    "lifecycle_anonymous_high_intent": Case(
        [*views("-4m", "-3m", "-2m", "-1m"), page("0s", "home")],
        "0s",
        [event("sign_up", "-1d"), *views("-4m", "-3m", "-2m", "-1m"), page("0s", "home")],
    ),
    "lifecycle_lead": Case([event("sign_up", "-30d"), *views("-2m", "-1m", "0s")], "0s", views("-2m", "-1m", "0s")),
    "lifecycle_first_time": Case([buy("0s")], "14d", [buy("0s"), buy("13d")]),
    "lifecycle_developing": Case([buy("-200d"), buy("0s")], "0s", [buy("0s")]),
    "lifecycle_loyal": Case(
        [*orders("-50d", "-40d", "-30d", "-20d", "-10d"), visit("0s")],
        "0s",
        [*orders("-40d", "-30d", "-20d", "-10d"), visit("0s")],
    ),
    "lifecycle_at_risk": Case([buy("0s")], "60d", [buy("0s"), buy("60d")], silent_until="60d"),
    "lifecycle_churned": Case([buy("0s")], "180d", [buy("0s"), buy("180d")], silent_until="180d"),
}

PSYCHOLOGY: Final = {
    "psychology_high_confidence": Case(
        [visit("-10m"), view("-9m"), buy("0s")], "0s", [visit("-10m"), *views("-9m", "-8m", "-7m"), buy("0s")]
    ),
    "psychology_value_conscious": Case([search("-1h", "lamp sale"), buy("0s")], "0s", [search("-1h"), buy("0s")]),
    "psychology_impulse": Case([visit("-5m"), buy("0s")], "0s", [visit("-6m"), buy("0s")]),
    "psychology_research_heavy": Case(
        views("-7h", "-6h", "-5h", "-4h", "-3h", "-2h", "-1h", "0s"),
        "0s",
        views("-6h", "-5h", "-4h", "-3h", "-2h", "-1h", "0s"),
    ),
}

SCORES: Final = {
    "engagement_high": Case([*ENGAGED, visit("0s")], "0s", [*ENGAGED[3:], visit("0s")]),
    "engagement_fading": Case(
        [*times("email_clicked", "-2d", "-1d"), visit("0s")], "21d", [event("email_clicked", "-1d"), visit("0s")]
    ),
    "intent_high": Case(
        [*views("-6m", "-5m", "-4m", "-3m"), add("-2m"), event("begin_checkout", "-1m"), page("0s", "product")],
        "0s",
        [*views("-6m", "-5m", "-4m", "-3m"), add("-2m"), page("0s", "product")],
    ),
    "intent_medium": Case([add("-1m"), dwell("0s", "product", 30)], "0s", [view("-1m"), dwell("0s", "product", 30)]),
    "intent_low": Case(
        [page("-2m", "home"), page("-1m", "category"), page("0s", "category")],
        "0s",
        [add("-3m"), page("-2m", "home"), page("-1m", "category"), page("0s", "category")],
    ),
}

POST_PURCHASE: Final = {
    "post_purchase_first_seconds": Case([buy("0s", 100.0)], "0s", [buy("0s", 99.0)]),
    "post_purchase_lingering": Case(
        [buy("0s"), dwell("60s", "thank_you", 15)], "60s", [buy("0s"), dwell("61s", "thank_you", 15)]
    ),
    "post_purchase_referral": Case(
        [buy("0s"), page("2m", "home")], "2m", [buy("0s"), page("60s", "home"), page("6m", "home")]
    ),
    "post_purchase_next_days": Case([buy("0s")], "0s", [event("begin_checkout")]),
    "post_purchase_warranty": Case([buy("0s", 300.0)], "0s", [buy("0s", 299.0)]),
    "post_purchase_review": Case([buy("0s")], "14d", [buy("0s"), event("refund", "13d")]),
}

SUBSCRIPTION: Final = {
    "subscription_candidate": Case([buy("-30d"), buy("0s")], "0s", [buy("-31d"), buy("0s")]),
    "replenishment_due": Case([buy("-40d"), buy("0s")], "28d", [buy("0s")]),
    "cross_category_browsing": Case(
        [add("-1d", category="light"), view("-1m"), view("0s", "table", category="wood")],
        "0s",
        [add("-1d", category="light"), view("-1m"), view("0s", "lantern")],
    ),
    "cross_category_after_order": Case(
        [view("-2m"), view("-1m", "table", category="wood"), buy("0s")], "0s", [view("-2m"), view("-1m"), buy("0s")]
    ),
}

CASES: Final[dict[str, Case]] = {
    **MICRO_INTERACTIONS,
    **CART,
    **SEARCH,
    **PAGES,
    **JOURNEY,
    **INACTIVITY,
    **LIFECYCLE,
    **PSYCHOLOGY,
    **SCORES,
    **POST_PURCHASE,
    **SUBSCRIPTION,
}
