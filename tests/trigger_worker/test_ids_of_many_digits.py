"""Whole numbers with more digits than a float holds are ids: exact wherever they stand, live, in backtests, in text."""

from __future__ import annotations

from typing import Any

import pytest

from tests.trigger_worker.as_sent import WAYS, Way, happened, identifies, sends
from tests.trigger_worker.replays import HOUR, replay
from tests.trigger_worker.shop import START_MS, Shop

BIG = 1729384756102938475
#: Another one, which is the same float.
NEAR = BIG + 1

CASES: list[tuple[str, str, dict[str, Any], bool]] = [
    ("as a number", f"scan[code == {BIG}]", {"code": BIG}, True),
    ("as text", f"scan[code == {BIG}]", {"code": str(BIG)}, True),
    ("by text", f'scan[code == "{BIG}"]', {"code": BIG}, True),
    ("another of the same float", f"scan[code == {BIG}]", {"code": NEAR}, False),
    ("other than it", f"scan[code != {BIG}]", {"code": NEAR}, True),
    ("not other than it", f"scan[code != {BIG}]", {"code": BIG}, False),
    ("one of some", f"scan[code in [1, {BIG}]]", {"code": BIG}, True),
    ("none of some", f"scan[code in [1, {BIG}]]", {"code": NEAR}, False),
    ("a small one of some", f"scan[code in [1, {BIG}]]", {"code": 1}, True),
    ("below nothing", f"scan[code == -{BIG}]", {"code": -BIG}, True),
    ("deep inside", f"scan[props.a.b == {BIG}]", {"a": {"b": BIG}}, True),
    ("written with an exponent", "scan[code == 1700000000000000000]", {"code": 1.7e18}, True),
    ("the last exact one", f"scan[code == {2**53}]", {"code": 2**53}, True),
    ("the first inexact one", f"scan[code == {2**53 + 1}]", {"code": 2**53 + 1}, True),
    ("its neighbour", f"scan[code == {2**53 + 1}]", {"code": 2**53}, False),
    ("a product", f'scan[product_id == "{BIG}"]', {"product_id": BIG}, True),
    ("a number column stays a number", "scan[value > 1000000000000000000]", {"value": BIG}, True),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("step", "fields", "fires"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_ids_are_compared_by_all_of_their_digits(
    shop: Shop, way: Way, step: str, fields: dict[str, Any], fires: bool
) -> None:
    shop.rule("scanned", f"when: {step}\nsend: [{{banner: hello}}]\n")
    await shop.passes()
    sends(shop, happened("scan", **fields), way=way)
    await shop.passes(1)
    assert bool(shop.fires()) is fires
    if way == "stored":
        found = replay(shop.warehouse, f"id: scanned\nwhen: {step}", since=START_MS - HOUR, until=START_MS + HOUR)
        assert any(one.firings for one in found) is fires


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("bought", [{"items": [{"item_id": BIG}]}, {"items": [{"item_id": str(BIG)}, {"item_id": 7}]}])
async def test_a_product_is_the_same_in_its_view_and_in_the_order(shop: Shop, way: Way, bought: dict[str, Any]) -> None:
    shop.rule("bought", "when: view_item -> purchase\nkey: product_id\nsend: [{banner: hello}]\n")
    shop.rule("left", "when: view_item -> no purchase within 5m\nkey: product_id\nsend: [{banner: hello}]\n")
    await shop.passes()
    sends(shop, happened("view_item", product_id=BIG), way=way)
    sends(shop, happened("view_item", product_id=NEAR), way=way)
    shop.now_ms += 1000
    sends(shop, happened("purchase", order_id="1", **bought), way=way)
    await shop.passes(1)
    assert [(rule, key) for rule, _, key, _ in shop.fires()] == [("bought", str(BIG))]
    if way == "stored":
        await shop.passes(600)
        assert [key for rule, _, key, _ in shop.fires() if rule == "left"] == [str(NEAR)]


@pytest.mark.parametrize("way", WAYS)
async def test_distinct_ids_are_counted_apart_and_written_in_full(shop: Shop, way: Way) -> None:
    shop.write(
        "templates/code.banner.yaml",
        "form: bar\nposition: top\ntitle: '{{ event.code }}|{{ visitor.traits.n }}'\ntext: x\n",
    )
    shop.rule("many", f"when: scan\nif: uniq(scan.code, 1d) == 3 and traits.n == {BIG}\nsend: [{{banner: code}}]\n")
    await shop.passes()
    sends(shop, identifies(n=BIG), way=way)
    for code in (BIG, NEAR, str(BIG), 1.7e18):
        shop.now_ms += 1000
        sends(shop, happened("scan", code=code), way=way)
    await shop.passes(1)
    (message,) = shop.channels["banner"].sent
    assert message.content.title == f"1700000000000000000|{BIG}"  # type: ignore[attr-defined]
