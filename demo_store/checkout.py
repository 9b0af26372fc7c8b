"""The checkout: contact, steps in their order, and the order that is placed at the end."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from demo_store.account import Account, is_email
from demo_store.cart import Cart, Totals, total_up
from demo_store.forms import ContactForm
from demo_store.prices import PaymentOption, ShippingOption

#: The name of each step of the checkout by its path, in order.
STEPS = {
    "/checkout": "Address",
    "/checkout/shipping": "Shipping",
    "/checkout/payment": "Payment",
    "/checkout/review": "Review",
}

#: The countries that the shop ships to.
COUNTRIES = ("Austria", "Belgium", "Denmark", "France", "Germany", "Ireland", "Netherlands", "Sweden", "Switzerland")

_REQUIRED = {
    "first_name": "Please tell us your first name.",
    "last_name": "Please tell us your last name.",
    "street": "Please give a street and number.",
    "postcode": "Please give a postcode.",
    "city": "Please give a town or city.",
}
_SATURDAY = 5


class Contact(msgspec.Struct, frozen=True):
    """The name and address that an order goes to."""

    email: str
    first_name: str
    last_name: str
    street: str
    postcode: str
    city: str
    country: str


class CheckoutProgress(msgspec.Struct):
    """The answers of a visitor in the steps of the checkout so far.

    Args:
        announced: whether the start of the checkout was pushed to the data layer.
        contact: the contact; None before the first step is done.
        shipping: the key of the shipping option; empty before it is chosen.
        payment: the key of the payment option; empty before it is chosen.
    """

    announced: bool = False
    contact: Contact | None = None
    shipping: str = ""
    payment: str = ""


class Order(msgspec.Struct, frozen=True):
    """A placed order; `placed_at` is in UTC."""

    number: str
    placed_at: datetime
    cart: Cart
    contact: Contact
    shipping: ShippingOption
    payment: PaymentOption

    @property
    def totals(self) -> Totals:
        """Return the amounts of the order, including shipping."""
        return total_up(self.cart, self.shipping)

    @property
    def arrives(self) -> tuple[date, date]:
        """Return the first and the last day on which the parcel should arrive."""
        first, last = self.shipping.days
        return _after_working_days(self.placed_at.date(), first), _after_working_days(self.placed_at.date(), last)


def missing_step(cart: Cart, progress: CheckoutProgress, step: str) -> str | None:
    """Return the path of the first step before `step` that is not done, or None when all are done.

    An empty cart leads back to the page of the cart.
    """
    if not cart.lines:
        return "/cart"
    done = {
        "/checkout": progress.contact is not None,
        "/checkout/shipping": bool(progress.shipping),
        "/checkout/payment": bool(progress.payment),
    }
    paths = list(STEPS)
    return next((path for path in paths[: paths.index(step)] if not done[path]), None)


def check_contact(form: ContactForm) -> tuple[Contact | None, dict[str, str]]:
    """Return the contact of a submitted form, and the mistakes in it.

    Returns:
        The contact and no mistakes; or None and a message for each wrong field.
    """
    typed = {name: value.strip() for name, value in msgspec.structs.asdict(form).items()}
    mistakes = {name: message for name, message in _REQUIRED.items() if not typed[name]}
    if not is_email(typed["email"]):
        mistakes["email"] = "Please give an e-mail address such as name@example.com."
    if typed["country"] not in COUNTRIES:
        mistakes["country"] = "Please choose a country that we ship to."
    return (None, mistakes) if mistakes else (Contact(**typed), {})


def prefilled(contact: Contact | None, account: Account | None) -> ContactForm:
    """Return the contact form filled in with the contact of the checkout, else with the account's data."""
    if contact is not None:
        return ContactForm(**msgspec.structs.asdict(contact))
    if account is not None:
        return ContactForm(email=account.email, first_name=account.first_name)
    return ContactForm()


def _after_working_days(day: date, count: int) -> date:
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY
    return day
