"""What whoever sends an event can do about its drop or its warning; `docs/faults.md` says the same of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from collector.intake.draft import DropReason, WarningReason

#: One line a reason, without values of anybody: commands and the console print it.
DROP_REMEDIES: Final[Mapping[DropReason, str]] = {
    DropReason.MALFORMED: "mend the field that detail names; at most 16 objects and lists lie inside each other",
    DropReason.NO_NAME: "give a track call an event of 1 to 100 printable characters",
    DropReason.RESERVED: "send it with the server key, or under a name of your own",
    DropReason.UNSUPPORTED: "switch it off in the sender: nothing here reads it",
    DropReason.NO_VISITOR: "give anonymousId or userId",
    DropReason.BAD_ID: "give ids of at most 128 characters; a userId is no UUID of version 8 and does not begin with ~",
    DropReason.IDENTITY_UNPROVEN: "sign the userId as context.userHash, or send with the server key",
    DropReason.BROWSER_UNPROVEN: "let the page's own SDK send it, or send with the server key",
    DropReason.NO_TIMESTAMP: "give each line of an import a timestamp, such as 2026-11-22T12:00:00Z",
    DropReason.NO_CONSENT: "nothing: the visitor said no, or has not been asked yet",
    DropReason.TOO_LARGE: "send at most 32 KiB of properties; leave out what no rule and no template reads",
    DropReason.TOO_MANY: "send at most 2,500 events in one batch",
    DropReason.TOO_FAST: "look for a page that sends in a loop, or raise visitor_events_per_minute",
    DropReason.ERASED: "nothing: it is of somebody who was erased since",
    DropReason.TOO_OLD: "load history with `micromoment import`",
    DropReason.UNPAID: "nothing: the platform tells of the order again when it is paid",
    DropReason.UNKNOWN_TOPIC: "take it off at the platform; `micromoment webhooks` lists what is understood",
    DropReason.TOLD_ELSEWHERE: "nothing: another topic tells of it; see that the platform sends that one",
    DropReason.DUPLICATE: "nothing: it is stored already; give each event a messageId of its own if it was none",
}
WARNING_REMEDIES: Final[Mapping[WarningReason, str]] = {
    WarningReason.IDENTITY_UNPROVEN: "sign the userId as context.userHash, or send with the server key",
    WarningReason.FIELD_UNREAD: "look at what the platform sends there; if it documents it so, please report it",
    WarningReason.ORDER_UNKNOWN: "have the platform send orders, too, or load earlier ones with `micromoment import`",
    WarningReason.TEXT_REPAIRED: "send UTF-8, and cut texts between characters, not inside of one",
    WarningReason.NUMBER_REPAIRED: "send a number, or leave the field out; JSON has no NaN and no Infinity",
    WarningReason.JSON_REPAIRED: "let a JSON library write the body",
    WarningReason.CONSENT_UNREADABLE: "answer with true or false, and name channels as email, sms, push or banner",
    WarningReason.NUMBER_UNREADABLE: "send numbers, or text such as 1299.00",
    WarningReason.ID_IS_NONE: "leave the id out where there is none, or name it in the site's real_ids",
    WarningReason.TOO_OLD: "set the sender's clock, send events sooner, or load history with `micromoment import`",
    WarningReason.ORDER_WITHOUT_ID: "give order_id (GA4: transaction_id)",
    WarningReason.REFUND_WITHOUT_VALUE: "give the value that is paid back, or the price of each item",
    WarningReason.CURRENCY_UNKNOWN: "give a code of ISO 4217, such as EUR",
    WarningReason.CURRENCY_WITHOUT_RATE: "give the site a rate for it, in [sites.NAME.rates]",
    WarningReason.TIME_UNREADABLE: (
        "write it as 2026-11-22T12:00:00Z, or as a number of seconds, ms, us or ns since 1970"
    ),
    WarningReason.CLOCK_SKEWED: "nothing: times are corrected; a server's clock wants setting (NTP)",
    WarningReason.ZONE_UNKNOWN: (
        "send what `Intl.DateTimeFormat().resolvedOptions().timeZone` says, such as Europe/Berlin"
    ),
}
