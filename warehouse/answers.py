"""Reads a person's answers about messages: the one meaning of `consent`, `unsubscribed` and `subscribe`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: The events that are answers.
ANSWER_EVENTS: Final = frozenset({"consent", "unsubscribed", "subscribe"})
_DEFAULT_CHANNEL: Final = "email"
#: The collector's name for the source of an answer that a page sent.
_PAGE: Final = "page"


class Answers:
    """The latest answers of a person, from the answers taken so far.

    Attributes:
        marketing, analytics: True, False, or None where never asked.
        channels: by name, whether the channel may be used at all; absent where never asked.
        left: channels that the person unsubscribed from and did not come back to.
    """

    def __init__(self) -> None:
        self.marketing: bool | None = None
        self.analytics: bool | None = None
        self.channels: dict[str, bool] = {}
        self.left: set[str] = set()

    def take(self, event: str, properties: Mapping[str, Any]) -> None:
        """Take the next answer; other events are ignored, and so is a value that is neither true nor false."""
        if event == "unsubscribed":
            self.left.add(_channel(properties))
        elif event == "subscribe":
            self.left.discard(_channel(properties))
        elif event == "consent":
            self._consent(properties)

    def _consent(self, properties: Mapping[str, Any]) -> None:
        """Take a `consent` event; a yes that a page only repeats does not undo an `unsubscribed`.

        Consent dialogues repeat on every visit the choice once made in them, and know nothing of the link in an email;
        a person who answers START, or comes to the preference page, means it.
        """
        from_page = properties.get("source") == _PAGE
        marketing, analytics = properties.get("marketing"), properties.get("analytics")
        if isinstance(marketing, bool):
            if marketing and not (from_page and self.marketing):
                self.left.clear()
            self.marketing = marketing
        if isinstance(analytics, bool):
            self.analytics = analytics
        for name, allowed in _yes_or_no(properties.get("channels")).items():
            if allowed and not (from_page and self.channels.get(name)):
                self.left.discard(name)
            self.channels[name] = allowed


def _yes_or_no(value: object) -> dict[str, bool]:
    found = value.items() if isinstance(value, dict) else ()
    return {name: allowed for name, allowed in found if isinstance(allowed, bool)}


def _channel(properties: Mapping[str, Any]) -> str:
    return str(properties.get("channel") or _DEFAULT_CHANNEL)
