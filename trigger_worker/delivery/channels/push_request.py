"""Builds web push requests (RFC 8030): encrypted for one browser, signed by the sender, to known push services only."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

import http_ece
import httpx
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from py_vapid import Vapid02, VapidException

from trigger_worker.deciding.recipient.push_subscription import PushSubscription
from trigger_worker.delivery.content.document import PushUrgency
from trigger_worker.delivery.content.filters import web_address
from warehouse.errors import ConfigurationError, DeliveryError

#: Most bytes of a payload: what fits into the one record of 4,096 that every push service takes (RFC 8291, section 4).
LONGEST_PAYLOAD: Final = 3_993
#: The longest time that push services keep a message, in seconds: four weeks.
LONGEST_TTL_S: Final = 2_419_200

#: How long a signature is valid, in seconds; RFC 8292 allows a day.
_SIGNED_FOR_S: Final = 12 * 3_600
_RECORD_BYTES: Final = 4_096
#: The beginning of an entry that stands for every host below another.
_ANY_BELOW: Final = "*."


class PushSignature:
    """Signs pushes with VAPID (RFC 8292), so that push services can tell their sender.

    Args:
        key: the private key whose public half browsers subscribed with.
        contact: the address that a push service writes to, `mailto:` or `https:`.

    Raises:
        ConfigurationError: the contact is neither.
    """

    def __init__(self, key: EllipticCurvePrivateKey, contact: str) -> None:
        self._vapid = Vapid02(key)
        self._contact = contact
        try:
            self.header("https://push.example", 1)
        except VapidException as error:
            raise ConfigurationError(
                "push_contact is neither mailto: and an address nor https:// and a host",
                "such as mailto:you@example.com",
            ) from error

    def header(self, audience: str, now_s: int) -> str:
        """Return the value of `Authorization`.

        Args:
            audience: the push service's origin.
            now_s: the present, in epoch seconds.
        """
        claims = {"aud": audience, "exp": now_s + _SIGNED_FOR_S, "sub": self._contact}
        return str(self._vapid.sign(claims)["Authorization"])


class PushServices:
    """The push services that pushes may be sent to.

    Args:
        text: entries separated by blanks: `push.example` allows https to that host on its usual port,
            `*.push.example` to any host below it, `http://127.0.0.1:8100` requests to exactly that origin.

    Raises:
        ConfigurationError: an entry is none of the three.
    """

    def __init__(self, text: str) -> None:
        self._hosts: set[str] = set()
        self._parents: list[str] = []
        self._origins: set[str] = set()
        for entry in text.lower().split():
            if "://" in entry:
                self._origins.add(origin(_url(entry)))
            elif entry.startswith(_ANY_BELOW):
                self._parents.append(_url(f"https://{entry.removeprefix(_ANY_BELOW)}").host)
            else:
                self._hosts.add(_url(f"https://{entry}").host)

    def url(self, endpoint: str) -> httpx.URL | None:
        """Return the address of a subscription's endpoint, or None when its push service is not allowed."""
        try:
            url = httpx.URL(endpoint)
        except httpx.InvalidURL:
            return None
        if url.userinfo or not web_address(endpoint):
            return None
        if origin(url) in self._origins:
            return url
        if url.scheme != "https" or url.port is not None:
            return None
        known = url.host in self._hosts or any(url.host.endswith(f".{parent}") for parent in self._parents)
        return url if known else None


def encrypt(payload: bytes, subscription: PushSubscription) -> bytes:
    """Return the body of a push, encrypted so that only the subscribed browser can read it (RFC 8291).

    Raises:
        DeliveryError: the payload is too long, or the browser's key is no point of the curve.
    """
    if len(payload) > LONGEST_PAYLOAD:
        raise DeliveryError(f"push: {len(payload)} bytes are more than the {LONGEST_PAYLOAD} that push services take")
    try:
        body = http_ece.encrypt(
            payload,
            private_key=generate_private_key(SECP256R1()),
            dh=subscription.public_key,
            auth_secret=subscription.secret,
            rs=_RECORD_BYTES,
            version="aes128gcm",
        )
    except ValueError as error:
        raise DeliveryError("push: the browser's key is none of its curve") from error
    return bytes(body)


def push_headers(message_id: str, urgency: PushUrgency, left_s: int, authorization: str) -> dict[str, str]:
    """Return the headers of a push.

    The topic is a hash of the message id, so that a repeat replaces the first push while it waits at the service.

    Args:
        message_id: the message's id.
        urgency: how soon the push service wakes the device.
        left_s: how long the service may keep the push, in seconds.
        authorization: the value of `PushSignature.header`.
    """
    topic = base64.urlsafe_b64encode(hashlib.sha256(message_id.encode()).digest())[:32].decode()
    return {
        "authorization": authorization,
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        "ttl": str(min(max(left_s, 0), LONGEST_TTL_S)),
        "urgency": urgency,
        "topic": topic,
    }


def origin(url: httpx.URL) -> str:
    """Return the origin of an address: scheme, host and, where it is not the usual one, port."""
    port = "" if url.port is None else f":{url.port}"
    return f"{url.scheme}://{url.host}{port}"


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if not web_address(text) or url.path not in {"", "/"} or url.userinfo or url.query:
        raise ConfigurationError(
            f'push_services: "{text.removeprefix("https://")}" is no host', "write hosts with blanks between them"
        )
    return url
