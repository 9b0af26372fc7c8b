"""Which push services may be written to: a page names the address, and must not make us write to anybody else's."""

from __future__ import annotations

from typing import Final

import httpx

from trigger_worker.delivery.content.filters import web_address
from warehouse.errors import ConfigurationError

_ANY_BELOW: Final = "*."


class PushServices:
    """The push services of the browsers' makers, and of the operator.

    Args:
        text: hosts with blanks between them: `push.example` means https there on its usual port, `*.push.example` any
            host below it, `http://127.0.0.1:8100` that very origin.

    Raises:
        ConfigurationError: an entry is neither.
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
        """Return a subscription's address, or None when it is not one of these services."""
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


def origin(url: httpx.URL) -> str:
    """Return scheme, host and, where it is not the usual one, port."""
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
