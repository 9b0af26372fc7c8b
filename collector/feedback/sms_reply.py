"""What somebody wants who answers a text message with one word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

ReplyIntent = Literal["leave", "return"]

#: The events that each wish becomes, with their properties. STOP means every class of messages, so it is a no to the
#: channel, too.
EVENTS_OF_INTENT: Final[Mapping[ReplyIntent, tuple[tuple[str, Mapping[str, Any]], ...]]] = {
    "leave": (
        ("unsubscribed", {"channel": "sms", "reason": "reply", "source": "sms_reply"}),
        ("consent", {"channels": {"sms": False}, "source": "sms_reply"}),
    ),
    "return": (("consent", {"channels": {"sms": True}, "source": "sms_reply"}),),
}

#: The provider's own words for leaving and coming back, and a German's; "yes" is none, for it answers other questions.
_LEAVING: Final = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke", "arret", "stopp"}
)
_RETURNING: Final = frozenset({"start", "unstop"})
#: What the provider read out of a reply itself, where it was told to.
_INTENT_OF_TYPE: Final[Mapping[str, ReplyIntent]] = {"STOP": "leave", "START": "return"}


def read_intent(form: Mapping[str, str]) -> ReplyIntent | None:
    """Return what a reply asks for, or None when it is about something else.

    Args:
        form: the provider's fields, of which `OptOutType` and `Body` count.
    """
    told = _INTENT_OF_TYPE.get(form.get("OptOutType", ""))
    if told is not None:
        return told
    word = form.get("Body", "").strip(" \t\r\n.!\"'").casefold()
    if word in _LEAVING:
        return "leave"
    return "return" if word in _RETURNING else None
