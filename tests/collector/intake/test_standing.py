"""What the ids of a message are worth: the whole policy as a table, and what holds for every row of it."""

from __future__ import annotations

from itertools import product
from typing import Final, get_args

import pytest

from collector.intake.draft import DropReason, Sender
from collector.intake.standing import Belief, BrowserProof, Claim, judge
from collector.sites import IdentityMode

MODES: Final[tuple[IdentityMode, ...]] = get_args(IdentityMode)
BROWSERS: Final[tuple[BrowserProof, ...]] = get_args(BrowserProof)
NO_IDENTITY: Final = Belief(drop=DropReason.IDENTITY_UNPROVEN)
NO_BROWSER: Final = Belief(drop=DropReason.BROWSER_UNPROVEN)
JOINED_APART: Final = Belief("joined", is_set_apart=True)
IGNORED_APART: Final = Belief("ignored", is_set_apart=True)
EVERY_CLAIM: Final = [
    Claim(sender, mode, names_user, is_signed and names_user, browser, is_alias)
    for sender, mode, names_user, is_signed, browser, is_alias in product(
        get_args(Sender), MODES, (True, False), (True, False), BROWSERS, (True, False)
    )
]

#: Of pages: user id, browser, then what becomes of it where the setting is `required`, `optional`, `off`.
PAGE: Final[list[tuple[str, BrowserProof, Belief, Belief, Belief]]] = [
    ("no", "none", Belief(), Belief(), Belief()),
    ("no", "proven", Belief(), Belief(), Belief()),
    ("no", "unproven", NO_BROWSER, NO_BROWSER, NO_BROWSER),
    ("no", "unbound", Belief(is_set_apart=True), Belief(is_set_apart=True), Belief()),
    ("signed", "none", Belief("joined"), Belief("joined"), Belief("joined")),
    ("signed", "proven", Belief("joined"), Belief("joined"), Belief("joined")),
    ("signed", "unproven", NO_BROWSER, NO_BROWSER, NO_BROWSER),
    ("signed", "unbound", JOINED_APART, JOINED_APART, Belief("joined")),
    ("unsigned", "none", NO_IDENTITY, NO_IDENTITY, Belief("joined")),
    ("unsigned", "proven", Belief("ignored"), Belief("claimed"), Belief("joined")),
    ("unsigned", "unproven", NO_BROWSER, NO_BROWSER, NO_BROWSER),
    ("unsigned", "unbound", IGNORED_APART, Belief("claimed", is_set_apart=True), Belief("joined")),
]
#: Of a page's alias, likewise; the browser is the previous id.
ALIAS: Final[list[tuple[str, BrowserProof, Belief, Belief, Belief]]] = [
    ("signed", "proven", Belief("joined"), Belief("joined"), Belief("joined")),
    ("signed", "unbound", NO_IDENTITY, NO_IDENTITY, Belief("joined")),
    ("signed", "none", NO_IDENTITY, NO_IDENTITY, Belief("joined")),
    ("signed", "unproven", NO_BROWSER, NO_BROWSER, NO_BROWSER),
    ("unsigned", "proven", NO_IDENTITY, NO_IDENTITY, Belief("joined")),
    ("unsigned", "unbound", NO_IDENTITY, NO_IDENTITY, Belief("joined")),
    ("unsigned", "none", NO_IDENTITY, NO_IDENTITY, Belief("joined")),
    ("unsigned", "unproven", NO_BROWSER, NO_BROWSER, NO_BROWSER),
]


@pytest.mark.parametrize("is_alias", [False, True], ids=["event", "alias"])
@pytest.mark.parametrize("mode", MODES)
def test_a_page_is_judged_as_the_table_says(mode: IdentityMode, is_alias: bool) -> None:
    for user, browser, *by_mode in ALIAS if is_alias else PAGE:
        claim = Claim("page", mode, user != "no", user == "signed", browser, is_alias)
        assert judge(claim) == by_mode[MODES.index(mode)], claim


def test_the_table_is_complete() -> None:
    assert {(user, browser) for user, browser, *_ in PAGE} == set(product(("no", "signed", "unsigned"), BROWSERS))
    assert {(user, browser) for user, browser, *_ in ALIAS} == set(product(("signed", "unsigned"), BROWSERS))


def test_who_holds_a_secret_of_the_shop_is_believed_whatever_the_setting() -> None:
    for claim in EVERY_CLAIM:
        if claim.sender != "page":
            assert judge(claim) == Belief("joined" if claim.names_user else "none"), claim


def test_no_page_joins_a_user_without_a_signature_unless_the_operator_turned_it_off() -> None:
    for claim in EVERY_CLAIM:
        if claim.sender == "page" and claim.mode != "off" and not claim.is_signed:
            assert judge(claim).user != "joined", claim


def test_no_page_speaks_as_a_browser_whose_secret_it_does_not_show() -> None:
    for claim in EVERY_CLAIM:
        if claim.sender == "page" and claim.browser == "unproven":
            assert judge(claim) == NO_BROWSER, claim


def test_what_a_page_says_of_an_id_that_nobody_can_prove_is_kept_apart_or_not_at_all() -> None:
    for claim in EVERY_CLAIM:
        if claim.sender == "page" and claim.mode != "off" and claim.browser == "unbound":
            assert judge(claim).is_set_apart or judge(claim).drop is not None, claim
