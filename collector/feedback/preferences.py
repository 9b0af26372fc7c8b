"""What a reader wants to get, as the preference page shows and changes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any, Final

import msgspec

from collector.feedback.message_link import MessageLink
from warehouse.answers import Answers
from warehouse.connection import Warehouse
from warehouse.queries import read_sql

#: Channels that reach a person, in the order of the page.
CHANNELS: Final = ("email", "sms", "push", "banner")


class Preferences(msgspec.Struct, frozen=True):
    """What a reader agrees to.

    Args:
        marketing: offers and news.
        channels: by name, whether it may be used at all.
    """

    marketing: bool = True
    channels: Mapping[str, bool] = msgspec.field(default_factory=lambda: dict.fromkeys(CHANNELS, True))


def read_preferences(warehouse: Warehouse, link: MessageLink) -> Preferences:
    """Return what the person of a message said so far; what was never said is shown as a yes.

    Raises:
        WarehouseError: ClickHouse does not answer.
    """
    token = link.token
    parameters = {"site": token.site, "visitor_id": token.visitor_id}
    rows = warehouse.query(read_sql("collector", "permission_events"), parameters)
    return told(((event, _properties(props)) for event, props in rows), token.channel)


def told(answers: Iterable[tuple[str, Mapping[str, Any]]], channel: str) -> Preferences:
    """Return what a person's words amount to, oldest first.

    Args:
        answers: names and properties of the events `consent`, `subscribe` and `unsubscribed`.
        channel: the one that the message came by. Who left it is shown as not wanting offers and news.
    """
    said = Answers()
    for event, properties in answers:
        said.take(event, properties)
    wanted = said.marketing is not False and channel not in said.left
    return Preferences(wanted, {name: said.channels.get(name, True) for name in CHANNELS})


def answer(chosen: Preferences, shown_off: Set[str], channel: str) -> dict[str, Any]:
    """Return what a reader said by saving the page: every no, and a yes to what was not allowed before.

    A box that was ticked already and was left so is no answer: nobody has asked the reader.

    Args:
        chosen: the boxes as they were sent.
        shown_off: those that the page showed without a tick, channels and `marketing`.
        channel: the one that the message came by, which who wants offers and news again is taken back to.
    """
    channels = {name: allowed for name, allowed in chosen.channels.items() if not allowed or name in shown_off}
    comes_back = chosen.marketing and "marketing" in shown_off
    if comes_back and chosen.channels.get(channel):
        channels[channel] = True
    said: dict[str, Any] = {} if chosen.marketing and not comes_back else {"marketing": chosen.marketing}
    return {**said, "channels": channels} if channels else said


def _properties(props: str) -> Mapping[str, Any]:
    return msgspec.json.decode(props, type=dict[str, Any]) if props else {}
