from __future__ import annotations

from tests.demo_store.browsing import Visitor


def test_membership_offers_three_plans(visitor: Visitor) -> None:
    links = visitor.open("/membership").links
    assert [link for link in links if "plan=" in link] == [
        "/sign-up?plan=trail",
        "/sign-up?plan=ridge",
        "/sign-up?plan=summit",
    ]


def test_the_shipping_page_tells_the_prices_of_the_checkout(visitor: Visitor) -> None:
    text = visitor.open("/shipping").text
    assert all(price in text for price in ("€5.90", "€12.90", "€3.90", "free from €80.00"))


def test_a_subscription_is_announced_once_where_it_was_made(visitor: Visitor) -> None:
    page = visitor.send("/newsletter", email="ada@example.com", back="/returns")
    assert page.path == "/returns"
    assert page.pushes == [{"event": "subscribe", "method": "footer"}]
    assert visitor.open("/returns").pushes == []


def test_a_wrong_address_subscribes_nobody(visitor: Visitor) -> None:
    page = visitor.send("/newsletter", email="ada", back="/returns")
    assert page.pushes == []
    assert "does not look like an e-mail address" in page.text


def test_the_shop_hosts_a_service_worker_that_loads_the_collectors(visitor: Visitor) -> None:
    page = visitor.open("/mm-push-worker.js")
    assert page.headers["content-type"].startswith("text/javascript")
    assert page.text.strip() == 'importScripts("https://collector.example/mm-push-worker.js");'
