"""Whose event a message is, from its ids and their proofs."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

import msgspec
import pytest

from collector.intake import pipeline
from collector.intake.draft import Drop, DropReason, Receipt, WarningReason
from collector.intake.none_ids import APART
from collector.sites import Site
from tests.collector.browsers import browser_of
from tests.collector.messages import NOON, dropped, kept, message, processed, props
from warehouse.event import EventRow
from warehouse.limits import MAX_ID_LENGTH

SECRETS: Final = (b"the identity secret of the shop", b"the one before")
REQUIRED: Final = Site("shop", "shop-key", identity="required", identity_secrets=SECRETS)
OPTIONAL: Final = msgspec.structs.replace(REQUIRED, identity="optional")
OFF: Final = msgspec.structs.replace(REQUIRED, identity="off")
ANNA: Final = browser_of("anna")
SHOWN: Final = Receipt(received_at=NOON, browser_secret=ANNA.secret)
HIDDEN: Final = Receipt(received_at=NOON)
SERVER: Final = Receipt(received_at=NOON, is_from_server=True)
IMPORT: Final = Receipt(received_at=NOON, source="import")


def signature(user: str, secret: bytes = SECRETS[0]) -> str:
    return hmac.new(secret, user.encode(), hashlib.sha256).hexdigest()


def named(user: object, proof: object = None, **fields: Any) -> dict[str, Any]:
    """A message of Anna's browser that names a user."""
    context = {} if proof is None else {"userHash": proof}
    return message(anonymousId=ANNA.anonymous_id, userId=user, context=context, **fields)


def ids(row: EventRow) -> tuple[str, str, str]:
    return row.visitor_id, row.user_id, row.anonymous_id


@pytest.mark.parametrize("secret", SECRETS, ids=["current", "previous"])
@pytest.mark.parametrize("site", [REQUIRED, OPTIONAL], ids=["required", "optional"])
@pytest.mark.parametrize(("user", "signed"), [("ada", "ada"), (17, "17"), (" ada ", "ada"), ("größe", "größe")])
def test_a_signed_user_id_is_the_visitors(site: Site, secret: bytes, user: object, signed: str) -> None:
    row = kept(named(user, signature(signed, secret)), site=site, receipt=SHOWN)
    assert ids(row) == (signed, signed, ANNA.anonymous_id)


BAD_SIGNATURES: Final = [
    pytest.param(None, id="none"),
    pytest.param("", id="empty"),
    pytest.param(signature("ada").upper(), id="upper case"),
    pytest.param(f" {signature('ada')}", id="a blank before"),
    pytest.param(f"{signature('ada')}\n", id="a line's end"),
    pytest.param(signature("ada")[:-1], id="truncated"),
    pytest.param(signature("ada")[:32], id="half"),
    pytest.param(signature("ada") + "0", id="longer"),
    pytest.param(signature("bob"), id="of another user"),
    pytest.param(signature("ada "), id="of the id with a blank"),
    pytest.param(signature("Ada"), id="of the id in another case"),
    pytest.param(signature(""), id="of nobody"),
    pytest.param(signature("ada", b"the identity secret of another shop"), id="by another shop"),
    pytest.param(hashlib.sha256(b"ada").hexdigest(), id="a hash without a key"),
    pytest.param(hmac.new(SECRETS[0], b"ada", hashlib.sha1).hexdigest(), id="another algorithm"),
    pytest.param([signature("ada")], id="a list"),
    pytest.param({"sha256": signature("ada")}, id="an object"),
    pytest.param(True, id="a boolean"),
    pytest.param(0, id="a number"),
    pytest.param("ä" * 64, id="no hexadecimal"),
]


@pytest.mark.parametrize("proof", BAD_SIGNATURES)
def test_what_is_no_signature_of_the_user_id_joins_nobody(proof: object) -> None:
    for site, claimed in ((REQUIRED, None), (OPTIONAL, "ada")):
        row = kept(named("ada", proof, traits={"a": 1}), site=site, receipt=SHOWN)
        assert ids(row) == (ANNA.anonymous_id, "", ANNA.anonymous_id)
        assert props(row).get("claimed_user_id") == claimed
    alone = message(anonymousId=None, userId="ada", context={"userHash": proof})
    for site in (REQUIRED, OPTIONAL):
        drop = dropped(alone, site=site)
        assert drop.reason is DropReason.IDENTITY_UNPROVEN
        assert "userHash" in drop.detail


def test_where_identity_is_off_a_user_id_is_believed() -> None:
    assert ids(kept(named("ada"), site=OFF, receipt=SHOWN)) == ("ada", "ada", ANNA.anonymous_id)


def test_a_site_without_secrets_takes_no_signature() -> None:
    site = msgspec.structs.replace(REQUIRED, identity_secrets=())
    assert ids(kept(named("ada", signature("ada", b"")), site=site, receipt=SHOWN))[1] == ""


@pytest.mark.parametrize("kind", ["track", "identify", "page", "screen", "group"])
def test_every_kind_of_message_needs_the_signature(kind: str) -> None:
    event = "view_item" if kind == "track" else None
    assert kept(named("ada", type=kind, event=event), site=REQUIRED, receipt=SHOWN).user_id == ""
    assert kept(named("ada", signature("ada"), type=kind, event=event), site=REQUIRED, receipt=SHOWN).user_id == "ada"


@pytest.mark.parametrize("event", ["identify", "consent", "unsubscribed", "subscribe", "push_subscribed"])
def test_what_an_unsigned_page_says_of_a_person_is_said_of_its_browser_alone(event: str) -> None:
    said = {"marketing": False, "traits": {"email": "evil@example.com"}}
    row = kept(named("ada", event=event, properties=said), site=REQUIRED, receipt=SHOWN)
    assert ids(row) == (ANNA.anonymous_id, "", ANNA.anonymous_id)
    assert "proven_by" not in props(row)
    signed = kept(named("ada", signature("ada"), event=event, properties=said), site=REQUIRED, receipt=SHOWN)
    assert (signed.visitor_id, props(signed)["proven_by"]) == ("ada", "signature")


def test_the_signature_may_stand_in_the_context_of_the_batch_and_a_messages_own_wins() -> None:
    shared = {"userHash": signature("ada")}
    assert kept(named("ada"), site=REQUIRED, receipt=SHOWN, context=shared).user_id == "ada"
    assert kept(named("ada", "0" * 64), site=REQUIRED, receipt=SHOWN, context=shared).user_id == ""
    assert kept(named("bob"), site=REQUIRED, receipt=SHOWN, context=shared).user_id == ""


@pytest.mark.parametrize("receipt", [SERVER, IMPORT], ids=["server", "import"])
@pytest.mark.parametrize("site", [REQUIRED, OPTIONAL, OFF], ids=["required", "optional", "off"])
def test_a_server_and_an_import_need_no_proof(site: Site, receipt: Receipt) -> None:
    assert ids(kept(named("ada"), site=site, receipt=receipt)) == ("ada", "ada", ANNA.anonymous_id)
    assert ids(kept(message(anonymousId="cookie"), site=site, receipt=receipt)) == ("cookie", "", "cookie")
    alias = message(type="alias", event=None, anonymousId=None, previousId="old", userId="ada")
    assert ids(kept(alias, site=site, receipt=receipt)) == ("ada", "ada", "old")


@pytest.mark.parametrize("secret", ["", "x" * 32, browser_of("ben").secret, ANNA.secret[:-1], ANNA.secret.upper()])
@pytest.mark.parametrize("site", [REQUIRED, OPTIONAL, OFF], ids=["required", "optional", "off"])
@pytest.mark.parametrize("proof", [None, signature("mallory")], ids=["nobody", "a signed user"])
def test_nobody_speaks_as_a_browser_without_its_secret(site: Site, secret: str, proof: str | None) -> None:
    """Neither as itself, nor to make its past that of another user."""
    receipt = Receipt(received_at=NOON, browser_secret=secret)
    for anonymous_id in (ANNA.anonymous_id, ANNA.anonymous_id.upper(), f" {ANNA.anonymous_id} "):
        sent = message(anonymousId=anonymous_id, userId="mallory" if proof else None, context={"userHash": proof})
        assert dropped(sent, site=site, receipt=receipt).reason is DropReason.BROWSER_UNPROVEN


@pytest.mark.parametrize("site", [REQUIRED, OPTIONAL], ids=["required", "optional"])
def test_an_id_that_no_secret_proves_is_kept_apart_from_those_of_users(site: Site) -> None:
    """Whoever names a user's id as the anonymous id speaks neither as the user nor as a browser of theirs."""
    row = kept(message(type="identify", event=None, anonymousId="ada", traits={"email": "evil@example.com"}), site=site)
    assert ids(row) == (f"{APART}ada", "", f"{APART}ada")
    again = kept(message(anonymousId=row.anonymous_id), site=site)
    assert again.visitor_id == f"{APART}{APART}ada"
    assert ids(kept(message(anonymousId="ada"), site=OFF)) == ("ada", "", "ada")


def test_a_signed_user_takes_along_the_browser_of_another_sdk() -> None:
    sent = message(anonymousId="cookie", userId="ada", context={"userHash": signature("ada")})
    assert ids(kept(sent, site=REQUIRED)) == ("ada", "ada", f"{APART}cookie")


@pytest.mark.parametrize("user", [f"{APART}ada", APART, ANNA.anonymous_id, ANNA.anonymous_id.upper()])
@pytest.mark.parametrize("receipt", [SHOWN, SERVER], ids=["page", "server"])
def test_nobody_chooses_a_user_id_that_could_be_a_browsers(user: str, receipt: Receipt) -> None:
    assert dropped(named(user, signature(user)), site=REQUIRED, receipt=receipt).reason is DropReason.BAD_ID


ALIASES: Final = [
    pytest.param(ANNA.anonymous_id, signature("ada"), SHOWN, ("ada", "ada", ANNA.anonymous_id), id="both proven"),
    pytest.param(ANNA.anonymous_id, None, SHOWN, DropReason.IDENTITY_UNPROVEN, id="user unproven"),
    pytest.param(ANNA.anonymous_id, signature("ada"), HIDDEN, DropReason.BROWSER_UNPROVEN, id="browser unproven"),
    pytest.param("victim", signature("ada"), SHOWN, DropReason.IDENTITY_UNPROVEN, id="another user as the previous"),
    pytest.param("cookie", None, HIDDEN, DropReason.IDENTITY_UNPROVEN, id="neither"),
]


@pytest.mark.parametrize(("previous", "proof", "receipt", "expected"), ALIASES)
def test_an_alias_of_a_page_needs_both_proofs(
    previous: str, proof: str | None, receipt: Receipt, expected: Any
) -> None:
    sent = message(type="alias", event=None, previousId=previous, userId="ada", context={"userHash": proof})
    outcome = processed(sent, site=REQUIRED, receipt=receipt)
    assert (outcome.reason if isinstance(outcome, Drop) else ids(outcome)) == expected


def test_what_is_left_out_is_counted_once_for_each_event() -> None:
    raw = [msgspec.Raw(msgspec.json.encode(named("ada", messageId=f"m-{number}"))) for number in range(3)]
    raw.append(msgspec.Raw(msgspec.json.encode(message(anonymousId=ANNA.anonymous_id))))
    for site, counted in ((REQUIRED, 3), (OPTIONAL, 3), (OFF, 0)):
        outcome = pipeline.run(raw, site, SHOWN, {})
        warned = [warning.message_id for warning in outcome.warnings]
        assert (len(outcome.rows), warned) == (4, [f"m-{number}" for number in range(counted)])
        assert {warning.reason for warning in outcome.warnings} <= {WarningReason.IDENTITY_UNPROVEN}


def test_a_claim_is_ours_to_write() -> None:
    for site in (REQUIRED, OFF):
        row = kept(
            message(properties={"claimed_user_id": "ada"}, anonymousId=ANNA.anonymous_id), site=site, receipt=SHOWN
        )
        assert "claimed_user_id" not in props(row)


def test_an_id_has_room_for_the_mark_that_keeps_it_apart() -> None:
    row = kept(message(anonymousId="x" * MAX_ID_LENGTH), site=REQUIRED)
    assert row.anonymous_id == APART + "x" * MAX_ID_LENGTH
