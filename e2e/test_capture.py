"""Everything that the snippet captures, found in ClickHouse by SQL."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby, pairwise

import msgspec
import pytest

from e2e.journeys import CONTACT, SECRET, begin_to_look_around, buy_something, look_around
from e2e.shopper import Row, Shopper, column, matches
from e2e.stack import Stack
from e2e.visit import LOCALE, TIMEZONE
from e2e.waiting import wait_for


class Visit(msgspec.Struct):
    """The stored events of a visit, in order."""

    shopper: Shopper
    rows: list[Row]
    order_id: str = ""


#: Somebody else buys while a mouse rests for seconds.
BEGIN_TOGETHER = ("resting", "buying")


@pytest.fixture(scope="module")
def resting(new_visitor: Callable[[], Shopper]) -> Shopper:
    shopper = new_visitor()
    begin_to_look_around(shopper)
    return shopper


@pytest.fixture(scope="module")
def looking(resting: Shopper) -> Visit:
    look_around(resting)
    return Visit(resting, _all_rows(resting))


@pytest.fixture(scope="module")
def buying(new_visitor: Callable[[], Shopper]) -> Visit:
    shopper = new_visitor()
    order_id = buy_something(shopper)
    return Visit(shopper, _all_rows(shopper), order_id)


def _all_rows(shopper: Shopper) -> list[Row]:
    """Return the rows once all events of the visit are stored."""
    shopper.tell("track", "visit_over")
    shopper.wait_for_event("visit_over")
    return wait_for(lambda: rows if _without_gaps(rows := shopper.events()) else None, "every event of the visit")


def _without_gaps(rows: list[Row]) -> bool:
    return sorted(row["seq"] for row in rows) == list(range(1, len(rows) + 1))


HEADING = "main#main>article.wrap.product>div.buy-box>h1"
SLING = {"product_id": "TT-2005", "name": "Pocket 4 Sling", "price": 49, "category": "Packs & bags", "currency": "EUR"}

LOOKED = [
    ("session_start", {"path": "/", "page_type": "home"}),
    ("page_view", {"path": "/", "page_type": "home", "title": "Goods for cold mornings · Tarn & Timber"}),
    ("page_view", {"path": "/category/packs", "page_type": "category"}),
    ("page_view", {"path": "/p/pocket-4-sling", "page_type": "product"}),
    ("page_view", {"path": "/search", "page_type": "search"}),
    ("page_view", {"path": "/size-guide", "page_type": "size_guide"}),
    ("page_view", {"path": "/shipping", "page_type": "shipping"}),
    ("page_view", {"path": "/returns", "page_type": "returns"}),
    ("consent", {"analytics": True, "marketing": False}),
    ("view_item_list", {"path": "/category/packs", "item_list_id": "packs", "item_list_name": "Packs & bags"}),
    ("hover", {**SLING, "duration_ms": 1000, "path": "/category/packs"}),
    ("hover", {**SLING, "duration_ms": 3000, "path": "/category/packs"}),
    ("select_item", {**SLING, "path": "/category/packs"}),
    ("view_item", {**SLING, "value": 49, "path": "/p/pocket-4-sling"}),
    ("dwell", {"duration_ms": 5000, "product_id": "TT-2005", "page_type": "product"}),
    ("dead_click", {"selector": "button#broken", "path": "/p/pocket-4-sling"}),
    ("rage_click", {"selector": "button#broken", "path": "/p/pocket-4-sling"}),
    (
        "copy",
        {
            "selector": "main#main>article.wrap.product>div.buy-box>h1",
            "length": len("Pocket 4 Sling"),
            "product_id": "TT-2005",
        },
    ),
    ("form_start", {"form_id": "newsletter", "last_field": "email"}),
    ("form_abandon", {"form_id": "newsletter", "last_field": "email", "fields_touched": 1}),
    ("exit_intent", {"path": "/p/pocket-4-sling"}),
    ("search", {"search_term": "wool", "path": "/search"}),
    ("search", {"search_term": "zeppelin", "results": 0}),
    *(("scroll", {"depth_pct": depth, "path": "/p/pocket-4-sling"}) for depth in (25, 50, 75, 90, 100)),
]

DAYPACK = {"product_id": "TT-2001", "name": "Fell 28 Daypack", "price": 129, "quantity": 1, "currency": "EUR"}
MUG = {
    "product_id": "TT-4002",
    "name": "Campfire Enamel Mug",
    "price": 18,
    "quantity": 1,
    "value": 18,
    "currency": "EUR",
}

BOUGHT = [
    ("add_to_wishlist", DAYPACK),
    ("share", {"method": "link", "product_id": "TT-2001", "content_type": "product"}),
    ("add_to_cart", {**DAYPACK, "value": 129}),
    ("remove_from_cart", {**DAYPACK, "value": 129}),
    ("add_to_cart", MUG),
    ("view_cart", MUG),
    ("begin_checkout", MUG),
    ("add_shipping_info", {**MUG, "shipping_tier": "Standard"}),
    ("add_payment_info", {**MUG, "payment_type": "Invoice"}),
    ("purchase", {**MUG, "page_type": "thank_you"}),
    ("sign_up", {"method": "email"}),
    ("page_view", {"path": "/cart", "page_type": "cart"}),
    ("page_view", {"path": "/checkout", "page_type": "checkout"}),
    ("form_start", {"form_id": "checkout-contact", "last_field": "email"}),
    ("form_submit", {"form_id": "checkout-contact", "last_field": "city", "fields_touched": 6}),
]


@pytest.mark.parametrize(("event", "columns"), LOOKED, ids=[event for event, _ in LOOKED])
def test_looking_around_is_captured(looking: Visit, event: str, columns: dict[str, object]) -> None:
    assert _found(looking, event, columns)


@pytest.mark.parametrize(("event", "columns"), BOUGHT, ids=[event for event, _ in BOUGHT])
def test_buying_is_captured(buying: Visit, event: str, columns: dict[str, object]) -> None:
    assert _found(buying, event, columns)


def _found(visit: Visit, event: str, columns: dict[str, object]) -> Row:
    """Return the first row with the given values, or fail with all rows of the event."""
    rows = [row for row in visit.rows if row["event"] == event]
    found = next((row for row in rows if matches(row, columns)), None)
    seen = [{name: column(row, name) for name in columns} for row in rows]
    assert found is not None, f"no {event} with {columns} among {seen}"
    return found


def test_a_hover_is_told_while_the_mouse_still_rests_there(looking: Visit) -> None:
    """The journey moves on only once the third second is stored, and the click that follows is later."""
    told = _found(looking, "hover", {"duration_ms": 3000})
    assert told["received_at"] < _found(looking, "select_item", {})["received_at"]


def test_a_page_that_changes_its_address_has_a_view_for_each_and_for_the_way_back(looking: Visit) -> None:
    views = [row["url"] for row in looking.rows if row["event"] == "page_view" and row["path"] == "/p/pocket-4-sling"]
    product = f"{looking.shopper.stack.store_url}/p/pocket-4-sling"
    assert views == [product, f"{product}?colour=pine", product]


def test_each_view_names_the_one_before(looking: Visit) -> None:
    views = [row for row in looking.rows if row["event"] == "page_view"]
    # The pages that were opened by their address have no referrer.
    followed = [(before, view) for before, view in pairwise(views) if view["referrer"]]
    assert len(followed) >= 5
    assert all(view["referrer"] == before["url"] for before, view in followed)


def test_a_click_says_where(looking: Visit) -> None:
    click = _found(looking, "click", {"path": "/category/packs"})["props"]
    assert click["selector"].endswith("h2>a")
    assert 0 < click["x_pct"] < 100
    assert 0 < click["y_pct"] < 100


def test_a_list_names_its_products(looking: Visit) -> None:
    items = _found(looking, "view_item_list", {"path": "/category/packs"})["props"]["items"]
    assert SLING.items() >= {key: items[4][key] for key in ("product_id", "name", "price", "category")}.items()
    assert [item["product_id"] for item in items] == [f"TT-200{number}" for number in range(1, 7)]


def test_a_search_says_how_much_was_found(looking: Visit) -> None:
    assert _found(looking, "search", {"search_term": "wool"})["results"] > 0


def test_a_search_is_told_once_although_page_and_data_layer_both_tell_it(looking: Visit) -> None:
    assert [row["search_term"] for row in looking.rows if row["event"] == "search"] == ["wool", "zeppelin"]


def test_the_campaign_stays_with_the_session(looking: Visit) -> None:
    columns = {"utm_source": "letter", "utm_medium": "email", "utm_campaign": "autumn"}
    assert all(matches(row, columns) for row in looking.rows)


def test_the_device_is_known(looking: Visit) -> None:
    columns = {"device": "desktop", "os": "Linux", "timezone": TIMEZONE}
    assert all(matches(row, columns) for row in looking.rows)
    assert _found(looking, "page_view", {"path": "/"})["locale"] == LOCALE
    assert "Chrome" in looking.rows[0]["browser"]


def test_the_purchase_names_order_and_articles(buying: Visit) -> None:
    purchase = _found(buying, "purchase", {"order_id": buying.order_id})
    (item,) = purchase["props"]["items"]
    assert MUG.items() >= {key: item[key] for key in ("product_id", "name", "price", "quantity")}.items()
    assert item["url"].endswith("/p/ember-enamel-mug")


def test_identifying_keeps_the_traits(buying: Visit) -> None:
    traits = _found(buying, "identify", {})["props"]["traits"]
    assert traits == {"email": CONTACT.email, "first_name": CONTACT.first_name}


def test_what_came_before_the_name_belongs_to_the_person(buying: Visit, stack: Stack) -> None:
    person = _found(buying, "purchase", {})["visitor_id"]
    earlier = _found(buying, "add_to_wishlist", {})
    assert earlier["user_id"] == ""
    query = f"SELECT person FROM identity FINAL WHERE alias = '{earlier['visitor_id']}'"
    assert stack.sql(query) == [{"person": person}]


def test_who_logs_out_is_somebody_new_until_the_next_login(shopper: Shopper, stack: Stack) -> None:
    shopper.sign_up("gerda@example.com", "Gerda")
    person = shopper.wait_for_event("identify")["user_id"]
    before = shopper.anonymous_id
    shopper.log_out()
    wait_for(lambda: shopper.anonymous_id != before, "another anonymous id")
    shopper.tell("track", "still_here")
    assert shopper.wait_for_event("still_here")["user_id"] == ""
    shopper.log_in("gerda@example.com")
    shopper.wait_for_event("login", method="email")
    aliases = f"SELECT alias FROM identity FINAL WHERE person = '{person}' ORDER BY alias"
    both = [{"alias": alias} for alias in sorted([before, shopper.anonymous_id])]
    wait_for(lambda: stack.sql(aliases) == both, "both browsers' ids to belong to the person")


@pytest.mark.parametrize("journey", ["looking", "buying"])
def test_a_session_counts_without_gaps_in_the_order_of_time(journey: str, request: pytest.FixtureRequest) -> None:
    visit: Visit = request.getfixturevalue(journey)
    sessions = [list(rows) for _, rows in groupby(visit.rows, key=lambda row: str(row["session_id"]))]
    assert [[row["seq"] for row in rows] for rows in sessions] == [list(range(1, len(visit.rows) + 1))]


@pytest.mark.parametrize("journey", ["looking", "buying"])
def test_nothing_is_stored_twice(journey: str, stack: Stack, request: pytest.FixtureRequest) -> None:
    visit: Visit = request.getfixturevalue(journey)
    where = f"FROM events WHERE anonymous_id = '{visit.shopper.anonymous_id}'"
    assert stack.sql(f"SELECT count() = uniqExact(event_id) AS once {where}") == [{"once": True}]


@pytest.mark.parametrize("journey", ["looking", "buying"])
def test_nothing_that_was_typed_or_copied_is_stored(journey: str, stack: Stack, request: pytest.FixtureRequest) -> None:
    visit: Visit = request.getfixturevalue(journey)
    query = f"SELECT * FROM events WHERE anonymous_id = '{visit.shopper.anonymous_id}'"
    told = stack.engine.export(query, "TSV").decode()
    assert visit.shopper.anonymous_id in told
    assert SECRET not in told


def test_a_copy_is_stored_without_its_words(looking: Visit) -> None:
    copy = _found(looking, "copy", {})
    assert set(copy["props"]) == {"selector", "length"}
