"""The facts of addresses that a person's own events tell, for the ledger: what servers and imports say of a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

import msgspec

from trigger_worker.deciding.recipient.permission import PERMISSION_LOOKBACK_MS
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.store.windows import Wanted
from warehouse.address_ledger import REFUSALS, TYPED_CHANNELS, AddressFact, AddressKey, AddressKeys, Fact, spoken_by
from warehouse.addresses import email_address, phone_number
from warehouse.answer_form import answer_of_traits
from warehouse.answers import ANSWER_EVENTS, Answers, joined_channels, left_channels

#: The part of a person's history that tells of addresses.
TOLD_WANTED: Final = Wanted(PERMISSION_LOOKBACK_MS, frozenset({"props", "message_id"}))
#: The events that may tell of an address.
TELLING_EVENTS: Final = frozenset(PERMISSION_LOOKBACK_MS)
_SOFT: Final = "soft"
_PAGE: Final = "page"
#: The yes that takes back a no.
_YES_TO: Final[Mapping[Fact, Fact]] = {"left": "returned", "refused": "allowed"}
#: Who may answer for an address. A signature says who the visitor is, and that visitor may name any address.
_VOUCHERS: Final = frozenset({"server", "import"})
#: Places where an answer is given to us alone, by whoever reads at the address.
_OURS: Final = frozenset({"preference_page", "sms_reply"})


def told_facts(
    site: str, events: Iterable[Event], keys: AddressKeys, offered: Mapping[str, int], *, by_links: bool = False
) -> list[AddressFact]:
    """Return the facts that a person's events tell of the addresses that the person had then.

    A page may name anybody's address. So a no that only a page says holds for the person alone, unless they were sent
    offers there. A yes of a page takes back only what the same person's events refused.

    Args:
        site: the site.
        events: at least those of `TOLD_WANTED`, in order; other events are passed over.
        keys: turns addresses into keys of the ledger.
        offered: by channel, when the person was first sent marketing there, epoch ms.
        by_links: whether answers that came by a link of a message count, too: links of this version name the address
            themselves, and the person may have another by then.
    """
    reading = _ToldSoFar(site, keys, offered, by_links=by_links)
    for event in events:
        reading.take(event)
    return reading.facts


def is_telling(event: str, props: str) -> bool:
    """Tell whether an event may tell a fact of an address, by its name and its properties as JSON text."""
    if event not in TELLING_EVENTS:
        return False
    if event == "identify":
        return '"proven_by"' in props
    return event != "consent" or '"source":"page"' not in props or '"proven_by"' in props


def addresses_at(events: Iterable[Event]) -> list[tuple[int, str, str]]:
    """Return when a person told of which address on which channel: (epoch ms, channel, address), in order."""
    return [
        (event.ts, channel, address)
        for event in events
        if event.name == "identify"
        for channel, address in _named(event.fields.get("traits")).items()
    ]


class _ToldSoFar:
    """The facts of the events read so far, and the addresses that the person has by then."""

    def __init__(self, site: str, keys: AddressKeys, offered: Mapping[str, int], *, by_links: bool) -> None:
        self.facts: list[AddressFact] = []
        self._site = site
        self._keys = keys
        self._offered = offered
        self._by_links = by_links
        self._addresses: dict[str, str] = {}
        #: By channel, answers that were given before any address was known.
        self._early: defaultdict[str, list[tuple[Fact, int, str]]] = defaultdict(list)
        #: By channel, the refusals that these events told.
        self._own_no: defaultdict[str, set[Fact]] = defaultdict(set)
        self._answers = Answers()

    def take(self, event: Event) -> None:
        """Read the next event."""
        fields = event.fields
        if event.name == "identify":
            self._identify(event)
        elif fields.get("message_id") and not self._by_links:
            return
        elif event.name in {"email_bounced", "email_complained"}:
            self._report(event)
        elif event.name in ANSWER_EVENTS:
            self._answer(event.name, fields, event)

    def _identify(self, event: Event) -> None:
        traits = event.fields.get("traits")
        for channel in _taken_back(traits):
            self._addresses.pop(channel, None)
        for channel, address in _named(traits).items():
            is_first = channel not in self._addresses
            self._addresses[channel] = address
            for fact, at, source in self._early.pop(channel, []) if is_first else ():
                self._add(channel, fact, at, source)
            if event.fields.get("proven_by"):
                self._say(channel, ["confirmed"], event)
        answer = answer_of_traits(traits, []) if isinstance(traits, dict) else None
        if answer:
            voucher = event.fields.get("proven_by")
            vouched = {"proven_by": voucher} if voucher in _VOUCHERS else {"source": _PAGE}
            self._answer("consent", {**answer, **vouched}, event)

    def _answer(self, name: str, answer: Mapping[str, Any], event: Event) -> None:
        """Take a no of anybody but a page, a yes for which somebody stands, and a yes that takes back one's own no."""
        answers, before = self._answers, _No.of(self._answers)
        answers.take(name, answer)
        if name == "unsubscribed":
            self._leave(answer, event)
        elif name == "subscribe" and _is_vouched(answer):
            for channel in joined_channels(answer, []):
                self._say(channel, ["returned"], event)
        elif name == "consent" and not _is_from_page(answer):
            for channel in TYPED_CHANNELS:
                said = spoken_by(answer, channel)
                self._say(channel, said if _is_vouched(answer) else [fact for fact in said if fact in REFUSALS], event)
        for channel in TYPED_CHANNELS:
            taken_back = before.taken_back(_No.of(answers), channel) & self._own_no.get(channel, frozenset())
            self._say(channel, [_YES_TO[no] for no in sorted(taken_back)], event)

    def _report(self, event: Event) -> None:
        if event.name == "email_bounced" and event.fields.get("kind") == _SOFT:
            return
        fact: Fact = "complained" if event.name == "email_complained" else "bounced"
        named = email_address(event.fields.get("address"))
        key = self._keys.of(self._site, "email", named or self._addresses.get("email", ""))
        if key is not None:
            self.facts.append(AddressFact(key, fact, event.ts, event.name))

    def _leave(self, answer: Mapping[str, Any], event: Event) -> None:
        for channel in left_channels(answer, []):
            if not _is_from_page(answer) or event.ts >= self._offered.get(channel, event.ts + 1):
                self._say(channel, ["left"], event)

    def _say(self, channel: str, facts: Iterable[Fact], event: Event) -> None:
        source = str(event.fields.get("proven_by") or event.fields.get("source") or event.name)
        for fact in facts:
            if fact in REFUSALS:
                self._own_no[channel].add(fact)
            if channel in self._addresses:
                self._add(channel, fact, event.ts, source)
            elif channel in TYPED_CHANNELS:
                self._early[channel].append((fact, event.ts, source))

    def _add(self, channel: str, fact: Fact, at: int, source: str) -> None:
        key: AddressKey | None = self._keys.of(self._site, channel, self._addresses[channel])
        if key is not None:
            self.facts.append(AddressFact(key, fact, at, source))


class _No(msgspec.Struct, frozen=True):
    """What a person says no to: offers, offers by channel, and channels as a whole."""

    marketing: bool
    left: frozenset[str]
    refused: frozenset[str]

    @classmethod
    def of(cls, answers: Answers) -> Self:
        """Return what the answers so far say no to."""
        refused = frozenset(channel for channel, allowed in answers.channels.items() if not allowed)
        return cls(answers.marketing is False, frozenset(answers.left), refused)

    def taken_back(self, now: _No, channel: str) -> set[Fact]:
        """Return what of it was taken back for a channel by now."""
        no: set[Fact] = set()
        if channel in self.left - now.left or (self.marketing and not now.marketing):
            no.add("left")
        if channel in self.refused - now.refused:
            no |= {"refused", "left"} if channel not in now.left else {"refused"}
        return no


def _named(traits: object) -> dict[str, str]:
    """Return, by channel, the addresses that traits name."""
    if not isinstance(traits, dict):
        return {}
    named = {"email": email_address(traits.get("email")), "sms": phone_number(traits.get("phone"))}
    return {channel: address for channel, address in named.items() if address}


def _taken_back(traits: object) -> list[str]:
    """Return the channels whose addresses traits take away."""
    if not isinstance(traits, dict):
        return []
    return [channel for channel, name in (("email", "email"), ("sms", "phone")) if traits.get(name, 0) in (None, "")]


def _is_from_page(fields: Mapping[str, Any]) -> bool:
    return fields.get("source") == _PAGE and fields.get("proven_by") not in _VOUCHERS


def _is_vouched(fields: Mapping[str, Any]) -> bool:
    """Tell whether somebody stands for an answer whom a stranger cannot pretend to be."""
    return fields.get("proven_by") in _VOUCHERS or fields.get("source") in _OURS
