"""Payloads that are damaged: whatever is missing, null or of another type is told, and nothing fails."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.intake.draft import Drop, Receipt
from collector.intake.pipeline import process
from collector.sites import Site
from tests.collector.messages import NOON
from tests.collector.platforms import shopify_payloads, woocommerce_payloads
from tests.collector.platforms.translating import translated

SHOPS: list[tuple[Site, dict[str, dict[str, Any]]]] = [
    (shopify_payloads.SITE, shopify_payloads.PAYLOADS),
    (woocommerce_payloads.SITE, woocommerce_payloads.PAYLOADS),
]
DELIVERIES = [(site, topic, payload) for site, payloads in SHOPS for topic, payload in payloads.items()]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def places(value: object, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value inside a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for key, child in inner for each in [(*way, key), *places(child, (*way, key))]]


def damaged(payload: dict[str, Any], way: tuple[Any, ...], new: object, *, removed: bool) -> dict[str, Any]:
    result = copy.deepcopy(payload)
    target: Any = result
    for step in way[:-1]:
        target = target[step]
    if removed:
        del target[way[-1]]
    else:
        target[way[-1]] = new
    return result


def says_something(site: Site, topic: str, payload: object) -> bool:
    """Tell whether a delivery leaves a trace: a row, a drop, a warning, a request, or a wish to have it again."""
    told = translated(site, topic, payload)
    for message in (*told.messages, *told.catalogue):
        outcome = process(msgspec.Raw(msgspec.json.encode(message)), site, Receipt(NOON, is_from_server=True), {})
        assert not isinstance(outcome, Drop) or "mistake of ours" not in outcome.detail, outcome
    return bool(told.messages or told.catalogue or told.drops or told.warnings or told.request or told.come_again)


@pytest.mark.parametrize(("site", "topic", "payload"), DELIVERIES)
def test_no_damage_of_a_payload_fails_or_is_silent(site: Site, topic: str, payload: dict[str, Any]) -> None:
    ways = places(payload)

    @given(st.sampled_from(ways), json_values, st.booleans())
    @settings(max_examples=60, deadline=None)
    def harm(way: tuple[Any, ...], new: object, removed: bool) -> None:
        assert says_something(site, topic, damaged(payload, way, new, removed=removed))

    harm()


@pytest.mark.parametrize(("site", "topic", "payload"), DELIVERIES)
def test_what_is_no_payload_at_all_is_told(site: Site, topic: str, payload: dict[str, Any]) -> None:
    nothings: list[object] = [None, [], {}, "", 0, 1.5, True, [payload], "null", {"id": None}, {"id": {}}]
    for nothing in nothings:
        assert says_something(site, topic, nothing), nothing


class Watched(dict[str, Any]):
    """An object of a payload that remembers which of its fields were read, by their places in the payload."""

    def __init__(self, value: dict[str, Any], way: tuple[Any, ...], read: set[tuple[Any, ...]]) -> None:
        super().__init__({name: watched(child, (*way, name), read) for name, child in value.items()})
        self._way, self._read = way, read

    def get(self, name: str, default: Any = None) -> Any:
        self._read.add((*self._way, name))
        return super().get(name, default)


def watched(value: Any, way: tuple[Any, ...], read: set[tuple[Any, ...]]) -> Any:
    if isinstance(value, dict):
        return Watched(value, way, read)
    if isinstance(value, list):
        return [watched(child, (*way, place), read) for place, child in enumerate(value)]
    return value


def value_at(payload: Any, way: tuple[Any, ...]) -> Any:
    for step in way:
        payload = payload[step] if isinstance(payload, list) else payload.get(step) if payload else None
    return payload


@pytest.mark.parametrize(("site", "topic", "payload"), DELIVERIES)
def test_every_field_that_is_read_is_told_of_when_it_has_another_type(
    site: Site, topic: str, payload: dict[str, Any]
) -> None:
    read: set[tuple[Any, ...]] = set()
    translated(site, topic, watched(payload, (), read))
    # Attributes of orders are anybody's: whatever the others hold is nobody's concern.
    ways = [
        way for way in read if value_at(payload, way) is not None and way[0] not in {"note_attributes", "meta_data"}
    ]
    silent = [
        (way, new)
        for way in ways
        for new in ([True], True, {"a": 1})
        if type(new) is not type(value_at(payload, way))
        and not _is_told(site, topic, damaged(payload, way, new, removed=False))
    ]
    assert ways
    assert silent == []


def _is_told(site: Site, topic: str, payload: object) -> bool:
    told = translated(site, topic, payload)
    return bool(told.warnings or told.drops)


@pytest.mark.parametrize("new", ["x", 7, True, [1], {"a": 1}])
def test_a_field_of_another_type_is_named_without_its_value(new: object) -> None:
    order = shopify_payloads.order(line_items=new, discount_codes=[new], total_price={"secret": "value"})
    warnings = translated(shopify_payloads.SITE, "orders/create", order).warnings
    told = " ".join(warning.detail for warning in warnings)
    assert "total_price is not a number: passed over" in told
    assert ("line_items is not a list" in told) or isinstance(new, list)
    assert ("discount_codes[0] is not an object" in told) or isinstance(new, dict)
    assert "secret" not in told
