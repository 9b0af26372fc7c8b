"""The addresses in a message that lead back to us: what was opened, what was followed, and who wants no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from trigger_worker.delivery.content.filters import web_address
from warehouse.message_token import MAX_TOKEN_LENGTH, MessageToken, MessageTokens


class SiteLinks(msgspec.Struct, frozen=True):
    """What a site says about links.

    Args:
        hosts: its own, which a counted link may lead to.
        asks_first: whether only who agreed may be observed.
    """

    hosts: frozenset[str] = frozenset()
    asks_first: bool = False


_UNKNOWN_SITE: Final = SiteLinks(asks_first=True)


class MessageLinks:
    """Signs addresses that nobody can make up or change.

    Args:
        collector_url: where readers reach the collector, such as `https://collector.example`.
        tokens: signs with the secret that the collector checks with.
        sites: by name.
    """

    def __init__(self, collector_url: str, tokens: MessageTokens, sites: Mapping[str, SiteLinks]) -> None:
        self._base = collector_url.rstrip("/")
        self._tokens = tokens
        self._sites = sites

    def may_observe(self, site: str, agreed: bool | None) -> bool:
        """Tells whether a visitor may be observed.

        Args:
            site: where.
            agreed: what the visitor said to analytics; None when never asked.
        """
        asks_first = self._sites.get(site, _UNKNOWN_SITE).asks_first
        return agreed is True or (agreed is None and not asks_first)

    def unsubscribe(self, message: MessageToken) -> str:
        """Gives the address of a message's preference page, where one click also unsubscribes."""
        return f"{self._base}/v1/u/{self._tokens.sign(message, 'unsubscribe')}"

    def text_status(self, message: MessageToken) -> str:
        """Gives the address where a provider says what became of a text message."""
        return f"{self._base}/v1/callbacks/sms/{self._tokens.sign(message, 'callback')}"

    def push_report(self, message: MessageToken) -> str:
        """Gives the address where a service worker says what became of a notification."""
        return f"{self._base}/v1/callbacks/push/{self._tokens.sign(message, 'push')}"

    def pixel(self, message: MessageToken) -> str:
        """Gives the address of the picture that says that a message was opened."""
        return f"{self._base}/v1/o/{self._tokens.sign(message, 'open')}.gif"

    def click(self, message: MessageToken, target: str, named_hosts: frozenset[str] = frozenset()) -> str:
        """Gives the address that counts a click and leads on to `target`, or `target` itself.

        Our name vouches for where a counted link leads. What a page told us, such as a product's address or even a
        first name, may be a stranger's work: it is signed only where it leads to the shop.

        Args:
            message: which one the link stands in.
            target: any address.
            named_hosts: those that the template names itself.
        """
        target = target.strip()
        host = _host(target)
        own = self._sites.get(message.site, _UNKNOWN_SITE).hosts
        if not host or target.startswith(f"{self._base}/v1/") or host not in own | named_hosts:
            return target
        token = self._tokens.sign(msgspec.structs.replace(message, target=target), "click")
        return f"{self._base}/v1/c/{token}" if len(token) <= MAX_TOKEN_LENGTH else target


def hosts_of(addresses: Iterable[str]) -> frozenset[str]:
    """Gives the hosts of the addresses that are http(s) ones."""
    return frozenset(filter(None, map(_host, addresses)))


def _host(address: str) -> str:
    """Gives the host of an http(s) address in lower case; '' for any other, or one with a user in it."""
    if not web_address(address):
        return ""
    parts = urlsplit(address)
    return "" if "@" in parts.netloc else parts.hostname or ""
