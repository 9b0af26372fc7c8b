"""Browsers with secrets of their own, as the SDK makes them."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.collector.messages import NOON
from warehouse.browser_id import make_browser_id


class BrowserOfSdk(NamedTuple):
    """A browser: the anonymous id that it sends, and the secret that it shows."""

    anonymous_id: str
    secret: str

    def batch(self, *messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """Return a batch of its messages, with its secret."""
        sent = [{**each, "anonymousId": self.anonymous_id} for each in messages]
        return {"writeKey": "shop-key", "browserSecret": self.secret, "batch": sent, **fields}


def browser_of(name: str, made_at: int = NOON - 3_600_000) -> BrowserOfSdk:
    """Return the browser of a person of a test, the same for the same name."""
    secret = f"secret-of-{name}".ljust(32, "-")
    return BrowserOfSdk(make_browser_id(made_at, secret), secret)
