"""Checking what was typed into the contact form."""

from __future__ import annotations

import msgspec

from demo_store.account import Account, is_email
from demo_store.forms import ContactForm
from demo_store.order import Contact

#: Where the shop ships to.
COUNTRIES = ("Austria", "Belgium", "Denmark", "France", "Germany", "Ireland", "Netherlands", "Sweden", "Switzerland")

_REQUIRED = {
    "first_name": "Please tell us your first name.",
    "last_name": "Please tell us your last name.",
    "street": "Please give a street and number.",
    "postcode": "Please give a postcode.",
    "city": "Please give a town or city.",
}


def check_contact(form: ContactForm) -> tuple[Contact | None, dict[str, str]]:
    """Make a contact of a form.

    Returns:
        The contact and no mistakes, or None and what to correct, by field.
    """
    typed = {name: value.strip() for name, value in msgspec.structs.asdict(form).items()}
    mistakes = {name: message for name, message in _REQUIRED.items() if not typed[name]}
    if not is_email(typed["email"]):
        mistakes["email"] = "Please give an e-mail address such as name@example.com."
    if typed["country"] not in COUNTRIES:
        mistakes["country"] = "Please choose a country that we ship to."
    return (None, mistakes) if mistakes else (Contact(**typed), {})


def prefilled(contact: Contact | None, account: Account | None) -> ContactForm:
    """Fill the form with what the shop knows already."""
    if contact is not None:
        return ContactForm(**msgspec.structs.asdict(contact))
    if account is not None:
        return ContactForm(email=account.email, first_name=account.first_name)
    return ContactForm()
