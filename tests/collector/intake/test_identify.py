from __future__ import annotations

from typing import Any

import pytest

from collector.intake.drops import DropReason
from tests.collector.messages import dropped, kept, message
from warehouse.limits import MAX_ID_LENGTH


@pytest.mark.parametrize(
    ("ids", "visitor", "anonymous", "user"),
    [
        ({"anonymousId": "cookie"}, "cookie", "cookie", ""),
        ({"anonymousId": None, "userId": "ada"}, "ada", "", "ada"),
        ({"anonymousId": "cookie", "userId": "ada"}, "ada", "cookie", "ada"),
        ({"anonymousId": "cookie", "userId": ""}, "cookie", "cookie", ""),
        ({"anonymousId": " cookie ", "userId": 42}, "42", "cookie", "42"),
        ({"anonymousId": None, "userId": 42.0}, "42", "", "42"),
        ({"anonymousId": "x" * MAX_ID_LENGTH}, "x" * MAX_ID_LENGTH, "x" * MAX_ID_LENGTH, ""),
    ],
)
def test_a_visitor_is_the_person_when_known(ids: dict[str, Any], visitor: str, anonymous: str, user: str) -> None:
    row = kept(message(**ids))
    assert (row.visitor_id, row.anonymous_id, row.user_id) == (visitor, anonymous, user)


def test_an_alias_joins_the_previous_id_to_the_person() -> None:
    row = kept(message(type="alias", event=None, anonymousId=None, previousId="old", userId="ada"))
    assert (row.visitor_id, row.anonymous_id, row.user_id) == ("ada", "old", "ada")


@pytest.mark.parametrize("ids", [{"anonymousId": None}, {"anonymousId": ""}, {"anonymousId": "  ", "userId": ""}])
def test_an_event_of_nobody_is_not_kept(ids: dict[str, Any]) -> None:
    assert dropped(message(**ids)).reason is DropReason.NO_VISITOR


@pytest.mark.parametrize("field", ["anonymousId", "userId", "messageId"])
def test_an_id_beyond_the_limit_is_refused_rather_than_cut(field: str) -> None:
    assert dropped(message(**{field: "x" * (MAX_ID_LENGTH + 1)})).reason is DropReason.BAD_ID


@pytest.mark.parametrize(("given", "stored"), [("m-1", "m-1"), (7, "7"), (" m ", "m")])
def test_the_senders_message_id_is_the_events(given: Any, stored: str) -> None:
    assert kept(message(messageId=given)).event_id == stored


def test_a_message_without_an_id_has_the_same_one_when_sent_again() -> None:
    sent = message(messageId=None, properties={"a": 1, "b": 2})
    again = message(messageId=None, properties={"b": 2, "a": 1})
    assert kept(sent).event_id == kept(again).event_id


def test_different_messages_without_an_id_are_different_events() -> None:
    assert kept(message(messageId=None)).event_id != kept(message(messageId=None, event="search")).event_id


def test_a_message_without_id_and_time_is_a_new_event_each_time() -> None:
    sent = message(messageId=None, timestamp=None)
    assert kept(sent).event_id != kept(sent).event_id
