"""The step that finds whose event a message is: it reads the ids and their proofs, and keeps what the policy lets."""

from __future__ import annotations

import hmac
from typing import Final

import msgspec

from collector.intake.draft import Draft, Drop, DropReason, WarningReason
from collector.intake.none_ids import APART, read_id
from collector.intake.standing import Belief, BrowserProof, Claim, judge
from collector.sites import Site
from warehouse.browser_id import is_bound, is_proven
from warehouse.limits import MAX_ID_LENGTH

_UNSIGNED: Final = "userId is not signed: sign it as `context.userHash`, or send with the server key"
_DETAILS: Final = {
    DropReason.BROWSER_UNPROVEN: "anonymousId belongs to a browser that shows a secret: send with the server key",
    DropReason.IDENTITY_UNPROVEN: _UNSIGNED,
}


class _Judged(msgspec.Struct, frozen=True):
    """What becomes of ids: the policy's answer, and whether the user id is signed."""

    belief: Belief
    is_signed: bool


def require_visitor(draft: Draft) -> Drop | None:
    """Take the visitor's ids; `visitor_id` is the user id when it is proven, else the anonymous id.

    An `alias` joins its previousId to the userId, as `identity` learns it from any event that carries both.
    """
    user, anonymous = _ids(draft)
    drop = _form_drop(draft, user, anonymous)
    if drop is not None:
        return drop
    judged = _judged(draft, user, anonymous)
    belief, draft.is_signed = judged.belief, judged.is_signed
    if belief.drop is not None:
        return draft.dropped(belief.drop, _DETAILS[belief.drop])
    if belief.user in {"claimed", "ignored"}:
        draft.warn(WarningReason.IDENTITY_UNPROVEN, _UNSIGNED)
        draft.claimed_user_id = user if belief.user == "claimed" else ""
        user = ""
    _take(draft, user, APART + anonymous if belief.is_set_apart else anonymous)
    return None


def _ids(draft: Draft) -> tuple[str, str]:
    """Return the user id and the anonymous id of a message, '' for one that it does not give or that is none."""
    message = draft.message
    user = read_id(draft, "userId", message.user_id)
    anonymous = read_id(draft, "anonymousId", message.anonymous_id)
    if message.type == "alias" and message.previous_id is not None and message.previous_id != "":
        anonymous = read_id(draft, "previousId", message.previous_id)
    return user, anonymous


def _judged(draft: Draft, user: str, anonymous: str) -> _Judged:
    """Return what becomes of ids: once for a batch, most of which is one visitor's."""
    said, is_alias = draft.context.get("userHash"), draft.message.type == "alias"
    signature = said if isinstance(said, str) else ""
    key = (user, anonymous, signature, is_alias)
    judged: _Judged | None = draft.judged.get(key)
    if judged is None:
        is_signed = bool(user) and _is_signed(draft.site, user, signature)
        browser = _browser_proof(anonymous, draft.receipt.browser_secret)
        claim = Claim(draft.receipt.sender, draft.site.identity, bool(user), is_signed, browser, is_alias)
        judged = draft.judged[key] = _Judged(judge(claim), is_signed)
    return judged


def _take(draft: Draft, user: str, anonymous: str) -> None:
    columns = draft.columns
    columns["visitor_id"] = user or anonymous
    columns["user_id"] = user
    columns["anonymous_id"] = anonymous


def _form_drop(draft: Draft, user: str, anonymous: str) -> Drop | None:
    """Drop a message whose ids have no form that is kept."""
    if not user and not anonymous:
        named = [warning.detail for warning in draft.warnings if warning.reason is WarningReason.ID_IS_NONE]
        return draft.dropped(DropReason.NO_VISITOR, "; ".join(["give anonymousId or userId", *named[:1]]))
    if max(len(user), len(anonymous), len(draft.message.label)) > MAX_ID_LENGTH:
        return draft.dropped(DropReason.BAD_ID, f"ids have at most {MAX_ID_LENGTH} characters")
    # Users may choose their ids, as user names, and must not choose that of a browser.
    if draft.site.identity != "off" and (user.startswith(APART) or is_bound(user)):
        return draft.dropped(DropReason.BAD_ID, f"a userId does not begin with {APART}, and is no UUID of version 8")
    return None


def _browser_proof(anonymous: str, secret: str) -> BrowserProof:
    if not anonymous:
        return "none"
    if not is_bound(anonymous):
        return "unbound"
    return "proven" if is_proven(anonymous, secret) else "unproven"


def _is_signed(site: Site, user: str, signature: str) -> bool:
    """Tell in constant time whether a text is the HMAC-SHA256 of a user id by a secret of a site, in lower hex."""
    if not signature.isascii():
        return False
    expected = (hmac.digest(secret, user.encode(), "sha256").hex() for secret in site.identity_secrets)
    return any(hmac.compare_digest(each, signature) for each in expected)
