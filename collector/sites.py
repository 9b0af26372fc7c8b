"""The sites that may send events: their keys, origins, consent modes and retention."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from warehouse.answer_words import Category

ConsentMode = Literal["opt-out", "opt-in", "off"]
IdentityMode = Literal["required", "optional", "off"]


class ShopWebhook(msgspec.Struct, frozen=True):
    """One address at which a shop's platform tells of what happened.

    Args:
        name: stands in the address.
        platform: whose webhooks come there, such as `shopify`.
        token: stands in the address; secret.
        secrets: the keys by which the platform signs, the current one first.
        shop: the domain of the shop at the platform, '' for any.
        fields: for platform `generic`, where each part of a message stands in what comes.
    """

    name: str
    platform: str
    token: str
    secrets: tuple[bytes, ...]
    shop: str = ""
    fields: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"ShopWebhook(name={self.name!r}, platform={self.platform!r})"


class Site(msgspec.Struct, frozen=True):
    """One shop that sends events.

    Args:
        name: the value of the column `site` in its rows.
        write_key: public key in the snippet; it may write events and nothing else.
        origins: pages that may send, such as `https://shop.example`; `*` allows every page.
        retention_days: how long an event is kept, counted from its receipt.
        consent: `opt-in` keeps only events of visitors who agreed, `opt-out` all but those of visitors who refused,
            `off` leaves consent to the shop.
        server_keys: secret keys of the shop's server, the current one first, whose holder is believed.
        identity: whether a page's word about a user counts only when the shop's server has signed the user id
            (`required`, `optional`); the role that builds sites passes the setting.
        identity_secrets: the keys of those signatures, the current one first.
        webhooks: the addresses at which platforms tell of the shop.
        consent_categories: by name in lower case, without anything but letters and digits, what a category of the
            site's consent dialogue is about, beside the usual ones.
        none_ids: further ids that are none, however they are written.
        real_ids: ids that are some on this site though they are none elsewhere.
        currency: the code of the currency that the site reckons in, '' for none.
        rates: by code of another currency, what one unit of it is worth in that currency.
    """

    name: str
    write_key: str
    origins: tuple[str, ...] = ("*",)
    retention_days: int = 400
    consent: ConsentMode = "opt-out"
    server_keys: tuple[str, ...] = ()
    identity: IdentityMode = "off"
    identity_secrets: tuple[bytes, ...] = ()
    webhooks: tuple[ShopWebhook, ...] = ()
    consent_categories: Mapping[str, Category] = {}
    none_ids: tuple[str, ...] = ()
    real_ids: tuple[str, ...] = ()
    currency: str = ""
    rates: Mapping[str, float] = {}

    def __repr__(self) -> str:
        return f"Site(name={self.name!r})"

    def rate(self, code: str) -> float | None:
        """Return what one unit of a currency is worth in the site's own; None where that is not known."""
        return 1.0 if code == self.currency else self.rates.get(code)

    def allows(self, origin: str) -> bool:
        """Tell whether a page of this origin may send; servers send no origin and may."""
        return not origin or "*" in self.origins or origin in self.origins


class Sites:
    """All configured sites, found by write key or name."""

    def __init__(self, sites: Iterable[Site]) -> None:
        self._sites = tuple(sites)

    def __iter__(self) -> Iterator[Site]:
        return iter(self._sites)

    def with_key(self, write_key: str) -> Site | None:
        """Return the site of a write key, compared in constant time, or None."""
        given = write_key.encode()
        return next((site for site in self._sites if hmac.compare_digest(site.write_key.encode(), given)), None)

    def with_server_key(self, server_key: str) -> Site | None:
        """Return the site of a server key, compared in constant time, or None."""
        given = server_key.encode()
        holders = ((site, key.encode()) for site in self._sites for key in site.server_keys)
        return next((site for site, key in holders if hmac.compare_digest(key, given)), None)

    def with_webhook(self, name: str, token: str) -> tuple[Site, ShopWebhook] | None:
        """Return the webhook of an address and its site, found in the same time whichever it is, or None."""
        given, found = _address_digest(name, token), None
        for site in self._sites:
            for webhook in site.webhooks:
                if hmac.compare_digest(_address_digest(webhook.name, webhook.token), given):
                    found = site, webhook
        return found

    def named(self, name: str) -> Site | None:
        """Return the site of a name, or None when no site has that name any more."""
        return next((site for site in self._sites if site.name == name), None)


def _address_digest(name: str, token: str) -> bytes:
    return hashlib.sha256(f"{name}/{token}".encode("utf-8", "surrogatepass")).digest()
