"""Brings an answer about consent into its one form: of the event `consent`, of a context, of traits.

The form: `marketing` and `analytics` are true or false, `channels` and `offers` say it by the name of a channel. A
channel that is refused is not used at all; offers that are refused by a channel are no marketing there. What cannot be
read is a no, and named; what is null is no answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from warehouse.answer_words import (
    ALL_CHANNELS,
    Category,
    category_named,
    channel_named,
    channels_named,
    plain_answer,
    read_answer,
    squeezed,
    unreadable,
    words,
)
from warehouse.channel_traits import CHANNEL_TRAITS, PREFERENCE_CHANNELS

#: The channels that reach somebody away from the shop's pages, to which platforms mean "accepts marketing".
_AWAY: Final = tuple(name for name in PREFERENCE_CHANNELS if not CHANNEL_TRAITS[name].shows_on_page)


#: Fields of an answer that hold its categories, and those that hold one word about all of it.
_NESTED: Final = words("categorypreferences categories purposes preferences consents choices")
_BLANKET: Final = words("consent granted answer state status accepted allowed")

#: Traits by which shops and their platforms say whether somebody wants marketing, and by which channels.
_TRAITS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        words("acceptsmarketing marketingconsent marketingoptin optedintomarketing buyeracceptsmarketing"), _AWAY
    ),
    **dict.fromkeys(
        words("emailmarketingconsent emailconsent emailoptin emailmarketing acceptsemailmarketing emailsubscribe")
        | words("emailsubscribed"),
        ("email",),
    ),
    **dict.fromkeys(
        words("smsmarketingconsent smsconsent smsoptin smsmarketing acceptssmsmarketing smssubscribe smssubscribed"),
        ("sms",),
    ),
    **dict.fromkeys(words("pushmarketingconsent pushconsent pushoptin pushsubscribe pushsubscribed"), ("push",)),
}
#: Traits that say the contrary: true is a no.
_CONTRARY: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(words("unsubscribed optedout marketingoptout donotcontact unsubscribedfromall"), _AWAY),
    **dict.fromkeys(words("emailoptout emailunsubscribed unsubscribedfromemails donotemail"), ("email",)),
    **dict.fromkeys(words("smsoptout smsunsubscribed"), ("sms",)),
}
#: The parts of an answer in its one form.
ANSWER_KEYS: Final = frozenset({"marketing", "analytics", "channels", "offers"})


def read_consent(
    said: object, unread: list[str], categories: Mapping[str, Category] | None = None, place: str = "consent"
) -> dict[str, Any]:
    """Return an answer in its one form, with the other fields of it as they are; the form itself stays as it is.

    Args:
        said: the properties of `consent`, the trait or the part of a context of that name.
        unread: the places of what cannot be read are added; each of them is a no.
        categories: by name, what categories of a site's consent dialogue are about, beside the usual ones.
        place: the name of the answer.
    """
    if said is None or said == []:
        # An empty list is how PHP writes an object without fields.
        return {}
    if isinstance(said, list | tuple):
        return {str(about): answer for about, answer in _granted(said, categories).items()}
    if not isinstance(said, Mapping):
        answer = read_answer(said, place, unread)
        return {"marketing": answer, "analytics": answer}
    reading = _ConsentReading(unread, categories or {}, place)
    for name, value in said.items():
        reading.take(name, value)
    return reading.result()


def _granted(names: Iterable[object], categories: Mapping[str, Category] | None) -> dict[Category, bool]:
    """Return the answer of a list of what was granted: what is not in it was not."""
    found = {category_named(name, categories or {}) for name in names if isinstance(name, str)}
    is_all = any(channel_named(name) == ALL_CHANNELS for name in names)
    return {"marketing": is_all or "marketing" in found, "analytics": is_all or "analytics" in found}


class _ConsentReading:
    """One answer that is read field by field."""

    def __init__(self, unread: list[str], categories: Mapping[str, Category], place: str) -> None:
        self._unread = unread
        self._categories = categories
        self._place = place
        self._answer: dict[str, Any] = {}
        self._rest: dict[str, Any] = {}
        self._own: set[str] = set()
        self._is_known = False

    def take(self, name: object, value: object) -> None:
        """Read one field."""
        word = squeezed(name) if isinstance(name, str) else ""
        if word in {"channels", "offers"}:
            self._by_channel(word, value)
        elif word in _NESTED and isinstance(value, Mapping | list):
            self._nested(str(name), value)
        elif (about := category_named(word, self._categories)) is None:
            self._other(str(name), word, value)
        elif about == "neither":
            self._is_known = True
            self._rest[str(name)] = value
        else:
            self._say(about, read_answer(value, f"{self._place}.{name}", self._unread), is_own=name == about)

    def _other(self, name: str, word: str, value: object) -> None:
        """Read a field that may be a channel's, or named as traits of platforms are; its value may be an address."""
        if plain_answer(value) is None:
            self._rest[name] = value
        elif word in _TRAITS or word in _CONTRARY:
            self._is_known = True
            self._answer.setdefault("offers", {}).update(_offers({name: value}, self._unread))
        elif channel_named(name):
            self._by_channel("channels", {name: value})
        else:
            self._rest[name] = value

    def result(self) -> dict[str, Any]:
        """Return the answer, and what else was said."""
        if not self._answer and not self._is_known:
            blanket = next(
                (name for name, value in self._rest.items() if value is not None and squeezed(name) in _BLANKET), None
            )
            if blanket is not None:
                # The same words as of an answer that is no object, with its own list of categories where it is one.
                inner = read_consent(
                    self._rest.pop(blanket), self._unread, self._categories, f"{self._place}.{blanket}"
                )
                self._answer = {key: value for key, value in inner.items() if key in ANSWER_KEYS}
        return {**self._rest, **self._answer}

    def _say(self, about: Category, answer: bool | None, *, is_own: bool) -> None:
        """Take a word; our own name for what it is about outweighs others, and of others any no is a no."""
        if answer is None or (about in self._own and not is_own):
            return
        self._is_known = True
        if is_own:
            self._own.add(about)
        self._answer[about] = answer if is_own else answer and self._answer.get(about, True)

    def _nested(self, name: str, value: Mapping[str, Any] | list[Any]) -> None:
        if isinstance(value, list):
            for granted, answer in _granted(value, self._categories).items():
                self._say(granted, answer, is_own=False)
            return
        unknown: list[str] = []
        for category, word in value.items():
            about = category_named(category, self._categories)
            if about is None:
                unknown.append(category)
            elif about != "neither":
                self._say(about, read_answer(word, f"{self._place}.{name}.{category}", self._unread), is_own=False)
        # Any of them may be the one that asks about it.
        for missing in {"marketing", "analytics"} - self._answer.keys() if unknown else ():
            if any(plain_answer(value[category]) is not True for category in unknown):
                self._answer[missing] = unreadable(f"{self._place}.{name}", self._unread)
        if value and not self._answer:
            self._is_known = True
            self._rest[name] = value

    def _by_channel(self, about: str, value: object) -> None:
        if value is None:
            return
        self._is_known = True
        said: dict[str, bool] = self._answer.setdefault(about, {})
        place = f"{self._place}.{about}"
        if isinstance(value, Mapping):
            # What is said of one channel outweighs what is said of all.
            for name, word in sorted(value.items(), key=lambda pair: channel_named(pair[0]) != ALL_CHANNELS):
                self._one_channel(said, name, read_answer(word, f"{place}.{name}", self._unread), place)
        elif isinstance(value, list | tuple):
            for entry in sorted(value, key=lambda one: channel_named(one) != ALL_CHANNELS):
                self._one_channel(said, entry, self._of_entry(entry, place), place)
        elif isinstance(value, str) and any(map(channel_named, value.split(","))):
            said.update(dict.fromkeys(channels_named(value, place, self._unread), True))
        else:
            said.update(dict.fromkeys(PREFERENCE_CHANNELS, bool(read_answer(value, place, self._unread))))

    def _of_entry(self, entry: object, place: str) -> bool | None:
        """Return what an entry of a list says: one that is only named is a yes."""
        if not isinstance(entry, Mapping):
            return True
        words = {name: word for name, word in entry.items() if name not in {"channel", "name", "type"}}
        return read_answer(words, place, self._unread)

    def _one_channel(self, said: dict[str, bool], name: object, answer: bool | None, place: str) -> None:
        channel = channel_named(name)
        if not channel:
            self._unread.append(place)
            if isinstance(name, str) and answer is False:
                said[name] = answer
        elif answer is not None:
            said.update(dict.fromkeys(PREFERENCE_CHANNELS if channel == ALL_CHANNELS else (channel,), answer))


def answer_of_traits(
    traits: Mapping[str, Any], unread: list[str], categories: Mapping[str, Category] | None = None
) -> dict[str, Any]:
    """Return what traits say about consent, in the one form of an answer; empty when they say nothing.

    Args:
        traits: those of `identify`.
        unread: the places of what cannot be read are added; each of them is a no.
        categories: as of `read_consent`.
    """
    own = next((traits[name] for name in ("consent", "$consent", "Consent") if name in traits), None)
    offers: dict[str, bool] = {}
    if isinstance(own, list) and own and all(map(channel_named, own)):
        # As a newsletter's provider lists where somebody subscribed.
        offers.update(dict.fromkeys(channels_named(own, "consent", unread), True))
        own = None
    # Empty text takes a trait away, as null does.
    answer = read_consent(None if own == "" else own, unread, categories)
    said = {**answer.get("offers", {}), **offers, **_offers(traits, unread)}
    return {**answer, "offers": said} if said else answer


def _offers(traits: Mapping[str, Any], unread: list[str]) -> dict[str, bool]:
    """Return, by channel, whether traits of platforms want marketing: one channel outweighs all, and a refusal both."""
    wide, narrow, refused = dict[str, bool](), dict[str, bool](), dict[str, bool]()
    for name, value in traits.items():
        word = squeezed(name)
        if value is None or value == "":
            continue
        if channels := _TRAITS.get(word):
            (wide if len(channels) > 1 else narrow).update(dict.fromkeys(channels, _is_yes(value, name, unread)))
        elif channels := _CONTRARY.get(word):
            missed: list[str] = []
            answer = read_answer(value, name, missed)
            unread += missed
            (refused if answer or missed else wide).update(dict.fromkeys(channels, not (answer or missed)))
        elif word == "subscriptions" and isinstance(value, Mapping):
            _subscriptions(narrow, value, unread)
    return {**wide, **narrow, **refused}


def _is_yes(value: object, name: str, unread: list[str]) -> bool:
    return read_answer(value, name, unread) is True


def _subscriptions(offers: dict[str, bool], value: Mapping[str, Any], unread: list[str]) -> None:
    """Take subscriptions by channel, each an object of its own."""
    for name, said in value.items():
        channel = channel_named(name)
        answer = read_answer(said, f"subscriptions.{name}", unread) if channel in _AWAY else None
        if answer is not None:
            offers[channel] = answer
