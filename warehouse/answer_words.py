"""Reads the words in which somebody answers when asked for consent: a yes or a no, channels, categories.

What cannot be read is a no, and named. Only English words are known: none of another language is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Literal

from warehouse.channel_traits import CHANNEL_TRAITS, PREFERENCE_CHANNELS

#: What a category of a consent dialogue is about; `neither` for one that asks about something else.
Category = Literal["marketing", "analytics", "neither"]
#: Every channel, in the answer about all of them.
ALL_CHANNELS: Final = "all"


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


#: Spelled in lower case, without anything but letters and digits.
_YES: Final = words(
    "true t yes y on ok okay grant granted allow allowed accept accepted agree agreed approve approved consent"
    " consented confirmed enable enabled given optin optedin subscribe subscribed"
)
_NO: Final = words(
    "false f no n off none deny denied disallow disallowed notallowed reject rejected decline declined refuse refused"
    " disagree disagreed disable disabled notgranted notgiven notaccepted revoke revoked withdrawn optout optedout"
    " unsubscribe unsubscribed notsubscribed neversubscribed nonsubscribed pending unconfirmed cleaned archived"
    " transactional suppressed redacted invalid never blocked donotcontact"
)
_NUMBERS: Final[Mapping[float, bool]] = {0: False, 1: True}
#: Inside an object that stands for one answer, the field that has the word.
_INNER: Final = ("marketing", "consent", "state", "status", "value", "granted", "allowed", "answer", "marketingstate")

_MARKETING: Final = words(
    "marketing advertising advertisement advertisements ads adstorage aduserdata adpersonalization adpersonalisation"
    " targeting targetedadvertising targetingcookies marketingcookies marketingandadvertising promotional promotions"
    " c0004"
)
_ANALYTICS: Final = words(
    "analytics analyticsstorage analyticscookies statistics statistical performance performancecookies measurement"
    " c0002"
)
#: Categories that neither stop a capture nor refuse a message.
_NEITHER: Final = words(
    "necessary strictlynecessary essential required technical functional functionality functionalcookies"
    " functionalitystorage personalization personalisation personalizationstorage security securitystorage preferences"
    " datasharing saleofdata socialmedia social c0001 c0003 c0005"
)
_CATEGORIES: Final[Mapping[str, Category]] = {
    **dict.fromkeys(_MARKETING, "marketing"),
    **dict.fromkeys(_ANALYTICS, "analytics"),
    **dict.fromkeys(_NEITHER, "neither"),
}
_CHANNELS: Final[Mapping[str, str]] = {
    **{name: name for name in CHANNEL_TRAITS},
    **dict.fromkeys(words("emails mail mails emailmarketing emailaddress newsletter newsletters"), "email"),
    **dict.fromkeys(words("text texts textmessage textmessages smsmarketing mms"), "sms"),
    **dict.fromkeys(
        words("pushes webpush webpushes pushnotification pushnotifications webpushnotifications notification")
        | words("notifications browserpush"),
        "push",
    ),
    **dict.fromkeys(words("banners onsite popup popups"), "banner"),
    **dict.fromkeys(words("all any every everything everywhere allchannels"), ALL_CHANNELS),
}


@lru_cache(maxsize=2048)
def squeezed(text: str) -> str:
    """Return a text in lower case, without anything but its letters and digits."""
    return "".join(filter(str.isalnum, text.casefold()))


def read_answer(value: object, place: str, unread: list[str]) -> bool | None:
    """Return a yes or a no, and None for no answer.

    Args:
        value: the answer, in whichever spelling.
        place: its name.
        unread: the places of answers that cannot be read; this one is added when it is one of them, and is a no.
    """
    if isinstance(value, bool) or value is None:
        return value
    answer = plain_answer(value)
    if answer is None and isinstance(value, Mapping):
        found = {squeezed(name): inner for name, inner in value.items() if isinstance(name, str)}
        inner = next((found[name] for name in _INNER if found.get(name) is not None), None)
        if inner is not None and inner is not value:
            return read_answer(inner, place, unread) if _is_shallow(inner) else unreadable(place, unread)
    return unreadable(place, unread) if answer is None else answer


def plain_answer(value: object) -> bool | None:
    """Return the yes or the no of a text, a number or a boolean; None for one that is neither, and for all else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = squeezed(value)
        if word in _YES or word in _NO:
            return word in _YES
        try:
            value = float(value.strip(" \t\"'"))
        except ValueError:
            return None
    return _NUMBERS.get(value) if isinstance(value, int | float) else None


def _is_shallow(value: object) -> bool:
    """Tell whether an answer inside an answer has no more than one object inside itself, so that reading it ends."""
    if not isinstance(value, Mapping):
        return True
    return all(not isinstance(inner, Mapping) for inner in value.values())


def unreadable(place: str, unread: list[str]) -> bool:
    """Return the no of an answer that cannot be read, and note its place."""
    unread.append(place)
    return False


def category_named(name: str, categories: Mapping[str, Category]) -> Category | None:
    """Return what a category is about, None for one that nobody knows.

    Args:
        name: as the dialogue has it.
        categories: what a site says of its own, by `squeezed` names.
    """
    word = squeezed(name)
    return categories.get(word) or _CATEGORIES.get(word)


def channels_named(value: object, place: str, unread: list[str]) -> tuple[str, ...]:
    """Return the channels that a value names, each once: a text, or a list; `ALL_CHANNELS` among them is all.

    Args:
        value: a name, names with commas between them, or a list of names.
        place: the name of the field.
        unread: a name of no channel is added.
    """
    if isinstance(value, str):
        value = value.split(",") if "," in value else [value]
    names = value if isinstance(value, list | tuple) else [None]
    found: dict[str, None] = {}
    for name in names:
        channel = channel_named(name)
        if channel:
            found[channel] = None
        elif place not in unread:
            unread.append(place)
    return PREFERENCE_CHANNELS if ALL_CHANNELS in found else tuple(found)


def channel_named(name: object) -> str:
    """Return the channel that a text, or an object with a `channel`, names; `ALL_CHANNELS`, or '' for none."""
    if isinstance(name, Mapping):
        name = next((name[key] for key in ("channel", "name", "type") if key in name), None)
    if not isinstance(name, str):
        return ""
    return ALL_CHANNELS if name.strip() == "*" else _CHANNELS.get(squeezed(name), "")
