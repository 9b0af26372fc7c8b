"""Keeps a person's answers about messages: the one meaning of `consent`, `unsubscribed` and `subscribe`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from warehouse.answer_form import answer_of_traits, read_consent
from warehouse.answer_words import channels_named
from warehouse.channel_traits import PREFERENCE_CHANNELS

#: The events that are answers.
ANSWER_EVENTS: Final = frozenset({"consent", "unsubscribed", "subscribe"})
_DEFAULT_CHANNEL: Final = "email"
#: The collector's name for the source of an answer that a page sent.
_PAGE: Final = "page"


class Answers:
    """The latest answers of a person, from the answers taken so far, in whichever words they were given.

    Attributes:
        marketing, analytics: True, False, or None where never asked.
        channels: by name, whether the channel may be used at all; absent where never asked.
    """

    def __init__(self) -> None:
        self.marketing: bool | None = None
        self.analytics: bool | None = None
        self.channels: dict[str, bool] = {}
        #: Channels that the person unsubscribed from, and those by which the shop says that they want no offers.
        self._unsubscribed: set[str] = set()
        self._declined: set[str] = set()

    @property
    def left(self) -> set[str]:
        """Return the channels by which the person wants no more offers."""
        return self._unsubscribed | self._declined

    def take(self, event: str, properties: Mapping[str, Any]) -> None:
        """Take the next answer; other events are ignored. What cannot be read is a no."""
        if event == "unsubscribed":
            self._unsubscribed.update(left_channels(properties, []))
        elif event == "subscribe":
            self._come_back(*joined_channels(properties, []))
        elif event == "consent":
            self._consent(read_consent(properties, []), is_from_page=properties.get("source") == _PAGE)

    def take_traits(self, traits: Mapping[str, Any]) -> None:
        """Take the answer that traits give, if they give one."""
        answer = answer_of_traits(traits, [])
        if answer:
            self._consent(answer, is_from_page=answer.get("source") == _PAGE)

    def _consent(self, answer: Mapping[str, Any], *, is_from_page: bool) -> None:
        """Take an answer of the form of `consent`; a yes that a page only repeats does not undo an `unsubscribed`.

        Consent dialogues repeat on every visit the choice once made in them, and know nothing of the link in an email;
        a person who answers START, or comes to the preference page, means it. Offers are the state that a shop's
        platform has: its yes takes back its own no, and not what the person said to us.
        """
        marketing, analytics = answer.get("marketing"), answer.get("analytics")
        if marketing is not None:
            if marketing and not (is_from_page and self.marketing):
                self._come_back(*self.left)
            self.marketing = marketing
        if analytics is not None:
            self.analytics = analytics
        for name, wanted in answer.get("offers", {}).items():
            (self._declined.discard if wanted else self._declined.add)(name)
        for name, allowed in answer.get("channels", {}).items():
            if allowed and not (is_from_page and self.channels.get(name)):
                self._come_back(name)
            self.channels[name] = allowed

    def _come_back(self, *channels: str) -> None:
        self._unsubscribed.difference_update(channels)
        self._declined.difference_update(channels)


def left_channels(properties: Mapping[str, Any], unread: list[str]) -> tuple[str, ...]:
    """Return the channels that an `unsubscribed` names; all of them where one cannot be read.

    Args:
        properties: those of the event.
        unread: "channel" is added where it cannot be read.
    """
    missed = len(unread)
    named = _named(properties, unread)
    return named if len(unread) == missed else PREFERENCE_CHANNELS


def joined_channels(properties: Mapping[str, Any], unread: list[str]) -> tuple[str, ...]:
    """Return the channels that a `subscribe` names; a name that cannot be read is none of them.

    Args:
        properties: those of the event.
        unread: "channel" is added where it cannot be read.
    """
    return _named(properties, unread)


def _named(properties: Mapping[str, Any], unread: list[str]) -> tuple[str, ...]:
    found = next((properties[name] for name in ("channel", "channels", "Channel") if properties.get(name)), None)
    return (_DEFAULT_CHANNEL,) if found is None else channels_named(found, "channel", unread)
