"""Find the addresses of a person on each channel."""

from __future__ import annotations

from collections.abc import Mapping

from trigger_worker.deciding.recipient.profile import Profile
from trigger_worker.store.people import Person
from warehouse.addresses import phone_number, read_email
from warehouse.channel_traits import CHANNEL_TRAITS


class Recipients:
    """Find addresses.

    Args:
        fixed: the channels whose messages all go to one place, with its name; '' for nowhere.
    """

    def __init__(self, fixed: Mapping[str, str]) -> None:
        self._fixed = fixed

    def of(self, channel: str, person: Person, profile: Profile) -> tuple[str, ...]:
        """Return a person's addresses on a channel, the preferred address first; empty when there is none."""
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


def email_trouble(channel: str, profile: Profile) -> str:
    """Return why the email address that a person told takes no mail, '' where they told none or it does."""
    traits = CHANNEL_TRAITS.get(channel)
    said = profile.visitor.traits.get("email")
    return read_email(said).trouble if said and traits is not None and traits.address == "email" else ""


def browsers(person: Person) -> tuple[str, ...]:
    """Return the anonymous ids whose pages may show a person's banners.

    The user id of an identified person is left out: any page could claim it as its anonymous id.
    """
    return person.ids[1:] or person.ids


def _known(address: str) -> tuple[str, ...]:
    return (address,) if address else ()
