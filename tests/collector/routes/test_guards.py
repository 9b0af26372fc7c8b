"""The checks that groups of routes share."""

from __future__ import annotations

from pathlib import Path

import pytest
from litestar.testing import RequestFactory

from collector.errors import RequestError
from collector.parts import CollectorParts, CollectorSettings
from collector.rate import RateLimit
from collector.routes.guards import AnyRequest, admit, objects_to_tracking, read_link, require_link
from tests.collector.away import AWAY
from tests.collector.collector_parts import running_parts
from tests.collector.message_links import signed


def request_with(**headers: str) -> AnyRequest:
    """Return a request with these headers, `_` for `-`."""
    return RequestFactory().get("/", headers={name.replace("_", "-"): value for name, value in headers.items()})


def refused(parts: CollectorParts, purpose: str) -> float:
    """Return how many links of a purpose were refused."""
    name = "micromoment_message_links_refused_total"
    return parts.metrics.registry.get_sample_value(name, {"purpose": purpose}) or 0


async def test_requests_are_counted_against_the_address_that_a_trusted_proxy_names(tmp_path: Path) -> None:
    settings = CollectorSettings(address_header="x-forwarded-for")
    async with running_parts(tmp_path, AWAY, settings=settings, rate=RateLimit(0.1, 1)) as parts:
        admit(request_with(x_forwarded_for="203.0.113.9, 192.0.2.1"), parts)
        admit(request_with(x_forwarded_for="203.0.113.9, 192.0.2.2"), parts)
        with pytest.raises(RequestError) as caught:
            admit(request_with(x_forwarded_for="203.0.113.8, 192.0.2.1"), parts)
    assert (caught.value.status, caught.value.code) == (429, "too_many_requests")
    assert caught.value.retry_after_seconds >= 10


async def test_a_header_of_a_proxy_that_is_not_trusted_names_no_address(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY, rate=RateLimit(0.1, 1)) as parts:
        admit(request_with(x_forwarded_for="192.0.2.1"), parts)
        with pytest.raises(RequestError):
            admit(request_with(x_forwarded_for="192.0.2.2"), parts)


async def test_a_link_leads_to_its_message_and_site(parts: CollectorParts) -> None:
    link = read_link(parts, signed("click", target="https://shop.example/"), "click")
    assert link is not None
    assert (link.token.message_id, link.site) == ("message-1", parts.sites.named("shop"))
    assert require_link(parts, signed("push"), "push").token.visitor_id == "anna"
    assert (refused(parts, "click"), refused(parts, "push")) == (0, 0)


@pytest.mark.parametrize("text", ["", "forged.token", signed("open"), signed("click", site="gone")])
async def test_a_link_that_leads_nowhere_is_counted_and_refused(parts: CollectorParts, text: str) -> None:
    assert read_link(parts, text, "click") is None
    assert refused(parts, "click") == 1
    with pytest.raises(RequestError) as caught:
        require_link(parts, text, "click")
    assert (caught.value.status, caught.value.code, refused(parts, "click")) == (404, "unknown_message", 2)


@pytest.mark.parametrize(
    ("headers", "objects"), [({"sec_gpc": "1"}, True), ({"dnt": "1"}, True), ({"dnt": "0"}, False), ({}, False)]
)
def test_a_browser_objects_by_either_header(headers: dict[str, str], objects: bool) -> None:
    assert objects_to_tracking(request_with(**headers).headers) is objects
