"""Whose key a request brings, and whether it may be used where the request comes from."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from collector.errors import RequestError
from collector.intake.body import query_key
from collector.sites import Site, Sites


class KeyHolder(msgspec.Struct, frozen=True):
    """The site that a key is of, and whether it is the secret key of the shop's server."""

    site: Site
    is_server: bool


def find_holder(sites: Sites, key: str) -> KeyHolder | None:
    """Return the holder of a key, or None when no site has it."""
    if not key:
        return None
    site = sites.with_key(key)
    if site is not None:
        return KeyHolder(site, is_server=False)
    site = sites.with_server_key(key)
    return KeyHolder(site, is_server=True) if site is not None else None


def require_holder(sites: Sites, key: str) -> KeyHolder:
    """Return the holder of a key.

    Raises:
        RequestError: 401, no site has it.
    """
    holder = find_holder(sites, key)
    if holder is None:
        raise unknown_key()
    return holder


def unknown_key() -> RequestError:
    """Return the answer to a key that no site has."""
    message = "no site has this write key; copy it from [sites.NAME] in micromoment.toml into data-key"
    return RequestError(HTTPStatus.UNAUTHORIZED, "unknown_write_key", message)


def require_fit(holder: KeyHolder, headers: Mapping[str, str], query: str) -> None:
    """See that a page may use the write key, and that a server key is where only servers see it.

    Args:
        holder: whose key it is.
        headers, query: those of the request.

    Raises:
        RequestError: 403.
    """
    origin = headers.get("origin", "")
    if not holder.is_server:
        if not holder.site.allows(origin):
            name = holder.site.name
            message = f"pages of {origin[:200]} may not send for site {name}; add the origin to its `origins`"
            raise RequestError(HTTPStatus.FORBIDDEN, "origin_not_allowed", message)
        return
    # Node's own `fetch` says `sec-fetch-mode` as well; where a request comes from, only browsers say.
    if origin or "sec-fetch-site" in headers:
        place = "a page sent the server key, which is a secret: put the write key there"
    elif query_key(query):
        place = "the server key stands in the address: send it as the user of Basic auth, or in the body"
    else:
        return
    raise RequestError(HTTPStatus.FORBIDDEN, "server_key_exposed", f"{place}; then replace the key")
