"""The table of channels: the traits that rules, gate, delivery, commands and the collector must agree on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

#: The kinds of address that channels deliver to:
#: `browser`, the anonymous ids of a person; `subscription`, the push subscriptions of a person's browsers;
#: `email` and `phone`, traits of a person; `fixed`, one address of the operator for all messages.
AddressKind = Literal["browser", "subscription", "email", "phone", "fixed"]


class ChannelTraits(msgspec.Struct, frozen=True, kw_only=True):
    """The traits of one channel.

    Args:
        address: the kind of address that messages go to.
        reader_names: the channel's name on the preference page, by language; empty for a channel that reaches the
            operator and not the persons that rules are about.
        shows_on_page: whether messages show on a page that a person has open, so that they disturb nobody at night
            and the page reports that they were shown.
        reports_delivery: whether the peer reports later that a message was delivered; otherwise a message counts as
            delivered once the peer has taken it.
        knows_repeats: whether the peer recognises a repeated message by its id, so that repeating it does no harm.
    """

    address: AddressKind
    reader_names: Mapping[str, str] = {}
    shows_on_page: bool = False
    reports_delivery: bool = True
    knows_repeats: bool = False

    @property
    def reaches_persons(self) -> bool:
        """Tell whether messages reach the person that a rule is about, who may then refuse the channel."""
        return bool(self.reader_names)

    @property
    def met_when_sent(self) -> bool:
        """Tell whether a person is taken to have met a message once it is sent, as no page reports its showing."""
        return self.reaches_persons and not self.shows_on_page

    @property
    def goes_to_browsers(self) -> bool:
        """Tell whether messages go to browsers, whose addresses nobody can type."""
        return self.address in ("browser", "subscription")


#: Every channel that a rule may name, in the order in which messages list them.
CHANNEL_TRAITS: Final[Mapping[str, ChannelTraits]] = {
    "banner": ChannelTraits(
        address="browser",
        reader_names={
            "en": "Notice in the shop",
            "de": "Hinweis im Shop",
            "es": "Aviso en la tienda",
            "fr": "Message dans la boutique",
        },
        shows_on_page=True,
    ),
    "email": ChannelTraits(
        address="email",
        reader_names={"en": "Email", "de": "E-Mail", "es": "Correo", "fr": "E-mail"},
    ),
    "sms": ChannelTraits(
        address="phone",
        reader_names={"en": "Text message", "de": "SMS", "es": "SMS", "fr": "SMS"},
    ),
    "push": ChannelTraits(
        address="subscription",
        reader_names={"en": "Notification", "de": "Benachrichtigung", "es": "Notificación", "fr": "Notification"},
        knows_repeats=True,
    ),
    "webhook": ChannelTraits(address="fixed", reports_delivery=False, knows_repeats=True),
    "chat": ChannelTraits(address="fixed", reports_delivery=False),
}

#: The channels of the preference page, in its order: those that reach a person anywhere before those on a page.
PREFERENCE_CHANNELS: Final = tuple(
    sorted(
        (name for name, traits in CHANNEL_TRAITS.items() if traits.reaches_persons),
        key=lambda name: CHANNEL_TRAITS[name].shows_on_page,
    )
)


def reader_names(language: str) -> dict[str, str]:
    """Return the names of the channels of the preference page in one language, by channel."""
    return {name: CHANNEL_TRAITS[name].reader_names[language] for name in PREFERENCE_CHANNELS}
