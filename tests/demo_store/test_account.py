from __future__ import annotations

import pytest

from demo_store.account import Account, AccountBook, account_id_for, is_email


def test_an_account_id_is_the_same_however_the_address_is_written_and_does_not_show_it() -> None:
    account_id = account_id_for("ada@example.com")
    assert account_id_for(" Ada@Example.COM ") == account_id
    assert account_id_for("bob@example.com") != account_id
    assert "ada" not in account_id


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("ada@example.com", True),
        ("a.b+c@mail.example.org", True),
        ("ada", False),
        ("ada@example", False),
        ("ada @example.com", False),
        ("<b>@example.com", False),
        (f"{'a' * 200}@example.com", False),
        ("", False),
    ],
)
def test_the_shape_of_an_address(text: str, fits: bool) -> None:
    assert is_email(text) is fits


def test_an_account_is_found_in_any_case() -> None:
    book = AccountBook()
    book.open(Account("Ada@example.com", "Ada"))
    assert book.find("ada@EXAMPLE.com") == Account("Ada@example.com", "Ada")
    assert book.find("bob@example.com") is None


def test_the_oldest_account_makes_room() -> None:
    book = AccountBook(limit=2)
    for name in ("ada", "bob", "cleo"):
        book.open(Account(f"{name}@example.com", name))
    assert book.find("ada@example.com") is None
    assert book.find("cleo@example.com") is not None
