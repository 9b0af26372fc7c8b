"""The steps that find what every event must have, or drop it."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from collector.intake.draft import Drop, DropReason, Receipt
from tests.collector.messages import NOON, RECEIPT, SHOP, dropped, kept, message, processed
from warehouse.limits import MAX_ID_LENGTH, MAX_NAME_LENGTH
from warehouse.vocabulary import SEGMENT_EVENT_NAMES

OPTED_OUT: Final = Receipt(received_at=NOON, opted_out=True)
YES: Final = {"analytics": True}
NO: Final = {"analytics": False}
UNASKED: Final[dict[str, bool]] = {}


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


@pytest.mark.parametrize(("segments", "ours"), SEGMENT_EVENT_NAMES.items())
def test_segments_commerce_names_are_translated(segments: str, ours: str) -> None:
    assert kept(message(event=segments)).event == ours


@pytest.mark.parametrize("name", ["view_item", "Colour Picked", "größe_gewählt", "x" * MAX_NAME_LENGTH])
def test_other_names_are_kept(name: str) -> None:
    assert kept(message(event=f" {name} ")).event == name


@pytest.mark.parametrize("name", [None, "", "  ", "x" * (MAX_NAME_LENGTH + 1), "a\nb", "a\u0000b", "a\u202eb"])
def test_a_name_that_cannot_be_shown_in_a_list_is_refused(name: str | None) -> None:
    assert dropped(message(event=name)).reason is DropReason.NO_NAME


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("page", "page_view"),
        ("screen", "screen_view"),
        ("identify", "identify"),
        ("group", "group"),
        ("alias", "alias"),
    ],
)
def test_calls_other_than_track_are_named_by_their_type(kind: str, name: str) -> None:
    row = kept(message(type=kind, event=None, userId="ada"))
    assert (row.type, row.event) == (kind, name)


@pytest.mark.parametrize(
    ("mode", "answer", "receipt", "stored"),
    [
        ("opt-out", UNASKED, RECEIPT, True),
        ("opt-out", YES, RECEIPT, True),
        ("opt-out", NO, RECEIPT, False),
        ("opt-out", UNASKED, OPTED_OUT, False),
        ("opt-out", YES, OPTED_OUT, True),
        ("opt-out", NO, OPTED_OUT, False),
        ("opt-in", UNASKED, RECEIPT, False),
        ("opt-in", YES, RECEIPT, True),
        ("opt-in", NO, RECEIPT, False),
        ("opt-in", UNASKED, OPTED_OUT, False),
        ("opt-in", YES, OPTED_OUT, True),
        ("off", UNASKED, RECEIPT, True),
        ("off", NO, RECEIPT, True),
        ("off", UNASKED, OPTED_OUT, True),
    ],
)
def test_only_what_the_visitor_agreed_to_is_kept(mode: Any, answer: Any, receipt: Receipt, stored: bool) -> None:
    site = msgspec.structs.replace(SHOP, consent=mode)
    outcome = processed(message(context={"consent": answer}), site=site, receipt=receipt)
    if stored:
        assert not isinstance(outcome, Drop)
    else:
        assert isinstance(outcome, Drop)
        assert outcome.reason is DropReason.NO_CONSENT


@pytest.mark.parametrize("answer", [2, "perhaps", "", {"analytics": {"state": "no"}}, [True], None])
def test_only_a_yes_is_agreement(answer: object) -> None:
    site = msgspec.structs.replace(SHOP, consent="opt-in")
    assert isinstance(processed(message(context={"consent": {"analytics": answer}}), site=site), Drop)


@pytest.mark.parametrize("event", ["consent", "unsubscribed", "push_subscribed"])
@pytest.mark.parametrize("mode", ["opt-in", "opt-out"])
def test_the_record_of_what_was_answered_is_always_kept(event: str, mode: Any) -> None:
    site = msgspec.structs.replace(SHOP, consent=mode)
    kept(message(event=event, context={"consent": NO}), site=site, receipt=OPTED_OUT)


def test_history_is_the_shops_own_affair() -> None:
    site = msgspec.structs.replace(SHOP, consent="opt-in")
    kept(message(), site=site, receipt=Receipt(received_at=NOON, source="import"))
