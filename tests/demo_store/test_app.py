"""What holds for every page, whatever it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from litestar import Litestar

from demo_store.app import create_app
from demo_store.settings import StoreSettings
from tests.demo_store.browsing import ORIGIN, Page, Visitor

PATHS = [
    "/",
    "/category/shelter",
    "/category/packs?sort=price-up&max_price=100",
    "/category/cabin?min_price=9000",
    "/search",
    "/search?q=wool",
    "/search?q=zebra",
    "/p/skylark-2-tent",
    "/p/ember-down-jacket",
    "/p/hauler-log-carrier",
    "/cart",
    "/wishlist",
    "/sign-up",
    "/sign-up?plan=ridge",
    "/log-in",
    "/size-guide",
    "/shipping",
    "/returns",
    "/membership",
]


@pytest.fixture(scope="module")
def app(settings: StoreSettings) -> Litestar:
    """One shop for all tests here: each has a visitor of its own, and visitors share nothing."""
    return create_app(settings)


@pytest.fixture
def shopper(visitor: Visitor) -> Visitor:
    """Somebody who has been everywhere: with an account, an order, a wish and a cart halfway through the checkout."""
    visitor.send("/sign-up", email="ada@example.com", first_name="Ada")
    visitor.send("/wishlist", slug="lodge-chair")
    visitor.put_into_cart()
    visitor.place_order()
    visitor.put_into_cart()
    visitor.go_through_checkout()
    return visitor


@pytest.mark.parametrize("path", PATHS)
def test_a_page_renders(path: str, visitor: Visitor) -> None:
    page = visitor.open(path)
    assert page.status_code == 200
    assert [tag for tag, _ in page.elements].count("h1") == 1
    assert [tag for tag, _ in page.elements].count("main") == 1


@pytest.mark.parametrize("path", PATHS)
def test_a_page_carries_the_snippet_once_and_nothing_else_of_micromoment(path: str, visitor: Visitor) -> None:
    page = visitor.open(path)
    stub = "window.micromoment=window.micromoment||function(){(micromoment.q=micromoment.q||[]).push(arguments)}"
    assert [text for _, text in page.scripts].count(stub) == 1
    assert page.text.count("https://collector.example/mm.js") == 1
    assert page.text.count('data-key="key-of-the-shop"') == 1
    assert "data-mm-" not in page.text
    assert page.text.lower().count("micromoment") == stub.count("micromoment")


@pytest.mark.parametrize("path", PATHS)
def test_every_inline_script_has_the_nonce_of_the_policy(path: str, visitor: Visitor) -> None:
    page = visitor.open(path)
    policy = page.headers["content-security-policy"]
    inline = [named for named, _ in page.scripts if "src" not in named and named.get("type") is None]
    assert inline
    assert all(f"'nonce-{named['nonce']}'" in policy for named in inline)
    assert not [named for _, named in page.elements if "style" in named or any(name.startswith("on") for name in named)]


def test_the_policy_lets_the_collector_in_and_nobody_else(visitor: Visitor) -> None:
    policy = visitor.open("/").headers["content-security-policy"]
    directives = dict(directive.split(" ", 1) for directive in policy.split("; "))
    assert directives["connect-src"] == "'self' https://collector.example"
    assert re.fullmatch(r"'self' https://collector\.example 'nonce-[\w-]+'", directives["script-src"])
    assert directives["default-src"] == "'none'"


def test_a_nonce_is_used_once(visitor: Visitor) -> None:
    first, second = (visitor.open("/").headers["content-security-policy"] for _ in range(2))
    assert first != second


def test_every_answer_carries_the_common_headers(visitor: Visitor) -> None:
    for path in ("/", "/nowhere", "/static/store.css", "/images/heron-tarp.svg"):
        assert visitor.open(path).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", PATHS)
def test_every_field_has_a_label_and_every_picture_a_text(path: str, visitor: Visitor) -> None:
    page = visitor.open(path)
    labelled = {named["for"] for tag, named in page.elements if tag == "label" and "for" in named}
    for tag, named in page.elements:
        if tag == "img":
            assert "alt" in named
        if tag in {"input", "select"} and named.get("type") not in {"hidden", "radio", "checkbox"}:
            assert named["id"] in labelled


def test_every_link_in_the_shop_leads_somewhere(shopper: Visitor) -> None:
    # One event loop for all requests instead of one for each.
    with shopper.client:
        broken = [(page.path, page.status_code) for page in _crawl(shopper) if page.status_code != 200]
    assert broken == []


def test_an_unknown_path_is_answered_with_a_page(visitor: Visitor) -> None:
    for path in ("/nowhere", "/p/nothing", "/category/nothing", "/images/nothing.svg", "/thank-you/TT-NOTHING"):
        page = visitor.open(path)
        assert page.status_code == 404
        assert "This path ends here" in page.text


def test_a_form_that_the_shop_cannot_read_is_refused_with_a_page(visitor: Visitor) -> None:
    page = visitor.send("/cart/add", slug="heron-tarp", quantity="many")
    assert page.status_code == 400
    assert "We did not understand that" in page.text


def test_a_form_that_is_too_large_is_refused(visitor: Visitor) -> None:
    assert visitor.send("/newsletter", email="a" * 100_000).status_code == 413


def test_the_footer_tells_of_the_demonstration_and_links_to_what_is_there() -> None:
    settings = StoreSettings(
        collector_url="http://c.example",
        write_key="k",
        mailbox_url="http://mail.example/",
        console_url="http://o.example/",
    )
    page = Visitor(create_app(settings)).open("/")
    assert "60 seconds" in page.text
    assert {"http://mail.example/", "http://o.example/"} <= set(page.links)


def test_without_a_mailbox_nothing_links_to_one(visitor: Visitor) -> None:
    assert "inbox" not in visitor.open("/").text


def test_a_public_url_is_what_the_page_calls_itself() -> None:
    settings = StoreSettings(collector_url="http://c.example", write_key="k", public_url="https://shop.example/")
    page = Visitor(create_app(settings)).open("/p/heron-tarp")
    assert page.structured_of("Product")["url"] == "https://shop.example/p/heron-tarp"
    assert page.push("view_item")["ecommerce"]["items"][0]["image"] == "https://shop.example/images/heron-tarp.svg"


def test_the_session_cookie_is_out_of_reach_of_scripts(visitor: Visitor) -> None:
    visitor.client.follow_redirects = False
    page = visitor.put_into_cart()
    cookie = page.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie


def test_over_https_the_session_cookie_is_secure() -> None:
    settings = StoreSettings(collector_url="http://c.example", write_key="k", public_url="https://shop.example")
    visitor = Visitor(create_app(settings))
    visitor.client.follow_redirects = False
    assert "secure" in visitor.put_into_cart().headers["set-cookie"].lower()


def test_looking_around_sets_no_cookie(visitor: Visitor) -> None:
    assert "set-cookie" not in visitor.open("/").headers


def test_two_visitors_share_nothing(app: Litestar) -> None:
    first, second = Visitor(app), Visitor(app)
    first.put_into_cart()
    thanks = first.place_order()
    first.put_into_cart("lodge-chair")
    assert "Nothing in it yet" in second.open("/cart").text
    assert second.open(thanks.path).status_code == 404
    assert "Lodge Chair" in first.open("/cart").text


def _crawl(visitor: Visitor) -> Iterator[Page]:
    """Open every address that a page of the shop links to, once."""
    seen, waiting = {"/"}, ["/", "/checkout", "/account"]
    while waiting:
        page = visitor.open(waiting.pop())
        yield page
        for link in page.links:
            address = urldefrag(urljoin(ORIGIN + page.path, link)).url
            path = address.removeprefix(ORIGIN)
            if urlsplit(address).netloc == urlsplit(ORIGIN).netloc and path not in seen:
                seen.add(path)
                waiting.append(path)
