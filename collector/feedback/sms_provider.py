"""Reads the forms that Twilio posts: their signature, the end that a text message came to, and a reply's intent."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

#: The fields of a form, in any order.
Form = Sequence[tuple[str, str]]
ReplyIntent = Literal["leave", "return"]

#: The events that each intent becomes, with their properties. STOP means every class of messages, so it is a no to the
#: channel, too.
EVENTS_OF_INTENT: Final[Mapping[ReplyIntent, tuple[tuple[str, Mapping[str, Any]], ...]]] = {
    "leave": (
        ("unsubscribed", {"channel": "sms", "reason": "reply", "source": "sms_reply"}),
        ("consent", {"channels": {"sms": False}, "source": "sms_reply"}),
    ),
    "return": (("consent", {"channels": {"sms": True}, "source": "sms_reply"}),),
}

#: The states of the provider that end a message's way, with our events.
_EVENT_OF_STATUS: Final = {
    "delivered": "message_delivered",
    "undelivered": "message_failed",
    "failed": "message_failed",
}
#: The provider's words for leaving and coming back, and the German one; "yes" is none: it answers other questions.
_LEAVING: Final = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke", "arret", "stopp"}
)
_RETURNING: Final = frozenset({"start", "unstop"})
#: The intents that the provider reads out of a reply itself, where it was told to.
_INTENT_OF_TYPE: Final[Mapping[str, ReplyIntent]] = {"STOP": "leave", "START": "return"}


def sms_signature(token: str, url: str, form: Form) -> str:
    """Return the value of the header `X-Twilio-Signature` for a form.

    It is the HMAC-SHA1 (the provider's choice) of the address, followed by each field's name and value in the order of
    the names: https://www.twilio.com/docs/usage/security, "Validating requests".

    Args:
        token: the account's auth token.
        url: the whole address that is posted to, with its query.
        form: a field that is there twice with the same value counts once.
    """
    signed = url + "".join(f"{name}{value}" for name, value in sorted(set(form)))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), hashlib.sha1)).decode()


def is_genuine_form(token: str, url: str, form: Form, signature: str) -> bool:
    """Tell in constant time whether the holder of the token signed a form."""
    return hmac.compare_digest(sms_signature(token, url, form).encode(), signature.encode())


def read_status(form: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the event that a status callback stands for, with its reason, or None for a state on the way.

    Args:
        form: the provider's fields, of which `MessageStatus` and `ErrorCode` count.
    """
    status = form.get("MessageStatus", "")
    name = _EVENT_OF_STATUS.get(status)
    if name is None:
        return None
    return name, f"{status} {form.get('ErrorCode', '')}".strip() if name == "message_failed" else ""


def read_intent(form: Mapping[str, str]) -> ReplyIntent | None:
    """Return the intent of a reply, to leave the channel or to return to it, or None for a reply about something else.

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
