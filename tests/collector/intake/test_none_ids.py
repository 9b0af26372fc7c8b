"""Ids that stand where there is none."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.intake.draft import DropReason, Receipt, WarningReason
from collector.intake.none_ids import NONE_IDS, is_none
from collector.intake.pipeline import Outcome, run
from collector.sites import Site
from tests.collector.messages import NOON, SHOP, dropped, message, props
from warehouse.event import EventRow

NIL: Final = "00000000-0000-0000-0000-000000000000"
SENDERS: Final = [
    Receipt(received_at=NOON),
    Receipt(received_at=NOON, is_from_server=True),
    Receipt(received_at=NOON, source="import"),
]
PLACEHOLDERS: Final[list[Any]] = [
    *(0, 0.0, -1, -1.0, "0", "-1", "0.0", "-0", "00", "+0", "0x0"),
    *(
        NIL,
        NIL.replace("-", ""),
        f"{{{NIL}}}",
        f'"{NIL}"',
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
    ),
    *("undefined", "Undefined", "UNDEFINED", " undefined ", '"undefined"', "'undefined'", "`undefined`"),
    *("null", "NULL", "(null)", "<null>", "[null]", "none", "None", "nil", "nan", "NaN", "-NaN", "Infinity", "-inf"),
    *("guest", "Guest", " GUEST\n", "anonymous", "Anonymous", "unknown", "not_authenticated", "Not Authenticated"),
    *(
        "notAuthenticated",
        "not-authenticated",
        "logged out",
        "[object Object]",
        "[Object object]",
        "true",
        "false",
        "True",
    ),
    *("distinct_id", "distinctId", "anonymousid", "anonymousId", "userId", "user_id", "id", "email"),
    *("{{ user.id }}", "{{customer.id}}", "${userId}", "%{user_id}", "<%= user.id %>", "#{user.id}", "%user_id%"),
    *("   ", '""', "''", "-", "--", "null\u200b", "\ufeffnull", "ｎｕｌｌ", True, False, [], {}, ["a"], {"id": 7}),
]
REAL: Final[list[Any]] = [
    *(1, 7, 10, 100, -2, 42.0, 1.7e18, 1729384756102938475, "1", "10", "000123", "0123", "1e3", "guest-17", "guest17"),
    *("anna", "nullmann", "nonette", "ann@example.com", "0192f0c1-7e4b-7c3a-9a51-6f0d3b8c2e11", "trueman", "x" * 128),
    *("00000000-0000-0000-0000-000000000001", "李", "undefined17"),
]


def made(sent: dict[str, Any], receipt: Receipt = SENDERS[1], site: Site = SHOP) -> Outcome:
    return run([msgspec.Raw(msgspec.json.encode(sent))], site, receipt, {})


def ids(row: EventRow) -> tuple[str, str, str]:
    return row.visitor_id, row.anonymous_id, row.user_id


@pytest.mark.parametrize("receipt", SENDERS)
@pytest.mark.parametrize("user", PLACEHOLDERS)
def test_a_user_id_that_is_none_leaves_the_event_to_its_browser(user: object, receipt: Receipt) -> None:
    for kind in ("track", "identify", "page", "alias"):
        outcome = made(message(type=kind, userId=user), receipt)
        ((row,), (warning,)) = outcome.rows, outcome.warnings
        assert ids(row) == ("cookie", "cookie", "")
        assert warning.reason is WarningReason.ID_IS_NONE
        assert warning.detail.startswith("userId ")


@pytest.mark.parametrize("anonymous", PLACEHOLDERS)
def test_an_anonymous_id_that_is_none_is_no_browser(anonymous: object) -> None:
    outcome = made(message(anonymousId=anonymous, userId="ada"))
    assert [ids(row) for row in outcome.rows] == [("ada", "", "ada")]
    assert [warning.reason for warning in outcome.warnings] == [WarningReason.ID_IS_NONE]


@pytest.mark.parametrize("user", ["undefined", 0, False, {}])
def test_an_event_without_another_id_is_dropped_and_told_why(user: object) -> None:
    for fields in ({"userId": user, "anonymousId": None}, {"anonymousId": user}, {"userId": user, "anonymousId": user}):
        drop = dropped(message(**fields))
        assert drop.reason is DropReason.NO_VISITOR
        assert "placeholder" in drop.detail
        assert "real_ids" in drop.detail


def test_no_id_at_all_is_what_it_was() -> None:
    drop = dropped(message(anonymousId=None, userId=""))
    assert (drop.reason, drop.detail) == (DropReason.NO_VISITOR, "give anonymousId or userId")


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_user_id_is_no_news(empty: object) -> None:
    assert made(message(userId=empty)).warnings == []


@pytest.mark.parametrize("previous", PLACEHOLDERS)
def test_an_alias_of_an_id_that_is_none_joins_nothing(previous: object) -> None:
    (row,) = made({"type": "alias", "previousId": previous, "userId": "ada", "messageId": "m"}).rows
    assert ids(row) == ("ada", "", "ada")
    (row,) = made({"type": "alias", "previousId": "b", "userId": previous, "messageId": "m"}).rows
    assert ids(row) == ("b", "b", "")


@pytest.mark.parametrize("group", PLACEHOLDERS)
def test_a_group_that_is_none_is_no_group(group: object) -> None:
    outcome = made(message(type="group", event=None, groupId=group, traits={"name": "Firm"}))
    (row,) = outcome.rows
    assert "group_id" not in props(row)
    assert [warning.detail[:8] for warning in outcome.warnings] == ["groupId "]


@pytest.mark.parametrize("user", REAL)
def test_a_real_id_stays(user: object) -> None:
    outcome = made(message(userId=user))
    assert outcome.warnings == []
    assert outcome.rows[0].user_id == (f"{user:.0f}" if isinstance(user, float) else str(user))


def test_ids_that_are_set_apart_are_looked_at_without_their_sign() -> None:
    assert made(message(anonymousId="~undefined", userId="ada")).rows[0].anonymous_id == ""


def test_a_site_adds_to_the_list_and_takes_from_it() -> None:
    site = msgspec.structs.replace(SHOP, none_ids=("Gast", "99"), real_ids=("guest", "0"))
    for user, is_real in (("gast", False), ("GAST ", False), (99, False), ("Guest", True), (0, True), ("null", False)):
        (row,) = made(message(userId=user), site=site).rows
        assert bool(row.user_id) is is_real, user


@pytest.mark.parametrize("name", sorted(NONE_IDS))
def test_everything_on_the_list_is_none_in_any_case_and_quoting(name: str) -> None:
    for written in (name, name.upper(), name.title(), f" {name} ", f'"{name}"', f"[{name}]"):
        assert is_none(written, SHOP), written


@given(st.text(max_size=100), st.sampled_from(["", "'", '"']))
def test_an_id_is_none_whatever_quotes_are_around_it(text: str, quote: str) -> None:
    assert is_none(f"{quote}{text}{quote}", SHOP) == is_none(text, SHOP) or len(text) > 76


@pytest.mark.parametrize(
    ("trait", "value", "is_kept"),
    [
        *(
            (name, value, False)
            for name in ("email", "phone")
            for value in ("null", "undefined", "N/A", 0, "0", False, " none ")
        ),
        ("email", "ann@example.com", True),
        ("phone", "+4915112345678", True),
        ("phone", 4915112345678, True),
        ("first_name", "undefined", False),
        ("firstName", "NULL", False),
        ("first_name", "Guest", True),
        ("first_name", "None", True),
        ("plan", "undefined", True),
    ],
)
@pytest.mark.parametrize("kind", ["identify", "group"])
def test_an_address_that_is_none_is_passed_over(kind: str, trait: str, value: object, is_kept: bool) -> None:
    outcome = made(message(type=kind, event=None, traits={trait: value, "a": 1}))
    (row,) = outcome.rows
    assert props(row)["traits"] == ({trait: value, "a": 1} if is_kept else {"a": 1})
    assert [warning.reason for warning in outcome.warnings] == [] if is_kept else [WarningReason.ID_IS_NONE]
