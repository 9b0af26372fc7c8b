"""What the ledger of addresses says about the recipients of a message, whichever visitors name those addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from trigger_worker.deciding.recipient.push_subscription import read_subscription
from trigger_worker.people.address_book import AddressBook, closed_for
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.sent import SentMessage
from warehouse.address_ledger import LEDGER_CHANNELS, TYPED_CHANNELS, AddressKey, AddressKeys, Standing
from warehouse.channel_traits import CHANNEL_TRAITS


class Addressing:
    """Looks recipients up among the addresses in memory.

    Args:
        keys: turns addresses into keys of the ledger.
        book: the addresses in memory.
        confirming: the sites on which an address counts as a person's only once it is confirmed.
    """

    def __init__(self, keys: AddressKeys, book: AddressBook, confirming: Set[str] = frozenset()) -> None:
        self._keys = keys
        self._confirming = confirming
        self._book = book
        #: By message that is being handed over, its addresses.
        self._claimed: dict[str, tuple[AddressKey, ...]] = {}

    def keys_of(self, site: str, channel: str, recipients: Iterable[str]) -> dict[str, AddressKey]:
        """Return, by recipient, the key of the address; empty for a channel without a ledger."""
        if channel not in LEDGER_CHANNELS:
            return {}
        found = {recipient: self._keys.of(site, channel, _plain(channel, recipient)) for recipient in recipients}
        return {recipient: key for recipient, key in found.items() if key is not None}

    def needs_confirmation(self, site: str, channel: str) -> bool:
        """Tell whether addresses of a site and channel, which anybody can type, count only once confirmed."""
        return channel in TYPED_CHANNELS and site in self._confirming

    def standings(self, keys: Mapping[str, AddressKey]) -> dict[str, Standing]:
        """Return what is known of each recipient."""
        return {recipient: self._book.standing(key) for recipient, key in keys.items()}

    def claim(self, message: QueuedMessage, keys: Iterable[AddressKey]) -> None:
        """Note that a message is about to go to some addresses."""
        self._claimed[message.message_id] = tuple(keys)

    def release(self, under_way: Sequence[QueuedMessage]) -> None:
        """Forget the addresses of messages that are not under way any more; what was sent is in the book."""
        ids = {message.message_id for message in under_way}
        self._claimed = {id_: keys for id_, keys in self._claimed.items() if id_ in ids}

    def sent(
        self, keys: Iterable[AddressKey], since: int, under_way: Mapping[str, SentMessage]
    ) -> dict[str, SentMessage]:
        """Return, by id, the messages that some addresses were sent, or are being sent.

        Args:
            keys: the addresses.
            since: messages of before are left out, epoch ms.
            under_way: by id, the messages that are being handed over to anybody, as if they were sent.
        """
        found: dict[str, SentMessage] = {}
        wanted = set(keys)
        for key in wanted:
            found |= self._book.sent(key, since)
        if wanted:
            theirs = (id_ for id_, claimed in self._claimed.items() if not wanted.isdisjoint(claimed))
            found |= {id_: under_way[id_] for id_ in theirs if id_ in under_way}
        return found


def open_recipients(
    recipients: tuple[str, ...], standings: Mapping[str, Standing], *, marketing: bool
) -> tuple[str, ...]:
    """Return the recipients whose address takes messages of a class; all of them when none does.

    Args:
        recipients: the person's addresses on the channel.
        standings: what is known of each.
        marketing: whether the message is marketing.
    """
    taking = tuple(
        one for one in recipients if one not in standings or not closed_for(standings[one], marketing=marketing)
    )
    return taking or recipients


def _plain(channel: str, recipient: str) -> str:
    """Return the address in a recipient: of a push subscription, the endpoint that its browser is reached by."""
    return read_subscription(recipient).endpoint if CHANNEL_TRAITS[channel].address == "subscription" else recipient
