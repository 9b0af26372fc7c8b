from __future__ import annotations

from typing import Any, cast

import pytest
from litestar.types import Scope

from collector.admission.addresses import Share, address_of
from collector.errors import RequestError


def scope(client: str, *headers: tuple[str, str]) -> Scope:
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return cast(Scope, cast(Any, {"client": (client, 1234), "headers": pairs}))


def share(most: int) -> Share:
    return Share(most, "too_many", "too many")


@pytest.mark.parametrize(
    ("client", "headers", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", [("x-forwarded-for", "203.0.113.9, 198.51.100.7")], "198.51.100.7"),
        # What the sender wrote stands in a line of its own before the proxy's.
        ("192.0.2.1", [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "198.51.100.7")], "198.51.100.7"),
        ("192.0.2.1", [("x-forwarded-for", "")], "192.0.2.1"),
        ("192.0.2.1", [("x-forwarded-for", "x" * 5000)], "x" * 64),
        ("2001:db8:1:2:aaaa::1", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", [], "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.1", [], "192.0.2.1"),
        ("fe80::1%eth0", [], "fe80::/64"),
        ("no:address", [], "no:address"),
    ],
)
def test_a_request_is_counted_against_the_network_that_it_comes_from(
    client: str, headers: list[tuple[str, str]], address: str
) -> None:
    assert address_of(scope(client, *headers), "x-forwarded-for") == address


def test_without_a_trusted_proxy_no_header_names_the_address() -> None:
    assert address_of(scope("192.0.2.1", ("x-forwarded-for", "6.6.6.6")), "") == "192.0.2.1"


def test_an_address_has_its_share_and_no_more_and_gets_it_back() -> None:
    two = share(2)
    two.enter("a")
    with two.one_of("a"):
        with pytest.raises(RequestError) as caught, two.one_of("a"):
            pytest.fail("one too many was let in")
        assert (caught.value.status, caught.value.code, caught.value.retry_after_seconds > 0) == (429, "too_many", True)
        with two.one_of("b"):
            assert len(two) == 3
    with two.one_of("a"):
        pass
    two.leave("a")
    assert len(two) == 0


def test_no_share_is_no_limit() -> None:
    unbounded = share(0)
    for _ in range(1000):
        unbounded.enter("a")
    assert len(unbounded) == 1000
