"""Who may say what: each reserved name and property, for each sender."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from collector.intake.draft import Drop, DropReason, Receipt, Sender
from collector.intake.who_may_say import PERSONAL_EVENTS, RESERVED_EVENTS
from tests.collector.messages import NOON, SHOP, dropped, kept, message, processed, props
from warehouse.own_event import HISTORY_CHANGED
from warehouse.vocabulary import ANSWER_SOURCES, EVENT_NAMES, MESSAGE_EVENTS

PAGE: Final = Receipt(received_at=NOON)
SERVER: Final = Receipt(received_at=NOON, is_from_server=True)
IMPORT: Final = Receipt(received_at=NOON, source="import")
SENDERS: Final[dict[Sender, Receipt]] = {"page": PAGE, "server": SERVER, "import": IMPORT}
#: What the SDK itself reports of banners, and what visitors say of themselves.
OF_PAGES: Final = {"message_shown", "message_clicked", "message_dismissed", "message_failed", "unsubscribed"}


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("event", sorted(RESERVED_EVENTS))
def test_a_reserved_event_is_kept_of_those_who_may_send_it_and_dropped_of_others(event: str, sender: Sender) -> None:
    outcome = processed(message(event=event), receipt=SENDERS[sender])
    if sender in RESERVED_EVENTS[event]:
        assert not isinstance(outcome, Drop)
    else:
        assert isinstance(outcome, Drop)
        assert outcome.reason is DropReason.RESERVED
        assert event in outcome.detail


def test_of_the_events_about_messages_pages_send_only_what_pages_can_know() -> None:
    open_to_pages = {name for name in MESSAGE_EVENTS if "page" in RESERVED_EVENTS.get(name, SENDERS)}
    assert open_to_pages == OF_PAGES


@pytest.mark.parametrize("event", sorted(EVENT_NAMES - MESSAGE_EVENTS))
def test_what_visitors_do_is_everybodys_to_tell(event: str) -> None:
    for receipt in SENDERS.values():
        kept(message(event=event), receipt=receipt)


def test_nobody_tells_workers_that_a_history_was_changed() -> None:
    for receipt in SENDERS.values():
        assert dropped(message(event=HISTORY_CHANGED), receipt=receipt).reason is DropReason.RESERVED


@pytest.mark.parametrize("event", [" email_bounced ", "email_bounced\n", "\temail_bounced"])
def test_blanks_around_a_name_do_not_hide_it(event: str) -> None:
    assert dropped(message(event=event)).reason is DropReason.RESERVED


@pytest.mark.parametrize("mode", ["opt-in", "opt-out", "off"])
def test_a_reserved_event_is_refused_as_such_whatever_was_agreed_to(mode: Any) -> None:
    site = msgspec.structs.replace(SHOP, consent=mode)
    assert dropped(message(event="email_bounced"), site=site).reason is DropReason.RESERVED


@pytest.mark.parametrize("event", ["consent", "unsubscribed", "subscribe"])
@pytest.mark.parametrize(
    ("receipt", "said", "source"),
    [
        (PAGE, None, "page"),
        (PAGE, "", "page"),
        (PAGE, "call_centre", "page"),
        (PAGE, "preference_page", "page"),
        (PAGE, ["server"], "page"),
        (msgspec.structs.replace(PAGE, user_agent="python-httpx/0.28"), None, "page"),
        (SERVER, None, "server"),
        (SERVER, "call_centre", "call_centre"),
        (SERVER, {"a": 1}, "server"),
        *((SERVER, ours, "server") for ours in sorted(ANSWER_SOURCES)),
        (IMPORT, None, "import"),
        (IMPORT, "sms_reply", "sms_reply"),
    ],
)
def test_an_answer_says_where_it_was_given(event: str, receipt: Receipt, said: object, source: str) -> None:
    row = kept(message(event=event, properties={"marketing": False, "source": said}), receipt=receipt)
    assert (props(row)["marketing"], props(row)["source"]) == (False, source)


@pytest.mark.parametrize("kind", ["identify", "track"])
def test_an_answer_that_comes_as_a_trait_says_it_too(kind: str) -> None:
    traits = {"consent": {"marketing": True, "source": "preference_page"}, "plan": "gold"}
    content = {"traits": traits} if kind == "identify" else {"properties": {"traits": traits}}
    row = kept(message(type=kind, event="identify" if kind == "track" else None, **content))
    assert props(row)["traits"] == {"consent": {"marketing": True, "source": "page"}, "plan": "gold"}


@pytest.mark.parametrize("traits", [{"consent": None, "a": 1}, {"consents": "yes"}, {}])
def test_a_trait_that_is_no_answer_stays_as_it_is(traits: dict[str, Any]) -> None:
    assert props(kept(message(type="identify", event=None, traits=traits))).get("traits", {}) == traits


def test_what_is_no_answer_says_nothing_of_a_source() -> None:
    assert "source" not in props(kept(message(properties={"colour": "pine"})))
    assert props(kept(message(properties={"source": "shelf"})))["source"] == "shelf"


@pytest.mark.parametrize("event", [*sorted(PERSONAL_EVENTS), "view_item"])
@pytest.mark.parametrize(("sender", "voucher"), [("page", None), ("server", "server"), ("import", "import")])
@pytest.mark.parametrize("claimed", [None, "server", "signature", ["server"]])
def test_who_vouches_for_what_is_personal_is_ours_to_write(
    event: str, sender: Sender, voucher: str | None, claimed: object
) -> None:
    row = kept(message(event=event, properties={"proven_by": claimed}), receipt=SENDERS[sender])
    assert props(row).get("proven_by") == (voucher if event in PERSONAL_EVENTS else None)
