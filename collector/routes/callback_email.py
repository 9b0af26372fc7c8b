"""Route of the mail provider's callbacks, or of a script that reads bounces: bounces and complaints."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, Literal

import msgspec
import structlog
from litestar import post

from collector.admission.addresses import address_of
from collector.errors import RequestError, malformed
from collector.feedback.address_notes import FACT_OF_REPORT
from collector.feedback.callbacks import Owner, callback_event, owner_of_message, owners_of_address
from collector.parts import CollectorParts, CurrentParts
from collector.routes.guards import MAX_FORM_BYTES, AnyRequest, admit
from warehouse.address_ledger import AddressKey
from warehouse.limits import MAX_ID_LENGTH
from warehouse.webhook_signature import is_genuine

_LONGEST_ADDRESS: Final = 254  # RFC 5321
#: The source of facts in the ledger of addresses.
_SOURCE: Final = "email_report"

_log = structlog.get_logger("collector.callbacks")


class EmailReport(msgspec.Struct, frozen=True):
    """The end that an email came to.

    Args:
        kind: `hard` for an address that will never work, `soft` for one that may, `complaint` for a report of spam.
        message_id: our id of the message, or the whole `Message-ID` header; wins over the address.
        address: the mailbox.
        reason: the provider's explanation.
    """

    kind: Literal["hard", "soft", "complaint"]
    message_id: str = ""
    address: str = ""
    reason: str = ""


class Taken(msgspec.Struct, frozen=True):
    """The response: how many visitors the report is about; 0 is no error, because mail is not always ours."""

    success: bool
    visitors: int


@post("/v1/callbacks/email", status_code=HTTPStatus.OK, summary="Take a bounce or a complaint", tags=["callbacks"])
async def take_email_report(request: AnyRequest, parts: CurrentParts) -> Taken:
    """Keep `email_bounced` or `email_complained` of the visitors whose message or address the report names."""
    address = address_of(request.scope, parts.settings.address_header)
    body = await parts.bounds.bodies.read(request.receive, address, MAX_FORM_BYTES)
    _require_genuine(request, parts, body)
    report = _read(body)
    facts = [FACT_OF_REPORT[report.kind]] if report.kind in FACT_OF_REPORT else []
    # Before visitors are looked for: what holds for the address holds however many visitors name it, or none.
    await parts.addresses.note_of_address("email", report.address, facts, _SOURCE, parts.now_ms())
    owners = await parts.bounds.reads.run(_owners, parts, report)
    # A repeated report of an address has the same webhook-id; a message has one report of each kind anyhow.
    identity = (report.message_id or request.headers["webhook-id"], report.kind)
    keys = [AddressKey(owner.site, "email", address) for owner in owners for address in owner.addresses]
    await parts.addresses.note_of_keys(keys, facts, _SOURCE, parts.now_ms())
    for owner in owners:
        await _keep(parts, owner, report, identity)
    _log.info("email_report", kind=report.kind, visitors=len(owners))
    return Taken(success=True, visitors=len(owners))


def _require_genuine(request: AnyRequest, parts: CollectorParts, body: bytes) -> None:
    key = parts.callbacks.email_key
    if not key:
        raise RequestError(HTTPStatus.NOT_FOUND, "not_configured", "emails have no callbacks here: set callback_secret")
    if not is_genuine(key, request.headers, body, parts.now_ms() // 1000):
        admit(request, parts)
        message = "the signature is not of this body, this minute and callback_secret"
        raise RequestError(HTTPStatus.FORBIDDEN, "bad_signature", message)


def _read(body: bytes) -> EmailReport:
    try:
        report = msgspec.json.decode(body, type=EmailReport)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise malformed(f"the body is no report: {error}") from error
    if not report.message_id and not report.address:
        raise malformed("the report names neither message_id nor address")
    if len(report.message_id) > 2 * MAX_ID_LENGTH + _LONGEST_ADDRESS or len(report.address) > _LONGEST_ADDRESS:
        raise malformed("message_id or address is longer than any that exists")
    return msgspec.structs.replace(
        report,
        message_id=report.message_id.strip().removeprefix("<").partition("@")[0],
        address=report.address.strip().lower(),
    )


def _owners(parts: CollectorParts, report: EmailReport) -> list[Owner]:
    owners = owner_of_message(parts.warehouse, report.message_id) if report.message_id else []
    return owners or (owners_of_address(parts.warehouse, "email", report.address) if report.address else [])


async def _keep(parts: CollectorParts, owner: Owner, report: EmailReport, identity: tuple[str, ...]) -> None:
    site = parts.sites.named(owner.site)
    if site is None:
        return
    complained = report.kind == "complaint"
    properties = {
        "rule": owner.rule,
        "channel": "email",
        "address": report.address,
        "kind": "" if complained else report.kind,
        "reason": report.reason,
    }
    name = "email_complained" if complained else "email_bounced"
    message_id = report.message_id if owner.rule else ""
    row = callback_event(name, site, owner.visitor_id, identity, parts.now_ms(), properties, message_id)
    await parts.ingest.keep(site, row, parts.now_ms())
