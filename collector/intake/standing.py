"""The one policy of who somebody is: what the ids of a message are worth, by who sends it and what proves them.

Whoever knows the public write key can name any user id and any anonymous id. So a page's word about a user counts when
the shop's server has signed the user id, and its word about a browser when it shows that browser's secret. This module
is pure; `identity_steps` asks it about each message.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from collector.intake.draft import DropReason, Sender
from collector.sites import IdentityMode

#: What is known of the browser that a message names: it names none; it shows the browser's secret; the id is bound to a
#: secret, which it does not show; the id is bound to none, as those of other SDKs.
BrowserProof = Literal["none", "proven", "unproven", "unbound"]
#: What becomes of the user id: the message names none; it is the visitor's; it is written beside the event as a claim;
#: it is not kept.
UserOutcome = Literal["none", "joined", "claimed", "ignored"]


class Claim(msgspec.Struct, frozen=True):
    """What a message says of who its visitor is.

    Args:
        sender: who sends it.
        mode: the setting `identity` of its site.
        names_user: whether it names a user id.
        is_signed: whether it brings the signature of the user id.
        browser: what is known of the anonymous id that it names, or of the previous id of an alias.
        is_alias: whether it joins a previous id to the user, rather than its own browser's.
    """

    sender: Sender
    mode: IdentityMode
    names_user: bool
    is_signed: bool
    browser: BrowserProof
    is_alias: bool = False


class Belief(msgspec.Struct, frozen=True):
    """What becomes of a message by who its visitor is.

    Args:
        user: what becomes of the user id.
        is_set_apart: whether the anonymous id is kept apart from user ids and from browsers that prove who they are.
        drop: why the message is not kept; None when it is.
    """

    user: UserOutcome = "none"
    is_set_apart: bool = False
    drop: DropReason | None = None


_BROWSER_UNPROVEN = Belief(drop=DropReason.BROWSER_UNPROVEN)
_IDENTITY_UNPROVEN = Belief(drop=DropReason.IDENTITY_UNPROVEN)


def judge(claim: Claim) -> Belief:
    """Return what becomes of a message by who its visitor is."""
    is_page = claim.sender == "page"
    if is_page and claim.browser == "unproven":
        return _BROWSER_UNPROVEN
    if not is_page or claim.mode == "off":
        return Belief("joined" if claim.names_user else "none")
    is_set_apart = claim.browser == "unbound"
    if not claim.names_user:
        return Belief("none", is_set_apart)
    return _of_alias(claim) if claim.is_alias else _of_user(claim, is_set_apart=is_set_apart)


def _of_alias(claim: Claim) -> Belief:
    """Judge a page that gives the past of a previous id to a user: both must be proven."""
    return Belief("joined") if claim.is_signed and claim.browser == "proven" else _IDENTITY_UNPROVEN


def _of_user(claim: Claim, *, is_set_apart: bool) -> Belief:
    """Judge a page that names a user."""
    if claim.is_signed:
        return Belief("joined", is_set_apart)
    if claim.browser == "none":
        return _IDENTITY_UNPROVEN
    return Belief("claimed" if claim.mode == "optional" else "ignored", is_set_apart)
