"""The ledger of addresses: what became known of a mailbox, a telephone or a browser, whichever visitors name it.

An address stands in the ledger under a keyed hash, so that no table holds addresses in plain, and nobody without the
secret of the installation can look one up.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from warehouse.addresses import normalised
from warehouse.answer_form import read_consent
from warehouse.channel_traits import CHANNEL_TRAITS
from warehouse.event import format_time

#: The facts of an address:
#: `left` and `returned`, who reads there wants no more offers on this channel, and wants them again;
#: `refused` and `allowed`, the channel may not be used for anything, and may be used again;
#: `bounced` and `complained`, nothing is sent there any more; `confirmed`, who reads there said that it is theirs.
Fact = Literal["left", "returned", "refused", "allowed", "bounced", "complained", "confirmed"]

#: Bytes of a key: 128 bits, of which no two addresses share all.
_KEY_BYTES: Final = 16
#: The facts that are a no.
REFUSALS: Final[frozenset[Fact]] = frozenset({"left", "refused"})
#: The facts for which nothing goes to an address, in the order in which they are told.
SUPPRESSING: Final[tuple[Fact, ...]] = ("bounced", "complained")
#: Channels whose addresses stand in the ledger: those that lead to a person anywhere.
LEDGER_CHANNELS: Final = frozenset(
    name for name, traits in CHANNEL_TRAITS.items() if traits.address in ("email", "phone", "subscription")
)
#: Channels whose addresses anybody can type, so that it takes a proof that they are the person's.
TYPED_CHANNELS: Final = frozenset(
    name for name, traits in CHANNEL_TRAITS.items() if traits.address in ("email", "phone")
)


class AddressKey(msgspec.Struct, frozen=True, order=True):
    """One address of a channel on a site, by its keyed hash."""

    site: str
    channel: str
    address: str


class AddressKeys:
    """Turns addresses into keys of the ledger.

    Args:
        secret: of the installation; the same in every process.
    """

    def __init__(self, secret: bytes) -> None:
        self._signer = hmac.new(secret, b"address:", hashlib.sha256)

    def of(self, site: str, channel: str, address: str) -> AddressKey | None:
        """Return the key of an address, None where the channel has no ledger or the text is empty.

        Args:
            site: the site.
            channel: the channel, such as `email`.
            address: however it is written; of a push subscription, its endpoint.
        """
        plain = _comparable(channel, address) if channel in LEDGER_CHANNELS else ""
        if not plain:
            return None
        signer = self._signer.copy()
        signer.update(f"{site}\0{channel}\0{plain}".encode(errors="surrogatepass"))
        return AddressKey(site, channel, signer.digest()[:_KEY_BYTES].hex())


class AddressFact(msgspec.Struct, frozen=True):
    """A fact of an address, known since `at` (epoch ms).

    Args:
        key: the address.
        fact: the fact.
        at: epoch ms.
        source: who said it, such as `sms_reply`.
    """

    key: AddressKey
    fact: Fact
    at: int
    source: str = ""

    def row(self) -> dict[str, Any]:
        """Return the row of `address_facts`."""
        about = {"site": self.key.site, "channel": self.key.channel, "address": self.key.address}
        return {**about, "fact": self.fact, "at": format_time(self.at), "source": self.source}


class Standing:
    """What is known of one address: of each fact, when it was said last."""

    __slots__ = ("facts",)

    def __init__(self, facts: Iterable[tuple[Fact, int]] = ()) -> None:
        self.facts: dict[Fact, int] = {}
        for fact, at in facts:
            self.take(fact, at)

    def take(self, fact: Fact, at: int) -> None:
        """Note a fact of an instant, epoch ms; the order of the calls does not matter."""
        self.facts[fact] = max(at, self.facts.get(fact, at))

    @property
    def left(self) -> bool:
        """Tell whether the reader wants no more offers here; of two answers of one instant the no counts."""
        return self._still("left", "returned")

    @property
    def refused(self) -> bool:
        """Tell whether the channel may not be used for this address at all."""
        return self._still("refused", "allowed")

    @property
    def suppressed(self) -> str:
        """Return why nothing goes to the address any more: `bounced` or `complained`; '' when something may."""
        return next((fact for fact in SUPPRESSING if fact in self.facts), "")

    @property
    def confirmed(self) -> bool:
        """Tell whether the address is known to be the person's who named it."""
        return "confirmed" in self.facts

    def _still(self, no: Fact, yes: Fact) -> bool:
        return no in self.facts and self.facts[no] >= self.facts.get(yes, -1)


def spoken_by(answer: Mapping[str, Any], channel: str) -> list[Fact]:
    """Return the facts that an answer of the form of `consent` gives for addresses of a channel.

    Args:
        answer: as in the event `consent`, in whichever words.
        channel: the channel.
    """
    facts: list[Fact] = []
    read = read_consent(answer, [])
    marketing, allowed = read.get("marketing"), read.get("channels", {}).get(channel)
    if marketing is not None:
        facts.append("returned" if marketing else "left")
    if read.get("offers", {}).get(channel) is False and marketing is not False:
        facts.append("left")
    if allowed is not None:
        facts += (
            ["allowed", "returned"] if allowed and marketing is not False else ["allowed" if allowed else "refused"]
        )
    return facts


def _comparable(channel: str, address: str) -> str:
    """Return one text for all ways to write an address."""
    return address.strip() if CHANNEL_TRAITS[channel].address == "subscription" else normalised(address)
