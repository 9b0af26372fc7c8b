from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.intake import pipeline
from collector.intake.draft import EventWarning, Receipt, WarningReason
from collector.intake.orders import normal_order_id
from collector.sites import Site
from tests.collector.messages import NOON, SHOP, kept, message, props
from warehouse.limits import MAX_ID_LENGTH


def order(event: str = "purchase", message_id: str = "m-1", **fields: Any) -> dict[str, Any]:
    """A message about order 1001, unless fields say otherwise; a field of None is left out."""
    told = {name: value for name, value in {"order_id": "1001", "value": 80, **fields}.items() if value is not None}
    return message(event=event, messageId=message_id, properties=told)


def event_id(event: str = "purchase", **fields: Any) -> str:
    return kept(order(event, **fields)).event_id


def warned(sent: dict[str, Any], site: Site = SHOP) -> list[EventWarning]:
    outcome = pipeline.run([msgspec.Raw(msgspec.json.encode(sent))], site, Receipt(received_at=NOON), {})
    assert outcome.drops == []
    return outcome.warnings


@pytest.mark.parametrize(
    "order_id",
    [
        *("1001", " 1001 ", "#1001", "# 1001", "##1001", 1001, 1001.0),
        *("gid://shopify/Order/1001", "gid://shopify/OrderIdentity/1001", "gid://shopify/Order/1001?key=abc"),
    ],
)
def test_an_order_is_one_however_its_id_is_written(order_id: object) -> None:
    row = kept(order(order_id=order_id))
    assert (row.event_id, row.order_id) == ("purchase:1001", "1001")


@pytest.mark.parametrize(
    ("order_id", "kept_as"),
    [
        ("000001001", "000001001"),
        ("ord-7", "ord-7"),
        ("ORD-7", "ORD-7"),
        (1729384756102938475, "1729384756102938475"),
        ("1729384756102938475", "1729384756102938475"),
        ("a/b c", "a/b c"),
        ("größe", "größe"),
        ("0x10", "0x10"),
        ("1001-R1", "1001-R1"),
        (1001.5, "1001.5"),
    ],
)
def test_what_may_tell_two_orders_apart_is_kept(order_id: object, kept_as: str) -> None:
    row = kept(order(order_id=order_id))
    assert (row.order_id, row.event_id) == (kept_as, f"purchase:{kept_as}")


@pytest.mark.parametrize(
    "order_id",
    [
        *("", "   ", "#", None, 0, "0", -1, "null", "Undefined", '"undefined"', "NaN", "none", "(not set)", "N/A"),
        *("[object Object]", "{{ order.id }}", "{{order_number}}", "${orderId}", "%ORDER_ID%", "%%order_id%%"),
        *("{% order %}", "[[order_id]]", "{order_id}", "<%= @order.id %>", "unknown", True, [], {}, ["1001"]),
    ],
)
@pytest.mark.parametrize("event", ["purchase", "refund"])
def test_an_order_without_an_id_of_its_own_is_known_by_its_message_and_warned_of(event: str, order_id: object) -> None:
    sent = order(event, "m-9", order_id=order_id)
    assert (kept(sent).event_id, kept(sent).order_id) == ("m-9", "")
    (warning,) = warned(sent)
    assert (warning.message_id, warning.reason) == ("m-9", WarningReason.ORDER_WITHOUT_ID)
    assert "order_id" in warning.detail


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(message(event="Order Completed", properties={"order_id": 1001, "total": "80.00"}), id="Segment"),
        pytest.param(message(event="purchase", properties={"transaction_id": "1001", "value": 80}), id="GA4"),
        pytest.param(
            message(event="purchase", messageId=None, properties={"order_id": "1001", "value": 1}), id="no id"
        ),
    ],
)
def test_every_senders_words_name_the_same_order(sent: dict[str, Any]) -> None:
    assert kept(sent).event_id == "purchase:1001"
    assert warned(sent) == []


def test_a_purchase_that_is_told_without_its_value_does_not_keep_the_value_from_being_known() -> None:
    assert event_id(value=None) == "purchase:1001:unvalued"
    assert event_id() == event_id(value=81) == event_id(items=[{"product_id": "p1"}]) == "purchase:1001"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"refund_id": "r1"}, "id=r1"),
        ({"refund_id": " #7 "}, "id=7"),
        ({"refund_id": 7}, "id=7"),
        ({"value": 20}, "value=20"),
        ({"value": "20.00"}, "value=20"),
        ({"value": -20}, "value=20"),
        ({"value": 20, "items": [{"product_id": "p1"}]}, "value=20"),
        ({"value": None}, "whole"),
        ({"value": None, "items": []}, "whole"),
    ],
)
def test_a_refund_is_known_by_its_id_or_else_by_what_it_pays_back(fields: dict[str, Any], named: str) -> None:
    assert event_id("refund", **fields) == f"refund:1001:{named}"


def test_refunds_of_other_products_are_others_and_those_without_prices_are_warned_of() -> None:
    def returned(*items: dict[str, Any]) -> str:
        return event_id("refund", value=None, items=list(items))

    one, two = {"product_id": "p1", "quantity": 1}, {"product_id": "p2", "quantity": 1}
    assert returned(one, two) == returned(two, one)
    assert len({returned(one), returned(two), returned(one, two), returned({**one, "quantity": 2})}) == 4
    (warning,) = warned(order("refund", value=None, items=[one]))
    assert warning.reason is WarningReason.REFUND_WITHOUT_VALUE


def test_a_long_order_id_makes_an_id_of_bounded_length() -> None:
    ids = {event_id(order_id="x" * length) for length in (119, 120, 300, 1000)}
    assert len(ids) == 4
    assert max(map(len, ids)) <= MAX_ID_LENGTH


def test_what_is_no_order_keeps_its_messages_id() -> None:
    for event in ("view_item", "add_to_cart", "order_cancelled", "own_event"):
        assert kept(order(event, "m-3")).event_id == "m-3"


def test_a_sender_is_told_of_its_own_id() -> None:
    raw = [msgspec.Raw(msgspec.json.encode(order("purchase", name))) for name in ("m-1", "m-2")]
    outcome = pipeline.run(raw, SHOP, Receipt(received_at=NOON), {})
    assert (outcome.labels, [row.event_id for row in outcome.rows]) == (["m-1", "m-2"], ["purchase:1001"] * 2)


def test_what_the_shops_server_tells_of_an_order_is_known_from_what_pages_tell() -> None:
    server = Receipt(received_at=NOON, is_from_server=True)
    assert props(kept(order(), receipt=server)) == {"proven_by": "server"}
    assert props(kept(order(proven_by="server"))) == {}


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.binary()))
def test_any_order_id_is_read_the_same_again(value: object) -> None:
    found = normal_order_id(value)
    assert normal_order_id(found) == found
    assert found == found.strip()
    assert not found.startswith("#")
