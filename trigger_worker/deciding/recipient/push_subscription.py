"""Push subscriptions of browsers, as their pages sent them: untrusted, and checked and bounded here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.event import Event

#: Most subscriptions of one person that are kept, the latest: a page could make up any number.
MAX_SUBSCRIPTIONS: Final = 10
_LONGEST_ENDPOINT: Final = 1_000
#: Bytes, as RFC 8291 says: an uncompressed point on P-256, and a secret.
_KEY_BYTES: Final = 65
_SECRET_BYTES: Final = 16


class PushSubscription(msgspec.Struct, frozen=True, array_like=True):
    """The subscription of one browser.

    Args:
        endpoint: the push service's address of the browser; whoever knows it can send, so it stays out of logs.
        p256dh: the browser's public key, base64url.
        auth: the secret that the browser shares with us, base64url.
    """

    endpoint: str
    p256dh: str
    auth: str

    def text(self) -> str:
        """Return the subscription as an address of the channel `push`."""
        return msgspec.json.encode(self).decode()

    @property
    def public_key(self) -> bytes:
        """The bytes of the browser's public key."""
        return decode_base64url(self.p256dh)

    @property
    def secret(self) -> bytes:
        """The bytes of the shared secret."""
        return decode_base64url(self.auth)


def read_subscription(text: str) -> PushSubscription:
    """Return the subscription that `PushSubscription.text` wrote."""
    return msgspec.json.decode(text, type=PushSubscription)


def live_subscriptions(events: Iterable[Event]) -> tuple[PushSubscription, ...]:
    """Return the subscriptions of a person that were not revoked, the latest first.

    Args:
        events: the person's `push_subscribed` and `push_unsubscribed` in order; other events are passed over.
    """
    live: dict[str, PushSubscription] = {}
    for event in events:
        if event.name == "push_subscribed":
            subscription = _said(event)
            if subscription is not None:
                live.pop(subscription.endpoint, None)
                live[subscription.endpoint] = subscription
        elif event.name == "push_unsubscribed":
            live.pop(str(event.fields.get("endpoint")), None)
    return tuple(reversed(live.values()))[:MAX_SUBSCRIPTIONS]


def decode_base64url(text: str) -> bytes:
    """Return the bytes of a text in base64url, with or without its padding.

    Raises:
        ValueError: the text is not base64url.
    """
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)


def _said(event: Event) -> PushSubscription | None:
    endpoint, key, secret = (event.fields.get(name) for name in ("endpoint", "p256dh", "auth"))
    if not isinstance(endpoint, str) or not isinstance(key, str) or not isinstance(secret, str):
        return None
    if not 0 < len(endpoint) <= _LONGEST_ENDPOINT or not endpoint.isascii() or not endpoint.isprintable():
        return None
    subscription = PushSubscription(endpoint, key, secret)
    try:
        fits = len(subscription.public_key) == _KEY_BYTES and len(subscription.secret) == _SECRET_BYTES
    except (binascii.Error, ValueError):
        return None
    return subscription if fits else None
