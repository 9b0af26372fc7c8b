"""Where a person can be reached on each channel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from trigger_worker.deciding.recipient.addresses import normalised
from trigger_worker.deciding.recipient.profile import Profile
from trigger_worker.store.people import Person
from warehouse.channel_traits import CHANNEL_TRAITS

#: E.164: a plus sign, a country code that starts with no zero, at most 15 digits in all.
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
#: Characters of a number with what people write between its digits.
_LONGEST_WRITTEN: Final = 40


class Recipients:
    """Finds addresses.

    Args:
        fixed: the channels whose messages all go to one place, with its name; '' for nowhere.
    """

    def __init__(self, fixed: Mapping[str, str]) -> None:
        self._fixed = fixed

    def of(self, channel: str, person: Person, profile: Profile) -> tuple[str, ...]:
        """Return a person's addresses on a channel, the preferred one first; none when there are none."""
        traits = CHANNEL_TRAITS.get(channel)
        match traits.address if traits else "fixed":
            case "browser":
                return browsers(person)
            case "email":
                return _known(profile.visitor.email)
            case "phone":
                return _known(phone_number(profile.visitor.traits.get("phone")))
            case "subscription":
                return tuple(subscription.text() for subscription in profile.push)
            case "fixed":
                return _known(self._fixed.get(channel, ""))


def browsers(person: Person) -> tuple[str, ...]:
    """Return the anonymous ids whose pages may show a person's banners.

    A known person's own id is none of them: anybody could claim it as the anonymous id of a page.
    """
    return person.ids[1:] or person.ids


def phone_number(value: object) -> str:
    """Return a phone number in the form of E.164, or ''; what a page says is not trusted to be one.

    A number without its country is none.
    """
    number = normalised(value) if isinstance(value, str) and len(value) <= _LONGEST_WRITTEN else ""
    return number if _PHONE.fullmatch(number) else ""


def _known(address: str) -> tuple[str, ...]:
    return (address,) if address else ()
