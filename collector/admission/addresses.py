"""The address that a request is counted against, and what one address may have under way at the same time."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from litestar.types import Scope

from collector.errors import RequestError

#: Whoever has one address of IPv6 has all that share these bits.
_PREFIX_BITS: Final = 64
#: Longest text of a proxy that is taken for an address.
_LONGEST: Final = 64


def address_of(scope: Scope, header: str) -> str:
    """Return what a request is counted against: its sender's address, of IPv6 the first 64 bits.

    Args:
        scope: of the request.
        header: name in lower case of the header in which a trusted proxy names the address, '' for none. Its last
            value counts, which the proxy wrote; what stands before it, the sender may have.
    """
    if header:
        wanted = header.encode("latin-1")
        for name, value in reversed(list(scope["headers"])):
            if name == wanted:
                forwarded = value.decode("latin-1").rpartition(",")[2].strip()[:_LONGEST]
                if forwarded:
                    return _network(forwarded)
                break
    client = scope["client"]
    return _network(client[0]) if client else ""


@lru_cache(maxsize=8192)
def _network(address: str) -> str:
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.strip("[]").partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed) >> _PREFIX_BITS << _PREFIX_BITS, _PREFIX_BITS)))


class Share:
    """What each address has under way of one kind, and how much it may have.

    Args:
        most: at the same time; 0 for no limit.
        code: of the error when it has as many.
        message: of the error: says what there is too much of.
    """

    def __init__(self, most: int, code: str, message: str) -> None:
        self._most = most
        self._code = code
        self._message = message
        self._under_way: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._under_way.total()

    def enter(self, address: str) -> None:
        """Count one more; `leave` must follow.

        Raises:
            RequestError: 429, the address has its share.
        """
        if self._most and self._under_way[address] >= self._most:
            raise RequestError(HTTPStatus.TOO_MANY_REQUESTS, self._code, self._message, retry_after_seconds=5)
        self._under_way[address] += 1

    def leave(self, address: str) -> None:
        """Count one less."""
        self._under_way[address] -= 1
        if not self._under_way[address]:
            del self._under_way[address]

    @contextmanager
    def one_of(self, address: str) -> Iterator[None]:
        """Count one until the block ends.

        Raises:
            RequestError: 429, the address has its share.
        """
        self.enter(address)
        try:
            yield
        finally:
            self.leave(address)
