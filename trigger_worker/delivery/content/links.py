"""Builds the signed addresses in messages that lead back to the collector: pixels, counted links, unsubscribing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from trigger_worker.delivery.content.filters import web_address
from warehouse.message_token import MAX_TOKEN_LENGTH, MessageToken, MessageTokens


class SiteLinks(msgspec.Struct, frozen=True):
    """The settings of a site that links depend on.

    Args:
        hosts: the site's own hosts, which a counted link may lead to.
        asks_first: whether only visitors who agreed to analytics may be observed.
    """

    hosts: frozenset[str] = frozenset()
    asks_first: bool = False


_UNKNOWN_SITE: Final = SiteLinks(asks_first=True)


class MessageLinks:
    """Builds addresses of the collector that carry a signed token of a message.

    Args:
        collector_url: the collector's public address, such as `https://collector.example`.
        tokens: signs tokens with the secret that the collector checks them with.
        sites: the sites' settings, by site.
    """

    def __init__(self, collector_url: str, tokens: MessageTokens, sites: Mapping[str, SiteLinks]) -> None:
        self._base = collector_url.rstrip("/")
        self._tokens = tokens
        self._sites = sites

    def may_observe(self, site: str, agreed: bool | None) -> bool:
        """Tell whether opens and clicks of a visitor may be recorded.

        Args:
            site: the visitor's site.
            agreed: the visitor's answer about analytics; None when never asked.
        """
        asks_first = self._sites.get(site, _UNKNOWN_SITE).asks_first
        return agreed is True or (agreed is None and not asks_first)

    def unsubscribe(self, message: MessageToken) -> str:
        """Return the address of a message's preference page, which also unsubscribes with one click."""
        return f"{self._base}/v1/u/{self._tokens.sign(message, 'unsubscribe')}"

    def confirm(self, message: MessageToken) -> str:
        """Return the address of the page where the reader confirms the address that a message was sent to."""
        return f"{self._base}/v1/a/{self._tokens.sign(message, 'confirm')}"

    def text_status(self, message: MessageToken) -> str:
        """Return the address to which a provider reports the status of a text message."""
        return f"{self._base}/v1/callbacks/sms/{self._tokens.sign(message, 'callback')}"

    def push_report(self, message: MessageToken) -> str:
        """Return the address to which a service worker reports that a notification was shown or clicked."""
        return f"{self._base}/v1/callbacks/push/{self._tokens.sign(message, 'push')}"

    def pixel(self, message: MessageToken) -> str:
        """Return the address of the pixel whose loading records that a message was opened."""
        return f"{self._base}/v1/o/{self._tokens.sign(message, 'open')}.gif"

    def click(self, message: MessageToken, target: str, named_hosts: frozenset[str] = frozenset()) -> str:
        """Return the address that records a click and redirects to `target`, or `target` where it must not be counted.

        A counted link vouches for its target by the collector's name. A fact that a page sent, such as a product's
        address, may come from a stranger: a target is signed only when its host is the site's or the template's own.

        Args:
            message: the message that the link stands in.
            target: any address.
            named_hosts: the hosts that the template itself names.
        """
        target = target.strip()
        host = _host(target)
        own = self._sites.get(message.site, _UNKNOWN_SITE).hosts
        if not host or target.startswith(f"{self._base}/v1/") or host not in own | named_hosts:
            return target
        token = self._tokens.sign(msgspec.structs.replace(message, target=target), "click")
        return f"{self._base}/v1/c/{token}" if len(token) <= MAX_TOKEN_LENGTH else target


def hosts_of(addresses: Iterable[str]) -> frozenset[str]:
    """Return the hosts of those addresses that are http(s) ones."""
    return frozenset(filter(None, map(_host, addresses)))


def _host(address: str) -> str:
    """Return the host of an http(s) address in lower case; '' for any other address, or one with a user in it."""
    if not web_address(address):
        return ""
    parts = urlsplit(address)
    return "" if "@" in parts.netloc else parts.hostname or ""
