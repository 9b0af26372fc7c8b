"""Every kind of email address: read, compared and sent to in one way, or refused with its reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.address_ledger import AddressKeys
from warehouse.addresses import EmailTrouble, email_address, normalised, read_email

MUELLER = "m\u00fcller.example"
XN = "xn--mller-kva.example"
#: As it is written, as it is sent to, as it is compared.
READ = [
    ("Ann@Example.COM", "Ann@Example.COM", "ann@example.com"),
    (" ann@example.com\n", "ann@example.com", "ann@example.com"),
    ("ann+shop@example.com", "ann+shop@example.com", "ann+shop@example.com"),
    ("ann@example.com.", "ann@example.com", "ann@example.com"),
    ("Ann Smith <ann@example.com>", "ann@example.com", "ann@example.com"),
    ('"Smith, Ann" <ann@example.com>', "ann@example.com", "ann@example.com"),
    ("<ann@example.com>", "ann@example.com", "ann@example.com"),
    ("mailto:ann@example.com?subject=x", "ann@example.com", "ann@example.com"),
    ("MAILTO:ann@example.com", "ann@example.com", "ann@example.com"),
    ('"ann"@example.com', "ann@example.com", "ann@example.com"),
    ("ann@\u200bexample.com\ufeff", "ann@example.com", "ann@example.com"),
    ("ann\uff20example.com", "ann@example.com", "ann@example.com"),
    (f"ann@{MUELLER}", f"ann@{XN}", f"ann@{XN}"),
    (f"ann@{MUELLER.upper()}", f"ann@{XN}", f"ann@{XN}"),
    (f"ann@{XN}", f"ann@{XN}", f"ann@{XN}"),
    ("ann@mu\u0308ller.example", f"ann@{XN}", f"ann@{XN}"),
    (f"j\u00fcrgen@{MUELLER}", f"j\u00fcrgen@{XN}", f"j\u00fcrgen@{XN}"),
    (f"J\u00fcrgen <J\u00dcRGEN@{MUELLER}>", f"J\u00dcRGEN@{XN}", f"j\u00fcrgen@{XN}"),
    ("ju\u0308rgen@x.example", "j\u00fcrgen@x.example", "j\u00fcrgen@x.example"),
    ("ann@stra\u00dfe.example", "ann@xn--strae-oqa.example", "ann@xn--strae-oqa.example"),
    ("\u30e6\u30fc\u30b6@\u4f8b\u3048.jp", "\u30e6\u30fc\u30b6@xn--r8jz45g.jp", "\u30e6\u30fc\u30b6@xn--r8jz45g.jp"),
    ("ann@\u4f8b\u3048\u3002jp", "ann@xn--r8jz45g.jp", "ann@xn--r8jz45g.jp"),
    ("o'brien!#$%&*/=?^_`{|}~-@x.example", "o'brien!#$%&*/=?^_`{|}~-@x.example", "o'brien!#$%&*/=?^_`{|}~-@x.example"),
    ("x" * 64 + "@x.example", "x" * 64 + "@x.example", "x" * 64 + "@x.example"),
]
REFUSED = [
    *((value, EmailTrouble.NO_ADDRESS) for value in (None, 7, True, ["a@b.example"], "", "ann", "ann@", "@x.example")),
    *(
        (value, EmailTrouble.SEVERAL)
        for value in ("a@x.example, b@x.example", "a@x.example;b@x.example", "a@b@x.example")
    ),
    *((value, EmailTrouble.IP_LITERAL) for value in ("ann@[192.0.2.1]", "ann@[IPv6:2001:db8::1]", "ann@192.0.2.1")),
    *((value, EmailTrouble.QUOTED) for value in ('"a b"@x.example', '"a@b"@x.example', '"a\\"b"@x.example')),
    *(
        (value, EmailTrouble.BAD_MAILBOX)
        for value in ("a b@x.example", "a..b@x.example", ".a@x.example", "a.@x.example")
    ),
    *(
        (value, EmailTrouble.BAD_MAILBOX)
        for value in ("a\u202eb@x.example", "a\tb@x.example", "a\x00@x.example", "a(b)@x.example")
    ),
    *((value, EmailTrouble.BAD_DOMAIN) for value in ("ann@x", "ann@x..example", "ann@-x.example", "ann@my_x.example")),
    *(
        (value, EmailTrouble.BAD_DOMAIN)
        for value in ("ann@x .example", "ann@\u2764.example", "ann@" + "x" * 64 + ".example")
    ),
    *((value, EmailTrouble.TOO_LONG) for value in ("x" * 65 + "@x.example", "\u00fc" * 33 + "@x.example")),
    ("ann@" + "x." * 124 + "example", EmailTrouble.TOO_LONG),
]


@pytest.mark.parametrize(("written", "sent_to", "compared"), READ)
def test_an_address_is_read_compared_and_sent_to_in_one_way(written: str, sent_to: str, compared: str) -> None:
    assert read_email(written) == (sent_to, EmailTrouble.NONE)
    assert normalised(written) == normalised(sent_to) == compared


@pytest.mark.parametrize(("written", "trouble"), REFUSED)
def test_what_no_mail_can_go_to_says_why(written: object, trouble: EmailTrouble) -> None:
    assert read_email(written) == ("", trouble)
    assert email_address(written) == ""


def test_every_reason_has_its_example() -> None:
    assert {trouble for _, trouble in REFUSED} == set(EmailTrouble) - {EmailTrouble.NONE}


def test_a_no_of_one_spelling_holds_for_all_of_them() -> None:
    keys = AddressKeys(b"secret")
    spellings = [
        *(
            f"j\u00fcrgen@{MUELLER}",
            f"J\u00dcRGEN@{XN}",
            f"ju\u0308rgen@{MUELLER}.",
            f"J <j\u00fcrgen@{MUELLER.upper()}>",
        ),
    ]
    assert len({keys.of("shop", "email", each) for each in spellings}) == 1


@given(
    st.text()
    | st.from_regex(r'("?[a-zA-Z.\u00fc\u00df ]{0,5}"? ?<?)(mailto:)?[a-z\u00fc"@.]{1,8}@[a-z\u00fc\u3002.\[\]]{1,8}>?')
)
def test_whatever_is_written_is_read_once_and_for_all(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
    address, trouble = read_email(text)
    assert bool(address) != bool(trouble)
    assert read_email(address).address == address
    assert not address or normalised(address) == normalised(text)
    assert not any(character.isspace() for character in address)
