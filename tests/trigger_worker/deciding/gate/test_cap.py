from __future__ import annotations

import pytest

from trigger_worker.deciding.gate.cap import Cap, MessageKind
from trigger_worker.rules.model import MessageClass


@pytest.mark.parametrize(
    ("kind", "channel", "tags", "message_class", "covered"),
    [
        (MessageKind(), "email", set(), "marketing", True),
        (MessageKind(channel="email"), "email", set(), "transactional", True),
        (MessageKind(channel="email"), "banner", set(), "marketing", False),
        (MessageKind(tag="discount"), "email", {"discount", "new"}, "marketing", True),
        (MessageKind(tag="discount"), "email", {"new"}, "marketing", False),
        (MessageKind(without="help"), "email", {"new"}, "marketing", True),
        (MessageKind(without="help"), "email", {"help", "new"}, "marketing", False),
        (MessageKind(message_class="marketing"), "email", set(), "transactional", False),
        (MessageKind(channel="email", tag="discount"), "sms", {"discount"}, "marketing", False),
    ],
)
def test_a_kind_covers_what_fits_all_its_words(
    kind: MessageKind, channel: str, tags: set[str], message_class: MessageClass, covered: bool
) -> None:
    assert kind.covers(channel, frozenset(tags), message_class) is covered


def test_a_cap_describes_itself_as_the_file_does() -> None:
    emails = MessageKind(channel="email", message_class="marketing")
    assert Cap(max=1, per_ms=3_600_000, obeys=emails, counts=emails).described() == {
        "channel": "email",
        "class": "marketing",
        "max": 1,
        "per": "1h",
    }
    assert Cap(max=2, per_ms=60_000, obeys=MessageKind(without="urgent"), counts=emails).described() == {
        "obeys": {"without": "urgent"},
        "counts": {"channel": "email", "class": "marketing"},
        "max": 2,
        "per": "1m",
    }
