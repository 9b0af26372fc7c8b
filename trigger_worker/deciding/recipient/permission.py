"""Build a person's permission from the person's events: consent, unsubscribed channels, suppressed addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.language.duration import DAY_MS
from warehouse.addresses import normalised
from warehouse.answers import ANSWER_EVENTS, Answers

#: However long ago somebody said no, it holds: 50 years, which is longer than anything is kept.
_FOREVER_MS: Final = 50 * 365 * DAY_MS

#: By name of the events that a permission is built from, how far back they matter, ms.
PERMISSION_LOOKBACK_MS: Final[Mapping[str, int]] = dict.fromkeys(
    ("identify", *sorted(ANSWER_EVENTS), "email_bounced", "email_complained"), _FOREVER_MS
)


class Consent(msgspec.Struct, frozen=True):
    """The person's answers: True, False, or None (or absent) where never asked.

    The gate does not ask about `analytics`: it is about what is recorded, also of opening and clicking a message.
    """

    marketing: bool | None = None
    channels: Mapping[str, bool] = {}
    analytics: bool | None = None


class Permission(msgspec.Struct, frozen=True):
    """The channels and addresses on which a person may be sent messages.

    Args:
        consent: the latest answer on marketing, and on each channel.
        unsubscribed: channels that the person left and did not come back to.
        suppressed: by normalised address, why nothing goes there any more: `bounced` or `complained`.
    """

    consent: Consent
    unsubscribed: frozenset[str]
    suppressed: Mapping[str, str]


class PermissionReading:
    """The permission that a person's events give, read in order: at least those of `PERMISSION_LOOKBACK_MS`."""

    def __init__(self) -> None:
        self._answers = Answers()
        self._suppressed: dict[str, str] = {}
        self._email = ""

    def permission(self) -> Permission:
        """Return the permission that the events read so far give; it stays as it is."""
        said = self._answers
        consent = Consent(said.marketing, dict(said.channels), said.analytics)
        return Permission(consent, frozenset(said.left), dict(self._suppressed))

    def take(self, event: Event) -> None:
        """Read the next event; others than those of `PERMISSION_LOOKBACK_MS` change nothing."""
        if event.name == "identify":
            self._identify(event.fields.get("traits"))
        elif event.name == "email_complained":
            self._suppress(event, "complained")
        elif event.name == "email_bounced" and event.fields.get("kind") != "soft":
            self._suppress(event, "bounced")
        else:
            self._answers.take(event.name, event.fields)

    def _identify(self, traits: object) -> None:
        if not isinstance(traits, dict):
            return
        if "email" in traits:
            named = traits["email"]
            self._email = named if isinstance(named, str) else ""
        self._answers.take_traits(traits)

    def _suppress(self, event: Event, cause: str) -> None:
        """Suppress the address that an event names, else the person's email address at that time."""
        named = event.fields.get("address")
        address = normalised(named if isinstance(named, str) else self._email)
        if address:
            self._suppressed.setdefault(address, cause)
