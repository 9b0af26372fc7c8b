"""Turns the messages of a batch into rows by a literal list of steps, each a plain function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from collector.intake.commerce import normalise_commerce
from collector.intake.context import copy_campaign, copy_page, copy_session, locate, read_user_agent
from collector.intake.draft import Draft, Drop, DropReason, Message, Receipt
from collector.intake.requirements import (
    correct_time,
    drop_without_consent,
    fill_message_id,
    name_event,
    read_times,
    require_visitor,
)
from collector.intake.row import EncodedRow, build_row, lift_columns
from collector.intake.who_may_say import refuse_reserved, write_own_fields
from collector.sites import Site
from warehouse.event import EventRow
from warehouse.limits import MAX_EVENTS_PER_BATCH

Step = Callable[[Draft], Drop | None]

#: In this order, all on one draft. A step that returns a drop ends the event's way.
STEPS: Final[tuple[Step, ...]] = (
    require_visitor,
    name_event,
    refuse_reserved,
    drop_without_consent,
    correct_time,
    fill_message_id,
    copy_session,
    copy_page,
    copy_campaign,
    normalise_commerce,
    lift_columns,
    write_own_fields,
    read_user_agent,
    locate,
)

#: Those that see nothing of a message but what is usually its batch's context, with the keys that they read there.
#: They are taken once for a batch, and again for a message that has one of the keys itself.
_SURROUNDINGS: Final[tuple[Step, ...]] = (copy_campaign, read_user_agent, locate)
_SURROUNDING_KEYS: Final = frozenset({"campaign", "userAgent", "location", "timezone"})
_OTHER_STEPS: Final = tuple(step for step in STEPS if step not in _SURROUNDINGS)


class Outcome(msgspec.Struct, frozen=True):
    """The result of a batch: rows to keep, each one's JSON, and a drop for each event that is not kept."""

    rows: list[EventRow]
    lines: list[bytes]
    drops: list[Drop]


def run(raw: Sequence[msgspec.Raw], site: Site, receipt: Receipt, context: Mapping[str, Any]) -> Outcome:
    """Return the rows of the messages of one batch, and their drops.

    Args:
        raw: each message as JSON, not yet decoded, so that a malformed one spoils only itself.
        site: the site whose write key came with the batch.
        receipt: the facts of the request.
        context: the batch's own context, which a message's overrides.
    """
    outcome = Outcome([], [], [])
    shared = _shared(site, receipt, context)
    for item in raw[:MAX_EVENTS_PER_BATCH]:
        result = _make(item, shared)
        if isinstance(result, Drop):
            outcome.drops.append(result)
        else:
            outcome.rows.append(result.row)
            outcome.lines.append(result.line)
    outcome.drops.extend(_surplus(raw[MAX_EVENTS_PER_BATCH:]))
    return outcome


def process(raw: msgspec.Raw, site: Site, receipt: Receipt, context: Mapping[str, Any]) -> EventRow | Drop:
    """Return the row of one message, or the reason why it is not kept."""
    result = _make(raw, _shared(site, receipt, context))
    return result if isinstance(result, Drop) else result.row


def _shared(site: Site, receipt: Receipt, context: Mapping[str, Any]) -> Draft:
    """Return what all events of a batch have in common, as the draft of none of them."""
    draft = Draft(_NO_MESSAGE, site, receipt, read_times(receipt), context, {}, {})
    for step in _SURROUNDINGS:
        step(draft)
    return draft


def _make(raw: msgspec.Raw, shared: Draft) -> EncodedRow | Drop:
    try:
        message = _decode_message(raw)
    except _UNREADABLE as error:
        return Drop(_label(raw), DropReason.MALFORMED, str(error))
    context, columns, steps = shared.context, shared.columns.copy(), _OTHER_STEPS
    if message.context:
        context = {**context, **message.context}
        if not _SURROUNDING_KEYS.isdisjoint(message.context):
            columns, steps = {}, STEPS
    draft = Draft(message, shared.site, shared.receipt, shared.times, context, message.properties or {}, columns)
    for step in steps:
        drop = step(draft)
        if drop is not None:
            return drop
    return build_row(draft)


#: Errors of the decoder: no JSON or no message, text that is no UTF-8, nested too deeply.
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_decode_message: Final = msgspec.json.Decoder(Message).decode
_NO_MESSAGE: Final = Message("track")


class _Label(msgspec.Struct, rename="camel"):
    message_id: str = ""


def _label(raw: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=_Label).message_id
    except _UNREADABLE:
        return ""


def _surplus(raw: Sequence[msgspec.Raw]) -> list[Drop]:
    detail = f"send at most {MAX_EVENTS_PER_BATCH} events in one batch"
    return [Drop(_label(item), DropReason.TOO_MANY, detail) for item in raw]
