from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector.intake.draft import DropReason
from tests.collector.messages import SHOP, dropped, kept, message, props
from warehouse.limits import MAX_EVENT_BYTES, MAX_TEXT_LENGTH


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (7, 7.0),
        (7.25, 7.25),
        ("7.25", 7.25),
        (" 7 ", 7.0),
        ("1e3", 1000.0),
        (0, 0.0),
        (-3, -3.0),
        (2**63, float(2**63)),
    ],
)
def test_what_reads_as_a_number_is_one(sent: Any, stored: float) -> None:
    row = kept(message(properties={"price": sent}))
    assert row.price == stored
    assert not row.props


@pytest.mark.parametrize("sent", ["free", "1,500", True, [1], {"a": 1}, "nan", "inf", "1e999"])
def test_what_is_no_number_stays_among_the_properties(sent: Any) -> None:
    row = kept(message(properties={"price": sent}))
    assert row.price is None
    assert props(row) == {"price": sent}


@pytest.mark.parametrize(("sent", "stored"), [("tent", "tent"), (7, "7"), (7.0, "7"), (7.5, "7.5"), (" tent ", "tent")])
def test_what_reads_as_text_is_text(sent: Any, stored: str) -> None:
    row = kept(message(properties={"product_id": sent}))
    assert row.product_id == stored
    assert not row.props


@pytest.mark.parametrize("sent", [["a"], {"a": 1}, True, False])
def test_what_is_no_text_stays_among_the_properties(sent: Any) -> None:
    row = kept(message(properties={"name": sent}))
    assert row.name == ""
    assert props(row) == {"name": sent}


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_property_is_absent(empty: Any) -> None:
    row = kept(message(properties={"price": empty, "name": empty, "note": empty}))
    assert (row.price, row.name, row.props) == (None, "", "")


def test_falsehood_and_nought_are_not_empty() -> None:
    assert props(kept(message(properties={"gift": False, "count": 0}))) == {"gift": False, "count": 0}


def test_text_is_cut_at_its_limit_and_other_properties_are_not() -> None:
    long = "x" * (MAX_TEXT_LENGTH + 1)
    row = kept(message(properties={"name": long, "note": long}))
    assert (len(row.name), props(row)) == (MAX_TEXT_LENGTH, {"note": long})


@pytest.mark.parametrize("name", ["site", "ts", "event_id", "visitor_id", "source", "retention_days", "props", "event"])
def test_a_property_cannot_reach_a_column_that_is_ours(name: str) -> None:
    row = kept(message(properties={name: "forged"}))
    assert getattr(row, name) == getattr(kept(message(properties={"other": "x"})), name) or name == "props"
    assert props(row) == {name: "forged"}


def test_a_row_carries_its_sites_name_and_retention() -> None:
    site = msgspec.structs.replace(SHOP, name="other", retention_days=30)
    row = kept(message(), site=site)
    assert (row.site, row.retention_days) == ("other", 30)


@pytest.mark.parametrize("kind", ["identify", "group"])
def test_traits_are_kept_where_they_belong(kind: str) -> None:
    row = kept(message(type=kind, traits={"email": "ada@shop.example", "plan": {"name": "pro"}}))
    assert props(row) == {"traits": {"email": "ada@shop.example", "plan": {"name": "pro"}}}


@pytest.mark.parametrize("nothing", ["", None])
def test_a_trait_that_is_taken_away_is_null(nothing: object) -> None:
    row = kept(message(type="identify", traits={"email": "ada@shop.example", "phone": nothing}))
    assert props(row) == {"traits": {"email": "ada@shop.example", "phone": None}}


def test_traits_of_other_calls_are_not_kept() -> None:
    assert kept(message(traits={"email": "ada@shop.example"})).props == ""


@pytest.mark.parametrize(("filler", "fits"), [(MAX_EVENT_BYTES - 2048, True), (MAX_EVENT_BYTES, False)])
def test_an_event_may_have_so_many_bytes_as_stored(filler: int, fits: bool) -> None:
    sent = message(properties={"note": "x" * filler})
    if fits:
        kept(sent)
    else:
        drop = dropped(sent)
        assert drop.reason is DropReason.TOO_LARGE
        assert str(MAX_EVENT_BYTES) in drop.detail


def test_a_group_call_keeps_the_groups_id_beside_its_traits() -> None:
    row = kept(message(type="group", event=None, groupId=17, traits={"plan": "ridge"}))
    assert props(row) == {"group_id": "17", "traits": {"plan": "ridge"}}


@pytest.mark.parametrize(
    ("fields", "traits"),
    [
        ({"context": {"traits": {"plan": "pro"}}}, {"plan": "pro"}),
        ({"traits": None, "context": {"traits": {"plan": "pro"}}}, {"plan": "pro"}),
        ({"traits": {"plan": "free"}, "context": {"traits": {"plan": "pro"}}}, {"plan": "free"}),
        ({"context": {"traits": ["plan"]}}, None),
        ({"context": {"traits": None}}, None),
    ],
)
def test_an_identify_may_have_its_traits_in_its_context_as_rudderstack_puts_them(
    fields: dict[str, Any], traits: dict[str, str] | None
) -> None:
    sent = {"type": "identify", "messageId": "m", "anonymousId": "cookie", **fields}
    assert props(kept(sent)).get("traits") == traits


def test_traits_in_the_context_of_any_other_call_are_not_kept() -> None:
    row = kept(message(context={"traits": {"email": "ann@shop.example"}}))
    assert "ann@" not in row.props
