"""A push service with its browsers: takes what RFC 8030 asks for, checks who signed it, and reads it as browsers do."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from py_vapid.jwt import decode

from tests.trigger_worker.delivery.channels.http_peer import HttpPeer, Request, answer
from trigger_worker.deciding.recipient.push_subscription import PushSubscription


@dataclass(frozen=True)
class Notification:
    """What a browser got: the decrypted payload, the verified claims, and the headers of the push."""

    payload: dict[str, Any]
    claims: dict[str, Any]
    headers: dict[str, str]


class Browser:
    """A browser that subscribed."""

    def __init__(self, endpoint: str) -> None:
        self._key = generate_private_key(SECP256R1())
        self._secret = b"sixteen letters!"
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.subscription = PushSubscription(endpoint, base64url(point), base64url(self._secret))
        self.notifications: list[Notification] = []

    def read(self, request: Request, claims: dict[str, Any]) -> None:
        """Decrypt what arrived."""
        plain = http_ece.decrypt(request.body, private_key=self._key, auth_secret=self._secret, version="aes128gcm")
        self.notifications.append(Notification(json.loads(plain), claims, request.headers))


class PushPeer(HttpPeer):
    """The service; every browser has a path of its own.

    Args:
        public_key: the one that its browsers subscribed with, base64url.
    """

    def __init__(self, public_key: str) -> None:
        super().__init__(self._reply)
        self._public_key = public_key
        self._browsers: dict[str, Browser] = {}

    @property
    def origin(self) -> str:
        return self.url.removesuffix("/hook")

    def browser(self) -> Browser:
        """Subscribe a browser."""
        path = f"/push/{len(self._browsers)}"
        browser = Browser(self.origin + path)
        self._browsers[path] = browser
        return browser

    def revoke(self, browser: Browser) -> None:
        """Forget a browser."""
        self._browsers = {path: kept for path, kept in self._browsers.items() if kept is not browser}

    def _reply(self, request: Request) -> bytes:
        method, path, _ = request.line.split(" ")
        browser = self._browsers.get(path)
        if method != "POST" or browser is None:
            return answer("410 Gone", body=b"push subscription has unsubscribed or expired")
        scheme, _, parameters = request.headers.get("authorization", "").partition(" ")
        values = dict(part.split("=", 1) for part in parameters.split(",") if "=" in part)
        if scheme != "vapid" or values.get("k") != self._public_key or not Vapid02.verify(f"vapid {parameters}"):
            return answer("403 Forbidden", body=b"invalid JWT provided")
        if request.headers.get("content-encoding") != "aes128gcm" or "ttl" not in request.headers:
            return answer("400 Bad Request", body=b"missing headers")
        if len(request.body) > 4096:
            return answer("413 Payload Too Large")
        browser.read(request, decode(values["t"], values["k"]))
        return answer("201 Created", f"Location: {self.origin}/message/1")


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
