"""A visitor of the demo store: the actions on its pages, and the rows that ClickHouse holds of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec
from playwright.sync_api import Locator, Page, expect

from e2e.stack import Stack
from e2e.waiting import wait_for

Row = dict[str, Any]

#: Where the mouse rests when it points at nothing: between the page's edge and its content.
_NOWHERE: Final = (3, 400)
#: Most milliseconds that a banner takes, on a machine that does much else.
_BANNER_WITHIN_MS: Final = 20_000


class Contact(msgspec.Struct, frozen=True):
    """The name and address of an order."""

    email: str
    first_name: str = "Ada"
    last_name: str = "Marten"
    street: str = "Birkenweg 7"
    postcode: str = "10115"
    city: str = "Berlin"


class Shopper:
    """A visitor of the demo store.

    Args:
        page: a page in a browser context that no other visitor uses.
        stack: the running product.
    """

    def __init__(self, page: Page, stack: Stack) -> None:
        self.page = page
        self.stack = stack

    # What they do in the shop.

    def open(self, path: str) -> None:
        """Go to a page of the shop by its address."""
        self.page.goto(self.stack.store_url + path)

    def open_and_listen(self, path: str) -> None:
        """Go to a page of the shop, and wait until banners reach it at once."""
        with self.page.expect_response("**/v1/stream*"):
            self.open(path)

    def open_home(self) -> None:
        """Go to the front page."""
        self.open("/")

    def open_product(self, slug: str) -> None:
        """Go to a product's page."""
        self.open(f"/p/{slug}")

    def search(self, term: str) -> None:
        """Search by the field in the header."""
        self.page.get_by_role("searchbox").fill(term)
        self.page.get_by_role("searchbox").press("Enter")
        self.page.wait_for_url("**/search?**")

    def choose_product(self, slug: str) -> None:
        """Follow a card to its product."""
        self.card(slug).get_by_role("heading").get_by_role("link").click()
        self.page.wait_for_url(f"**/p/{slug}")

    def point_at(self, slug: str) -> None:
        """Rest the mouse on the card of a product."""
        self.card(slug).get_by_role("heading").hover()

    def point_nowhere(self) -> None:
        """Move the mouse away from all products."""
        self.page.mouse.move(*_NOWHERE)

    def leave_through_the_top(self) -> None:
        """Move the mouse out of the page as one does to close the tab."""
        self.page.mouse.move(600, 300)
        self.page.mouse.move(600, 4)
        self.page.mouse.move(600, -20)

    def add_to_cart(self, size: str = "") -> None:
        """Buy the product of this page."""
        if size:
            self.page.get_by_role("group", name="Size").get_by_text(size, exact=True).click()
        self.page.get_by_role("button", name="Add to cart").click()
        self.page.wait_for_url("**/cart")

    def remove_first_line(self) -> None:
        """Take the first article out of the cart."""
        self.page.get_by_role("button", name="Remove").first.click()
        expect(self.page.get_by_role("button", name="Remove")).to_have_count(0)

    def begin_checkout(self, contact: Contact) -> None:
        """Go from the cart to the checkout, and submit contact and address."""
        self.page.get_by_role("link", name="Go to checkout").click()
        for field, value in msgspec.structs.asdict(contact).items():
            self.page.locator(f"#checkout-contact [name={field}]").fill(value)
        self.page.get_by_role("button", name="Continue to shipping").click()
        self.page.wait_for_url("**/checkout/shipping")

    def choose_shipping(self, name: str) -> None:
        """Choose the shipping option."""
        self.page.get_by_role("radio", name=name).check()
        self.page.get_by_role("button", name="Continue to payment").click()
        self.page.wait_for_url("**/checkout/payment")

    def choose_payment(self, name: str) -> None:
        """Choose the payment option."""
        self.page.get_by_role("radio", name=name).check()
        self.page.get_by_role("button", name="Review the order").click()
        self.page.wait_for_url("**/checkout/review")

    def place_order(self) -> str:
        """Place the order, and return its number."""
        self.page.get_by_role("button", name="Place the order").click()
        self.page.wait_for_url("**/thank-you/*")
        return self.page.url.rsplit("/", 1)[1]

    def buy(self, slug: str, contact: Contact) -> str:
        """Buy a product, from its page to the thank-you page, and return the number of the order."""
        self.open_product(slug)
        self.add_to_cart()
        self.begin_checkout(contact)
        self.choose_shipping("Standard")
        self.choose_payment("Invoice")
        return self.place_order()

    def sign_up(self, email: str, first_name: str = "Ada") -> None:
        """Sign up for an account."""
        self.open("/sign-up")
        self.page.locator("#sign-up [name=first_name]").fill(first_name)
        self.page.locator("#sign-up [name=email]").fill(email)
        self.page.locator("#sign-up button").click()
        self.page.wait_for_url("**/account")

    def log_out(self) -> None:
        """Log out of the account."""
        self.page.get_by_role("button", name="Log out").click()

    def log_in(self, email: str) -> None:
        """Log in to the account."""
        self.open("/log-in")
        self.page.locator("main [name=email]").fill(email)
        self.page.locator("main form button").click()
        self.page.wait_for_url("**/account")

    def tell(self, *command: object) -> None:
        """Call the SDK as a script of the shop does."""
        self.page.evaluate("command => window.micromoment(...command)", list(command))

    # What they see.

    def card(self, slug: str) -> Locator:
        """Return the card of a product in a list."""
        return self.page.get_by_role("article").filter(has=self.page.locator(f'a[href="/p/{slug}"]')).first

    @property
    def banner(self) -> Locator:
        """Return the banner on the page; there is never more than one."""
        return self.page.locator("[data-micromoment-banner]")

    def see_banner(self, words: str) -> str:
        """Wait for a banner with a text, and return its message id."""
        expect(self.banner).to_contain_text(words, timeout=_BANNER_WITHIN_MS)
        return self.banner.get_attribute("data-micromoment-banner") or ""

    # What became known of it.

    @property
    def anonymous_id(self) -> str:
        """Return the anonymous id that the SDK gave this browser."""
        read = partial(self.page.evaluate, "localStorage.getItem('mm_anonymous_id')")
        return str(wait_for(read, "the snippet to have loaded"))

    def events(self, name: str = "") -> list[Row]:
        """Return the stored events of this browser in order, with `props` decoded."""
        wanted = f" AND event = '{name}'" if name else ""
        query = f"SELECT * FROM events WHERE anonymous_id = '{self.anonymous_id}'{wanted} ORDER BY ts, event_id"
        return [row | {"props": json.loads(row["props"] or "{}")} for row in self.stack.sql(query)]

    def wait_for_event(self, name: str, **columns: object) -> Row:
        """Return the first stored event of a name with the given columns or properties, and wait for it if needed."""

        def find() -> Row | None:
            return next((row for row in self.events(name) if matches(row, columns)), None)

        return wait_for(find, f"{name} {columns} of {self.anonymous_id}")

    def wait_for_message(self, **columns: object) -> Row:
        """Return the first stored state of a message to this person with the given columns; wait for it if needed."""
        return self._wait_for_row("messages", columns)

    def wait_for_decision(self, **columns: object) -> Row:
        """Return the first verdict on a message to this person with the given columns; wait for it if needed."""
        return self._wait_for_row("decisions", columns)

    def _wait_for_row(self, table: str, columns: Mapping[str, object]) -> Row:
        ids = f"visitor_id = '{self.anonymous_id}' OR visitor_id IN (SELECT person FROM identity"
        query = f"SELECT * FROM {table} WHERE {ids} WHERE alias = '{self.anonymous_id}')"

        def find() -> Row | None:
            return next((row for row in self.stack.sql(query) if matches(row, columns)), None)

        return wait_for(find, f"{table} {columns} of {self.anonymous_id}")


def matches(row: Row, columns: Mapping[str, object]) -> bool:
    """Tell whether a row has the given columns."""
    return all(column(row, name) == value for name, value in columns.items())


def column(row: Row, name: str) -> Any:
    """Return the column of a name of a row, or the property of that name when there is no such column."""
    return row.get(name, row.get("props", {}).get(name))
