from __future__ import annotations

import pytest
from msgspec.structs import replace

from demo_store.account import Account
from demo_store.contact import check_contact, prefilled
from demo_store.forms import ContactForm
from demo_store.order import Contact
from tests.demo_store.browsing import ADDRESS

FORM = ContactForm(**ADDRESS)


def test_a_complete_form_makes_a_contact_without_the_spaces_around() -> None:
    contact, mistakes = check_contact(replace(FORM, city="  Berlin "))
    assert contact == Contact(**ADDRESS)
    assert mistakes == {}


@pytest.mark.parametrize(
    ("field", "value"), [*((name, " ") for name in ADDRESS), ("email", "ada"), ("country", "Moon")]
)
def test_a_mistake_is_named_by_its_field(field: str, value: str) -> None:
    contact, mistakes = check_contact(replace(FORM, **{field: value}))
    assert contact is None
    assert list(mistakes) == [field]


def test_the_form_starts_with_what_is_known() -> None:
    account = Account("bob@example.com", "Bob")
    assert prefilled(Contact(**ADDRESS), account) == FORM
    assert prefilled(None, account) == ContactForm(email="bob@example.com", first_name="Bob")
    assert prefilled(None, None) == ContactForm()
