"""Turns the messages of a batch into rows by a literal list of steps, each a plain function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from collector.errors import log_mistake
from collector.intake.commerce import normalise_commerce
from collector.intake.consent_steps import drop_without_consent, read_answers
from collector.intake.context import copy_campaign, copy_page, copy_session, locate, read_user_agent
from collector.intake.draft import Draft, Drop, DropReason, EventWarning, Message, Receipt, named_drop, text
from collector.intake.examples import FaultKey, Sighting
from collector.intake.identity_steps import require_visitor
from collector.intake.mending import Repair, mend
from collector.intake.money import settle_money
from collector.intake.orders import identify_order
from collector.intake.requirements import (
    fill_message_id,
    name_event,
    refuse_unfit_values,
)
from collector.intake.row import EncodedRow, build_row, lift_columns
from collector.intake.sender_clock import ClientClocks, RequestClocks
from collector.intake.time_steps import correct_time, read_times
from collector.intake.who_may_say import refuse_reserved, write_own_fields
from collector.sites import Site
from warehouse.event import EventRow
from warehouse.limits import MAX_EVENTS_PER_BATCH, MAX_LISTED, MAX_RAW_EVENT_BYTES

#: Messages, and bytes of them, that are worked on before others get their turn: about a third of a millisecond.
MESSAGES_AT_ONCE: Final = 25
BYTES_AT_ONCE: Final = 32 * 1024

_TOO_MANY: Final = f"send at most {MAX_EVENTS_PER_BATCH} events in one batch"
Step = Callable[[Draft], Drop | None]

#: In this order, all on one draft. A step that returns a drop ends the event's way.
STEPS: Final[tuple[Step, ...]] = (
    require_visitor,
    name_event,
    refuse_reserved,
    read_answers,
    drop_without_consent,
    correct_time,
    fill_message_id,
    copy_session,
    copy_page,
    copy_campaign,
    normalise_commerce,
    refuse_unfit_values,
    lift_columns,
    identify_order,
    settle_money,
    write_own_fields,
    read_user_agent,
    locate,
)

#: Those that see nothing of a message but what is usually its batch's context, with the keys that they read there.
#: They are taken once for a batch, and again for a message that has one of the keys itself.
_SURROUNDINGS: Final[tuple[Step, ...]] = (copy_campaign, read_user_agent, locate)
_SURROUNDING_KEYS: Final = frozenset({"campaign", "userAgent", "device", "os", "browser", "location", "timezone"})
_OTHER_STEPS: Final = tuple(step for step in STEPS if step not in _SURROUNDINGS)


class Outcome(msgspec.Struct, frozen=True):
    """The result of a batch: rows to keep, each one's JSON, and what the sender is told of events.

    Args:
        rows: the events to keep.
        lines: each one's JSON.
        labels: the id by which the sender knows each.
        drops: one for each event that is not kept.
        warnings: one for each event that is kept, but not as it was sent.
        sightings: an event for each reason of a drop or a warning.
    """

    rows: list[EventRow]
    lines: list[bytes]
    labels: list[str]
    drops: list[Drop]
    warnings: list[EventWarning]
    sightings: dict[FaultKey, Sighting] = {}

    def add(self, other: Outcome) -> None:
        """Take in the result of further messages of the batch."""
        self.rows.extend(other.rows)
        self.lines.extend(other.lines)
        self.labels.extend(other.labels)
        self.drops.extend(other.drops)
        self.warnings.extend(other.warnings)
        self.sightings.update(other.sightings)


def run(
    raw: Sequence[msgspec.Raw],
    site: Site,
    receipt: Receipt,
    context: Mapping[str, Any],
    clocks: ClientClocks | None = None,
) -> Outcome:
    """Return the rows of the messages of one batch, and their drops and warnings.

    Args:
        raw: each message as JSON, not yet decoded, so that a malformed one spoils only itself.
        site: the site whose write key came with the batch.
        receipt: the facts of the request.
        context: the batch's own context, which a message's overrides.
        clocks: what earlier requests have shown of clients' clocks, and where this one's is noted; None for nothing.
    """
    outcome, *others = run_in_portions(raw, site, receipt, context, clocks)
    for other in others:
        outcome.add(other)
    return outcome


def run_in_portions(
    raw: Sequence[msgspec.Raw],
    site: Site,
    receipt: Receipt,
    context: Mapping[str, Any],
    clocks: ClientClocks | None = None,
) -> Iterator[Outcome]:
    """Yield what `run` returns in portions, one at least, between which others may have their turn."""
    shared = _shared(site, receipt, context, clocks)
    for portion in _portions(raw[:MAX_EVENTS_PER_BATCH]):
        yield _run_portion(portion, shared)
    if len(raw) > MAX_EVENTS_PER_BATCH:
        surplus = raw[MAX_EVENTS_PER_BATCH:]
        seen = Sighting(_TOO_MANY, "", shared.context, surplus[0])
        yield Outcome([], [], [], _surplus(surplus), [], {("drop", DropReason.TOO_MANY): seen})


def _portions(raw: Sequence[msgspec.Raw]) -> Iterator[Sequence[msgspec.Raw]]:
    begin = size = 0
    for index, item in enumerate(raw):
        size += len(item)
        if index > begin and (size > BYTES_AT_ONCE or index - begin >= MESSAGES_AT_ONCE):
            yield raw[begin:index]
            begin, size = index, len(item)
    yield raw[begin:]


def _run_portion(raw: Sequence[msgspec.Raw], shared: Draft) -> Outcome:
    outcome = Outcome([], [], [], [], [], {})
    for item in raw:
        result = _make(item, shared)
        if isinstance(result, Drop):
            outcome.drops.append(result)
            outcome.sightings["drop", result.reason] = Sighting(result.detail, "", shared.context, item)
            continue
        outcome.rows.append(result.row)
        outcome.lines.append(result.line)
        outcome.labels.append(result.label)
        if result.warnings:
            _note_warnings(outcome, item, result, shared)
    return outcome


def _note_warnings(outcome: Outcome, item: msgspec.Raw, result: EncodedRow, shared: Draft) -> None:
    outcome.warnings.extend(result.warnings)
    for warning in result.warnings:
        seen = Sighting(warning.detail, result.row.event, shared.context, item)
        outcome.sightings["warning", warning.reason] = seen


def run_each(raw: Iterable[msgspec.Raw], site: Site, receipt: Receipt) -> Iterator[EncodedRow | Drop]:
    """Yield what becomes of each message, one after another; they share no context."""
    shared = _shared(site, receipt, {})
    for item in raw:
        yield _make(item, shared)


def process(raw: msgspec.Raw, site: Site, receipt: Receipt, context: Mapping[str, Any]) -> EventRow | Drop:
    """Return the row of one message, or the reason why it is not kept."""
    result = _make(raw, _shared(site, receipt, context))
    return result if isinstance(result, Drop) else result.row


def _shared(site: Site, receipt: Receipt, context: Mapping[str, Any], clocks: ClientClocks | None = None) -> Draft:
    """Return what all events of a batch have in common, as the draft of none of them."""
    # Our own SDK writes `sentAt` anew with each attempt, and shows the secret of its browser.
    told = RequestClocks(
        clocks or ClientClocks(), site.name, receipt.received_at, is_stamped=bool(receipt.browser_secret)
    )
    draft = Draft(_NO_MESSAGE, site, receipt, read_times(receipt), context, {}, {}, told)
    for step in _SURROUNDINGS:
        step(draft)
    return draft


def _make(raw: msgspec.Raw, shared: Draft) -> EncodedRow | Drop:
    try:
        if len(raw) > MAX_RAW_EVENT_BYTES:
            detail = f"{len(raw)} bytes as sent; a message may have {MAX_RAW_EVENT_BYTES}"
            return named_drop(_label(raw), DropReason.TOO_LARGE, detail)
        try:
            message = _decode_message(raw)
        except _UNREADABLE as error:
            return _make_mended(raw, shared, error)
        return _take_steps(message, shared)
    except _UNREADABLE as error:
        return named_drop(_label(raw), DropReason.MALFORMED, str(error))
    except Exception as error:  # noqa: BLE001 - a mistake of ours about one message must not cost its batch
        log_mistake("message_not_read", error)
        return named_drop(_label(raw), DropReason.MALFORMED, "it cannot be read: a mistake of ours, please report it")


def _make_mended(raw: msgspec.Raw, shared: Draft, error: Exception) -> EncodedRow | Drop:
    """Return what becomes of a message that the decoder refused, once it is mended."""
    mended = mend(bytes(raw))
    if mended is None:
        return named_drop(_label(raw), DropReason.MALFORMED, str(error))
    try:
        message = msgspec.convert(mended.value, Message)
    except msgspec.ValidationError as unfit:
        return named_drop(_label_of(mended.value), DropReason.MALFORMED, str(unfit))
    # Ids that were cut off, or whose bytes are none, would become one person's.
    if any(_REPLACED in text(each) for each in (message.user_id, message.anonymous_id, message.previous_id)):
        return named_drop(message.label, DropReason.BAD_ID, "an id has half a character, or bytes that are no UTF-8")
    if _REPLACED in message.label:
        message = msgspec.structs.replace(message, message_id=None)
    return _take_steps(message, shared, mended.repairs)


def _take_steps(message: Message, shared: Draft, repairs: tuple[Repair, ...] = ()) -> EncodedRow | Drop:
    context, columns, steps = shared.context, shared.columns.copy(), _OTHER_STEPS
    if message.context:
        context = {**context, **message.context}
        if not _SURROUNDING_KEYS.isdisjoint(message.context):
            columns, steps = {}, STEPS
        if message.type == "identify" and not message.traits:
            message = _with_traits_of_context(message)
    draft = Draft(
        message,
        shared.site,
        shared.receipt,
        shared.times,
        context,
        message.properties or {},
        columns,
        shared.clocks,
        message.traits or {},
        judged=shared.judged,
    )
    if repairs or shared.receipt.repairs:
        for reason, detail in shared.receipt.repairs + repairs:
            draft.warn(reason, detail)
    if shared.warnings and steps is _OTHER_STEPS:
        for told in shared.warnings:
            draft.warn(told.reason, told.detail)
    for step in steps:
        drop = step(draft)
        if drop is not None:
            return drop
    return build_row(draft)


def _with_traits_of_context(message: Message) -> Message:
    """Return an `identify` with the traits that stand in its context, which is where RudderStack's SDKs put them."""
    traits = (message.context or {}).get("traits")
    return msgspec.structs.replace(message, traits=traits) if isinstance(traits, dict) else message


#: Errors of the decoder: no JSON or no message, text that is no UTF-8, nested too deeply.
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_REPLACED: Final = "\ufffd"
_decode_message: Final = msgspec.json.Decoder(Message).decode
_NO_MESSAGE: Final = Message("track")


class _Label(msgspec.Struct, rename="camel"):
    message_id: str = ""


def _label(raw: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=_Label).message_id
    except _UNREADABLE:
        return ""


def _label_of(value: object) -> str:
    """Return the message id of a value that was to be a message, '' where it has none."""
    label = value.get("messageId") if isinstance(value, dict) else ""
    return label if isinstance(label, str) else ""


def _surplus(raw: Sequence[msgspec.Raw]) -> list[Drop]:
    named = [named_drop(_label(item), DropReason.TOO_MANY, _TOO_MANY) for item in raw[:MAX_LISTED]]
    return named + [Drop("", DropReason.TOO_MANY, _TOO_MANY)] * (len(raw) - len(named))
