"""A visitor of the shop without a browser: keeps cookies, follows redirects, and reads pages."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

from litestar import Litestar
from litestar.testing import TestClient

ORIGIN = "http://testserver.local"

#: Signs the ids of accounts in tests.
IDENTITY_SECRET = "the identity secret of the shop"
ADDRESS = {
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "street": "Lane 1",
    "postcode": "10115",
    "city": "Berlin",
    "country": "Germany",
}


class Page(HTMLParser):
    """What a page says, to whom it may concern."""

    def __init__(self, status_code: int, path: str, headers: dict[str, str], text: str) -> None:
        super().__init__()
        self.status_code = status_code
        self.path = path
        self.headers = headers
        self.text = text
        self.links: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._script: dict[str, str | None] | None = None
        if headers["content-type"].startswith("text/html"):
            self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        self.elements.append((tag, named))
        self.links += [value for name in ("href", "src") if (value := named.get(name))]
        if tag == "script":
            self._script = named
            self.scripts.append((named, ""))

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None

    @property
    def pushes(self) -> list[dict[str, Any]]:
        """The data layer's entries, in order."""
        found = re.findall(r"^\s*dataLayer\.push\((.*)\);$", self._inline, re.MULTILINE)
        return [json.loads(entry) for entry in found]

    @property
    def events(self) -> list[str]:
        """The names of the data layer's events, in order."""
        return [push["event"] for push in self.pushes]

    def push(self, event: str) -> dict[str, Any]:
        """The one push of that event."""
        (found,) = [push for push in self.pushes if push["event"] == event]
        return found

    @property
    def identities(self) -> list[list[Any]]:
        """User id, traits and options of each identify call."""
        found = re.findall(r'^micromoment\("identify", (.*)\);$', self._inline, re.MULTILINE)
        return [json.loads(f"[{arguments}]") for arguments in found]

    @property
    def structured(self) -> list[dict[str, Any]]:
        """The JSON-LD objects."""
        return [
            json.loads(text) for attributes, text in self.scripts if attributes.get("type") == "application/ld+json"
        ]

    def structured_of(self, kind: str) -> dict[str, Any]:
        """The one JSON-LD object of that type."""
        (found,) = [node for node in self.structured if node["@type"] == kind]
        return found

    @property
    def _inline(self) -> str:
        return "\n".join(text for attributes, text in self.scripts if "type" not in attributes)


class Visitor:
    """Somebody with a browser of their own."""

    def __init__(self, app: Litestar) -> None:
        self.client = TestClient(app)

    def open(self, path: str) -> Page:
        """Go to a page."""
        response = self.client.get(path)
        return Page(response.status_code, response.url.path, dict(response.headers), response.text)

    def send(self, path: str, **fields: object) -> Page:
        """Send a form, and go where it leads."""
        response = self.client.post(path, data={name: str(value) for name, value in fields.items()})
        return Page(response.status_code, response.url.path, dict(response.headers), response.text)

    def put_into_cart(self, slug: str = "heron-tarp", **fields: object) -> Page:
        """Put something into the cart."""
        return self.send("/cart/add", slug=slug, **fields)

    def go_through_checkout(self, shipping: str = "standard", payment: str = "card", **address: str) -> Page:
        """Take every step of the checkout but the last, which places the order."""
        self.open("/checkout")
        self.send("/checkout", **{**ADDRESS, **address})
        self.send("/checkout/shipping", choice=shipping)
        return self.send("/checkout/payment", choice=payment)

    def place_order(self, **choices: str) -> Page:
        """Check out, and come to the page that says thank you."""
        self.go_through_checkout(**choices)
        return self.send("/checkout/place")
