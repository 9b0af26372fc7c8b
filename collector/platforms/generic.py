"""Any other shop system: messages of our wire shape, or objects whose fields the settings name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.intake.draft import DropReason
from collector.platforms.platform import Circumstances, Envelope, Translation
from collector.sites import ShopWebhook
from warehouse.webhook_signature import is_genuine

#: Begins the source of a mapped field that is always the same text.
_CONSTANT: Final = "="
#: Our spelling of the headers of standardwebhooks.com, which any library of theirs writes, too.
_HEADERS: Final = {
    "webhook-id": "x-micromoment-id",
    "webhook-timestamp": "x-micromoment-timestamp",
    "webhook-signature": "x-micromoment-signature",
}


class Generic:
    """Whoever signs as standardwebhooks.com describes: id, time and body, by a secret that both sides know."""

    shop_chooses_secret: Final = True
    topics: Final[tuple[str, ...]] = ()

    def envelope(self, headers: Mapping[str, str]) -> Envelope:
        """Return the id of the delivery; the body says all else."""
        return Envelope(delivery=headers.get(_HEADERS["webhook-id"]) or headers.get("webhook-id", ""))

    def is_genuine(self, webhook: ShopWebhook, headers: Mapping[str, str], body: bytes, now_ms: int) -> bool:
        """Tell whether a body was signed with a secret of the webhook, a few minutes ago at most."""
        signed = {name: headers.get(ours) or headers.get(name, "") for name, ours in _HEADERS.items()}
        return any(is_genuine(secret, signed, body, now_ms // 1000) for secret in webhook.secrets)

    def is_greeting(self, headers: Mapping[str, str], body: bytes) -> bool:  # noqa: ARG002 - there is none
        """Return False: everything is signed."""
        return False

    def order_wanted(self, topic: str, payload: object) -> str:  # noqa: ARG002 - a message names its visitor
        """Return ''."""
        return ""

    def translate(self, topic: str, payload: object, around: Circumstances) -> Translation:  # noqa: ARG002 - there is none
        """Return the messages of a payload: of one object, of a list, or of the list `batch` of an object."""
        told, fields = Translation(), around.webhook.fields
        found: object = payload
        context: object = None
        if isinstance(payload, dict) and "batch" in payload:
            found, context = payload["batch"], payload.get("context")
        for place, entry in enumerate(found if isinstance(found, list) else [found]):
            if not isinstance(entry, dict):
                told.drop(DropReason.MALFORMED, "not an object: send a message, a list of them, or {batch: [...]}")
                continue
            message = _mapped(entry, fields) if fields else entry
            if around.delivery and not message.get("messageId"):
                # A repeated delivery has the id of the first one, and is to tell of the same event.
                message = {**message, "messageId": f"{around.delivery}-{place}"}
            told.messages.append(_with_context(message, context) if context else message)
        return told


def _with_context(message: dict[str, Any], shared: object) -> dict[str, Any]:
    own = message.get("context")
    if not isinstance(shared, dict) or not (own is None or isinstance(own, dict)):
        return message
    return {**message, "context": {**shared, **(own or {})}}


def _mapped(entry: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the message that an object becomes: a track call, unless the fields say otherwise.

    Args:
        entry: the object.
        fields: by the place in the message, such as `properties.value`, the place in the object, such as `order.total`,
            or `=` and a text.
    """
    message: dict[str, Any] = {"type": "track"}
    for place, source in fields.items():
        value = source[1:] if source.startswith(_CONSTANT) else _at(entry, source)
        if value is not None:
            _put(message, place, value)
    return message


def _at(entry: object, place: str) -> object:
    for step in place.split("."):
        entry = entry.get(step) if isinstance(entry, dict) else None
    return entry


def _put(message: dict[str, Any], place: str, value: object) -> None:
    *way, last = place.split(".")
    for step in way:
        message = message.setdefault(step, {})
    message[last] = value
