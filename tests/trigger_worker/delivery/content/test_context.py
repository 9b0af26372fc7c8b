from __future__ import annotations

from trigger_worker.deciding.recipient.profile import VisitorContext
from trigger_worker.deciding.recipient.shopping import CartContext, CartItem
from trigger_worker.delivery.content.context import RenderContext, RuleContext, SiteContext


def test_names_are_plain_data_and_what_is_unknown_is_absent() -> None:
    context = RenderContext(
        visitor=VisitorContext(id="ada"),
        site=SiteContext(name="Shop", url="https://shop.example"),
        rule=RuleContext("cart_abandoned"),
        cart=CartContext(value=80.0, quantity=2, items=(CartItem(product_id="lamp", quantity=2, price=40.0),)),
        event={"path": "/p/lamp"},
    )
    assert context.names() == {
        "visitor": {"id": "ada"},
        "site": {"name": "Shop", "url": "https://shop.example"},
        "rule": {"id": "cart_abandoned"},
        "cart": {
            "value": 80.0,
            "quantity": 2,
            "currency": "",
            "items": ({"product_id": "lamp", "quantity": 2, "price": 40.0},),
        },
        "event": {"path": "/p/lamp"},
        "product": {},
        "order": {},
        "unsubscribe_url": "",
        "confirm_url": "",
    }
