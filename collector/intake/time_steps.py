"""The step that places an event on the collector's clock, or says why its time could not be read."""

from __future__ import annotations

from typing import Final

from collector.intake.draft import Draft, Drop, DropReason, Message, Receipt, Times, WarningReason
from collector.intake.sender_clock import SKEW_TOLERANCE_MS
from warehouse.event import format_time
from warehouse.time_reading import is_said, read_event_time
from warehouse.time_text import TimeTrouble

#: A correction from this on is told of: the clock of the sender wants setting.
TOLD_SKEW_MS: Final = 60_000
_UNREADABLE: Final = WarningReason.TIME_UNREADABLE
_LONGEST_SHOWN: Final = 40
_LONGEST_NUMBER: Final = 10**30


def read_times(receipt: Receipt) -> Times:
    """Return the times of a request as its events need them."""
    sent = read_event_time(receipt.sent_at) if is_said(receipt.sent_at) else None
    return Times(format_time(receipt.received_at), sent)


def correct_time(draft: Draft) -> Drop | None:
    """Place the event on the collector's clock: never after its receipt, and not long before it.

    What cannot be read, and what is said to have happened too long ago, has the time of its receipt, with a warning: it
    did not happen then, so it completes no rule. An import's time is taken as it stands.
    """
    draft.columns["received_at"] = draft.times.received_at
    if draft.receipt.source == "import":
        return _take_as_it_stands(draft)
    message, received_at = draft.message, draft.receipt.received_at
    stated: int | TimeTrouble | None
    # Most messages have a timestamp and nothing else.
    if message.original_timestamp is None:
        stated = read_event_time(message.timestamp) if message.timestamp is not None else None
        is_corrected = False
    else:
        stated, is_corrected = _of_both(draft)
    if isinstance(stated, TimeTrouble):
        if is_said(message.timestamp) or is_said(message.original_timestamp):
            draft.warn(_UNREADABLE, f"timestamp {stated}: kept with the time of its receipt, and completes no rule")
            _place_at_receipt(draft)
            return None
        stated = None
    at = _on_our_clock(draft, stated, is_corrected=is_corrected)
    if at < draft.receipt.oldest:
        days = (received_at - draft.receipt.oldest) // 86_400_000
        draft.warn(WarningReason.TOO_OLD, f"older than {days} days: kept with the time of its receipt")
        _place_at_receipt(draft)
        return None
    draft.columns["ts"] = format_time(at)
    return None


def _place_at_receipt(draft: Draft) -> None:
    draft.columns["ts"] = draft.times.received_at
    draft.columns["untimed"] = 1


def _take_as_it_stands(draft: Draft) -> Drop | None:
    message = draft.message
    values = [each for each in (message.original_timestamp, message.timestamp) if is_said(each)]
    if not values:
        return draft.dropped(DropReason.NO_TIMESTAMP, "timestamp is missing: say when it happened")
    read = [read_event_time(each) for each in values]
    times = [each for each in read if not isinstance(each, TimeTrouble)]
    if not times:
        return draft.dropped(DropReason.NO_TIMESTAMP, f"timestamp {_shown(values[-1])} {read[-1]}")
    draft.columns["ts"] = format_time(times[1 if _is_corrected(message, read) else 0])
    return None


def _of_both(draft: Draft) -> tuple[int | TimeTrouble | None, bool]:
    """Return the time of a message that has `originalTimestamp`, and whether somebody has corrected it already.

    It is the device's own word. A `timestamp` that differs from it is what whoever passed the message on made of it and
    of `sentAt`, or what the shop's program said.
    """
    message = draft.message
    read = [read_event_time(message.original_timestamp), read_event_time(message.timestamp)]
    if _is_corrected(message, read):
        return read[1], True
    original, timestamp = read
    if (
        isinstance(original, TimeTrouble)
        and is_said(message.original_timestamp)
        and not isinstance(timestamp, TimeTrouble)
    ):
        draft.warn(_UNREADABLE, f"originalTimestamp {original}: timestamp is taken")
    return (timestamp if isinstance(original, TimeTrouble) else original), False


def _is_corrected(message: Message, read: list[int | TimeTrouble]) -> bool:
    if len(read) < 2:
        return False
    original, timestamp = read
    if not isinstance(original, int) or not isinstance(timestamp, int):
        return False
    apart_ms = abs(original - timestamp)
    return apart_ms >= TOLD_SKEW_MS or (apart_ms > 0 and is_said(message.sent_at))


def _on_our_clock(draft: Draft, stated: int | None, *, is_corrected: bool) -> int:
    """Return when an event happened by our clock, epoch ms.

    Args:
        draft: the event.
        stated: when it happened by its sender's clock, or None when that does not say.
        is_corrected: whether somebody on its way has put the time right.
    """
    received_at, own_sent = draft.receipt.received_at, draft.message.sent_at
    sent = read_event_time(own_sent) if is_said(own_sent) else draft.times.sent_at
    if isinstance(sent, TimeTrouble):
        draft.warn(_UNREADABLE, f"sentAt {sent}: the sender's clock is taken as right")
        sent = None
    correction = 0 if sent is None or is_corrected else _correction_ms(draft, sent)
    if stated is None:
        # It happened when it was sent, or before: what was long on its way did not happen just now.
        if sent is None or received_at - sent - correction <= SKEW_TOLERANCE_MS:
            return received_at
        stated = sent
    at = stated + correction
    if abs(correction) >= TOLD_SKEW_MS:
        way = "behind" if correction > 0 else "ahead"
        draft.warn(WarningReason.CLOCK_SKEWED, f"the sender's clock is {abs(correction) // 1000} s {way}: corrected")
    elif at - received_at >= TOLD_SKEW_MS:
        told = f"timestamp lies {(at - received_at) // 1000} s after the receipt: kept with the time of its receipt"
        draft.warn(WarningReason.CLOCK_SKEWED, told)
    return max(0, min(at, received_at))


def _correction_ms(draft: Draft, sent: int) -> int:
    """Return what to add to the times of an event's sender, which its request says it sent at `sent`, epoch ms."""
    receipt = draft.receipt
    difference = receipt.received_at - sent
    if receipt.is_from_server:
        # Servers have their clocks set: what comes late from one was kept back. But nothing comes before it was sent.
        return difference if difference < -SKEW_TOLERANCE_MS else 0
    columns = draft.columns
    return draft.clocks.correction_ms(columns["anonymous_id"] or columns["visitor_id"], sent)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return repr(value[:_LONGEST_SHOWN])
    is_short = isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) < _LONGEST_NUMBER)
    return repr(value) if is_short else type(value).__name__
