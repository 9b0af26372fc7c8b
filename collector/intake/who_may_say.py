"""The one table of who may say what: event names and properties that are not every sender's to use.

A page, which is whoever has the public write key, speaks of what a visitor does. What became of messages, addresses and
subscriptions is said by the shop's server, or made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.intake.draft import Draft, Drop, DropReason, Sender
from warehouse.own_event import HISTORY_CHANGED
from warehouse.vocabulary import ANSWER_SOURCES, ORDER_EVENTS

_NOBODY: Final[frozenset[Sender]] = frozenset()
_OPERATOR: Final[frozenset[Sender]] = frozenset({"import"})
_SHOP: Final[frozenset[Sender]] = frozenset({"server", "import"})

#: By name of an event that is reserved, who may send it; every other name is everybody's.
RESERVED_EVENTS: Final[Mapping[str, frozenset[Sender]]] = {
    HISTORY_CHANGED: _NOBODY,
    "message_sent": _OPERATOR,
    "message_retried": _OPERATOR,
    "message_delivered": _SHOP,
    "email_opened": _SHOP,
    "email_clicked": _SHOP,
    "email_bounced": _SHOP,
    "email_complained": _SHOP,
    "address_confirmed": _OPERATOR,
    "push_unsubscribed": _SHOP,
}
#: Events of other SDKs that nothing here could read, and that are large.
UNSUPPORTED_EVENTS: Final = frozenset({"$snapshot", "$snapshot_items", "$performance_event", "$heatmap", "$$heatmap"})
_NOT_EVERYBODYS: Final = {**RESERVED_EVENTS, **dict.fromkeys(UNSUPPORTED_EVENTS, _NOBODY)}
#: Properties that are written here and nowhere else, whatever a sender says.
RESERVED_PROPERTIES: Final = frozenset({"proven_by", "claimed_user_id"})
#: Events that tell who somebody is, how to reach them, and what they allow. Each says who vouches for it, unless it is
#: only the browser itself (`proven_by`).
PERSONAL_EVENTS: Final = frozenset({"identify", "consent", "subscribe", "unsubscribed", "push_subscribed"})
#: Those that are answers: each says where it was given (`source`).
_ANSWERS: Final = frozenset({"consent", "subscribe", "unsubscribed"})
_MAY: Final = {
    _NOBODY: "Micromoment alone makes it",
    _OPERATOR: "Micromoment makes it, and only an import may bring it",
    _SHOP: "send it with the site's server key",
}


def refuse_reserved(draft: Draft) -> Drop | None:
    """Drop an event whose name its sender may not use, or that nobody has a use for."""
    event = draft.columns["event"]
    allowed = _NOT_EVERYBODYS.get(event)
    if allowed is None or draft.receipt.sender in allowed:
        return None
    if event in UNSUPPORTED_EVENTS:
        return draft.dropped(DropReason.UNSUPPORTED, f"{event} is read by nothing here: switch it off in its SDK")
    return draft.dropped(DropReason.RESERVED, f"{event} is reserved: {_MAY[allowed]}")


def write_own_fields(draft: Draft) -> None:
    """Write the properties that are ours: where an answer was given, who vouches for what is personal, and claims."""
    event, props = draft.columns["event"], draft.props
    if not RESERVED_PROPERTIES.isdisjoint(props):
        props = {name: value for name, value in props.items() if name not in RESERVED_PROPERTIES}
    if event in PERSONAL_EVENTS:
        if event in _ANSWERS:
            props = _with_source(draft.receipt.sender, props)
        elif event == "identify":
            props = _with_source_of_trait(draft.receipt.sender, props)
        voucher = _voucher(draft)
        props = {**props, "proven_by": voucher} if voucher else props
    elif draft.receipt.sender == "server" and (draft.columns.get("product_id") or event in ORDER_EVENTS):
        # What the shop's server says of a product or an order is known from what pages say; an import is by its source.
        props = {**props, "proven_by": "server"}
    if draft.claimed_user_id:
        props = {**props, "claimed_user_id": draft.claimed_user_id}
    draft.props = props


def _voucher(draft: Draft) -> str:
    """Return who vouches that the event is its visitor's own; '' when it is only the browser."""
    if draft.receipt.sender != "page":
        return draft.receipt.sender
    return "signature" if draft.is_signed else ""


def _with_source(sender: Sender, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer with the place where it was given: a server may use a word of its own, an import any."""
    said = answer.get("source")
    is_free = isinstance(said, str) and said and (sender == "import" or said not in ANSWER_SOURCES)
    return {**answer, "source": said if sender != "page" and is_free else sender}


def _with_source_of_trait(sender: Sender, props: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of `identify` with the source of an answer that came as the trait `consent`."""
    traits = props.get("traits")
    if not isinstance(traits, dict) or not isinstance(traits.get("consent"), dict):
        return props
    return {**props, "traits": {**traits, "consent": _with_source(sender, traits["consent"])}}
