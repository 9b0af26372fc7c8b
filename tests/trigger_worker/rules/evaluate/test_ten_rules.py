"""The ten rules that the language must be able to say, each with a history that fires it and one that does not."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import event, fired_at, ms
from trigger_worker.rules.evaluate.event import Event


def visits(path: str, *instants: str) -> list[Event]:
    return [event("page_view", each, path=path) for each in instants]


def adds(*instants: str) -> list[Event]:
    return [event("add_to_cart", each) for each in instants]


VIEW = event("view_item", price=120)
LATE_PURCHASE = [VIEW, event("add_to_cart", "2m"), event("purchase", "25h")]
HOVER = event("hover", "1h", duration_ms=3000, price=120)
DWELL = event("dwell", "5m", duration_ms=180_000, page_type="product")
THANKS = event("dwell", "1m", page_type="thank_you", duration_ms=15_000)
OPENED = [event("email_opened", message_id="m1"), event("email_clicked", "1h", message_id="m2")]

RULES: list[tuple[str, list[Event], str, list[Event]]] = [
    (
        "when: 'view_item[price > 100] -> add_to_cart within 2m -> no purchase within 24h'",
        LATE_PURCHASE,
        "86520s",
        [VIEW, event("add_to_cart", "2m"), event("purchase", "24h")],
    ),
    (
        "when: 'hover[duration >= 3s and price > 100]'\nif: count(add_to_cart, 1d) == 0",
        [*adds("-23h"), HOVER],
        "1h",
        [*adds("-22h"), HOVER],
    ),
    (
        "when: add_to_cart\nif: count(add_to_cart, 10m) > 3",
        adds("0s", "4m", "8m", "9m"),
        "9m",
        adds("0s", "4m", "8m", "10m"),
    ),
    (
        "when: 'dwell[duration >= 3m and page_type == \"product\"]'\nif: count(scroll, 3m) == 0",
        [event("scroll", "2m"), DWELL],
        "5m",
        [event("scroll", "3m"), DWELL],
    ),
    (
        "when: search -> no (select_item or view_item) within 30m",
        [event("search"), event("page_view", "1m")],
        "30m",
        [event("search"), event("select_item", "30m")],
    ),
    (
        "when: 'page_view[path ~ \"/pricing*\"]'\nif: 'count(page_view[path ~ \"/pricing*\"], 7d) >= 2'",
        visits("/pricing/plans", "0s", "6d"),
        "6d",
        visits("/pricing/plans", "0s", "7d"),
    ),
    ("when: any -> no any within 14d", [event("a")], "14d", [event("email_opened")]),
    (
        "when: sign_up -> no purchase within 48h",
        [event("sign_up"), event("purchase", "49h")],
        "48h",
        [event("sign_up"), event("purchase", "47h")],
    ),
    (
        "when: email_opened -> no email_clicked within 4h\nkey: message_id",
        OPENED,
        "4h",
        [*OPENED, event("email_clicked", "2h", message_id="m1")],
    ),
    (
        "when: 'dwell[page_type == \"thank_you\" and duration >= 15s]'\nif: since(purchase) <= 60s",
        [event("purchase", value=100), THANKS],
        "1m",
        [event("purchase", "-1ms", value=100), THANKS],
    ),
]


@pytest.mark.parametrize(("text", "fires", "at", "stays_quiet"), RULES, ids=range(1, 11))
def test_the_rule_fires_and_only_when_it_should(
    text: str, fires: list[Event], at: str, stays_quiet: list[Event]
) -> None:
    assert fired_at(text, fires) == [ms(at)]
    assert fired_at(text, stays_quiet) == []


def test_an_offer_follows_a_purchase_worth_it() -> None:
    text = "when: 'purchase[value >= 100]'\nsend: [{banner: offer, after: 10s}]"
    assert fired_at(text, [event("purchase", value=99), event("purchase", "1s", value=100)]) == [1000]
