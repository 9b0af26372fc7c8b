"""What a visitor allows to be sent, and where nothing must be sent any more: from their events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from trigger_worker.deciding.gate.facts import Consent
from trigger_worker.deciding.recipient.addresses import normalised
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.language.duration import DAY_MS
from warehouse.answers import ANSWER_EVENTS, Answers

#: However long ago somebody said no, it holds: 50 years, which is longer than anything is kept.
_FOREVER_MS: Final = 50 * 365 * DAY_MS

#: The events that a permission is made from, with how far back they matter.
PERMISSION_LOOKBACK_MS: Final[Mapping[str, int]] = dict.fromkeys(
    ("identify", *sorted(ANSWER_EVENTS), "email_bounced", "email_complained"), _FOREVER_MS
)


class Permission(msgspec.Struct, frozen=True):
    """What may be sent to a visitor.

    Args:
        consent: the latest word on marketing, and on each channel.
        unsubscribed: channels that the visitor left and did not come back to.
        suppressed: by normalised address, why nothing goes there any more: `bounced` or `complained`.
    """

    consent: Consent
    unsubscribed: frozenset[str]
    suppressed: Mapping[str, str]


def build_permission(events: Iterable[Event]) -> Permission:
    """Returns what a visitor's events say.

    Args:
        events: at least those of `PERMISSION_LOOKBACK_MS`, in order; others are passed over.
    """
    reading = _Reading()
    for event in events:
        reading.take(event)
    said = reading.answers
    consent = Consent(said.marketing, said.channels, said.analytics)
    return Permission(consent, frozenset(said.left), reading.suppressed)


class _Reading:
    """What was said and what was learned so far."""

    def __init__(self) -> None:
        self.answers = Answers()
        self.suppressed: dict[str, str] = {}
        self._email = ""

    def take(self, event: Event) -> None:
        if event.name == "identify":
            self._identify(event.fields.get("traits"))
        elif event.name == "email_complained":
            self._suppress(event, "complained")
        elif event.name == "email_bounced" and event.fields.get("kind") != "soft":
            self._suppress(event, "bounced")
        else:
            self.answers.take(event.name, event.fields)

    def _identify(self, traits: object) -> None:
        if not isinstance(traits, dict):
            return
        if isinstance(traits.get("email"), str):
            self._email = traits["email"]
        if isinstance(traits.get("consent"), dict):
            self.answers.take("consent", traits["consent"])

    def _suppress(self, event: Event, cause: str) -> None:
        """Stops an address: the one that the event names, else the one that was theirs at that time."""
        named = event.fields.get("address")
        address = normalised(named if isinstance(named, str) else self._email)
        if address:
            self.suppressed.setdefault(address, cause)
