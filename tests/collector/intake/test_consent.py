from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from collector.intake.draft import Receipt
from collector.intake.drops import Drop, DropReason
from tests.collector.messages import NOON, RECEIPT, SHOP, kept, message, processed, props

OPTED_OUT = Receipt(received_at=NOON, opted_out=True)
YES: Final = {"analytics": True}
NO: Final = {"analytics": False}
UNASKED: Final[dict[str, bool]] = {}


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


@pytest.mark.parametrize("answer", [1, "yes", "true", {"analytics": True}, [True], None])
def test_only_a_plain_yes_is_agreement(answer: object) -> None:
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


@pytest.mark.parametrize("event", ["consent", "unsubscribed"])
@pytest.mark.parametrize(
    ("receipt", "said", "source"),
    [
        (Receipt(received_at=NOON, user_agent="Mozilla/5.0 (X11; Linux x86_64)"), {}, "page"),
        (Receipt(received_at=NOON, user_agent="python-httpx/0.28"), {}, "server"),
        (Receipt(received_at=NOON), {}, "server"),
        (Receipt(received_at=NOON, source="import"), {}, "import"),
        (RECEIPT, {"source": "call_centre"}, "call_centre"),
    ],
)
def test_an_answer_says_where_it_was_given(event: str, receipt: Receipt, said: dict[str, str], source: str) -> None:
    row = kept(message(event=event, properties={"marketing": False, **said}), receipt=receipt)
    assert props(row) == {"marketing": False, "source": source}


def test_what_is_no_answer_says_nothing_of_it() -> None:
    assert "source" not in props(kept(message(properties={"colour": "pine"})))
