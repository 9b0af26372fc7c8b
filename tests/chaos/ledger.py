"""What became of everything that was acknowledged: stored once, fired once, delivered by class."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Self

import msgspec

from tests.chaos.installation import Installation
from tests.chaos.traffic import Shopper, Traffic

SETTLED_WITHIN_SECONDS: Final = 180.0
#: The feed's rows never merge, so that a second copy of an event is seen there.
_STORED: Final = """
SELECT event_id, count() AS rows FROM event_feed WHERE ingested_at > now64(3) - INTERVAL 6 HOUR GROUP BY event_id
"""
#: An id that no browser proved is kept with a mark before it.
_FIRED: Final = """
SELECT rule, trim(LEADING '~' FROM visitor_id) AS visitor, uniqExact(fire_id) AS fires
FROM fires GROUP BY rule, visitor
"""
_MESSAGES: Final = """
SELECT rule, argMax(state, at) AS last, argMax(detail, at) AS detail, count() AS rows
FROM messages GROUP BY rule, message_id
"""
#: All that is stored of one visitor, in the order in which it happened.
_EVIDENCE: Final = """
WITH ['{who}', '~{who}'] AS ids
SELECT at, what FROM (
    SELECT toString(fired_at) AS at, concat('fired ', rule, ' ', fire_id) AS what FROM fires WHERE has(ids, visitor_id)
    UNION ALL
    SELECT toString(decided_at), concat('decided ', rule, ' ', verdict, ' ', reason) FROM decisions
    WHERE has(ids, visitor_id)
    UNION ALL
    SELECT toString(at), concat(state, ' ', rule, ' ', detail) FROM messages WHERE has(ids, visitor_id)
    UNION ALL
    SELECT toString(ingested_at), concat('stored ', event, ' ', event_id) FROM event_feed WHERE has(ids, visitor_id))
ORDER BY at
"""


class Ledger(msgspec.Struct):
    """The counts of one run; each list that must be empty is one promise of the product.

    Args:
        sent, acknowledged: shoppers, each with three events.
        lost: acknowledged events that are not stored.
        doubled: acknowledged events that are stored twice.
        unfired: shoppers' events that completed a rule and did not fire.
        fired_twice: rule and visitor with more than one firing.
        marketing_sent, transactional_sent: mails taken by the mail server.
        marketing_twice: addresses that got the marketing mail more than once.
        transactional_lost: addresses without a receipt.
        transactional_twice: addresses with several receipts, which at-least-once delivery allows.
        unsent: marketing messages that were not sent, by last state and reason.
        wrong_answers: answers of the collector that nothing excuses.
        evidence: all that is stored of the first shopper who got the marketing mail more than once, or no receipt.
    """

    sent: int
    acknowledged: int
    lost: list[str]
    doubled: list[str]
    unfired: list[str]
    fired_twice: list[str]
    marketing_sent: int
    transactional_sent: int
    marketing_twice: list[str]
    transactional_lost: list[str]
    transactional_twice: list[str]
    unsent: dict[str, int]
    wrong_answers: list[str]
    evidence: list[str]

    @classmethod
    async def read(cls, installation: Installation, traffic: Traffic) -> Self:
        """Return the ledger of an installation that has settled."""
        stored = {row["event_id"]: int(row["rows"]) for row in await installation.ask(_STORED)}
        fired = {(row["rule"], row["visitor"]): int(row["fires"]) for row in await installation.ask(_FIRED)}
        shoppers = traffic.acknowledged
        wanted = [event for one in shoppers for event in one.event_ids]
        visitors = [one.visitor for one in shoppers]
        addresses = [one.address for one in shoppers]
        marketing, transactional = _mails(installation, "Hello"), _mails(installation, "Receipt")
        return cls(
            sent=len(traffic.shoppers),
            acknowledged=len(shoppers),
            lost=[event for event in wanted if event not in stored],
            doubled=[event for event in wanted if stored.get(event, 0) > 1],
            unfired=[f"{rule} {who}" for rule in ("greets", "receipt") for who in visitors if (rule, who) not in fired],
            fired_twice=[f"{rule} {who}" for (rule, who), fires in fired.items() if fires > 1],
            marketing_sent=sum(map(len, marketing.values())),
            transactional_sent=sum(map(len, transactional.values())),
            marketing_twice=_more_than_once(marketing),
            transactional_lost=[address for address in addresses if address not in transactional],
            transactional_twice=_more_than_once(transactional),
            unsent=_unsent(await installation.ask(_MESSAGES)),
            wrong_answers=list(dict.fromkeys(traffic.wrong_answers)),
            evidence=await _evidence(
                installation,
                (
                    one
                    for one in shoppers
                    if len(marketing.get(one.address, ())) > 1 or one.address not in transactional
                ),
            ),
        )

    def broken_promises(self) -> dict[str, list[str]]:
        """Return what must be empty and is not, by the name of the promise."""
        promises = {
            name: getattr(self, name)
            for name in (
                *("lost", "doubled", "unfired", "fired_twice"),
                *("marketing_twice", "transactional_lost", "wrong_answers"),
            )
        }
        return {name: broken for name, broken in promises.items() if broken}

    def lines(self) -> list[str]:
        """Return the ledger in words, a line for each count."""
        counts: Mapping[str, object] = {
            "shoppers sent, acknowledged": f"{self.sent}, {self.acknowledged}",
            "acknowledged events lost": len(self.lost),
            "events stored twice": len(self.doubled),
            "firings missing": len(self.unfired),
            "fired twice": len(self.fired_twice),
            "marketing mails sent": self.marketing_sent,
            "marketing sent twice": len(self.marketing_twice),
            "marketing not sent, by reason": self.unsent or "none",
            "transactional mails sent": self.transactional_sent,
            "transactional lost": len(self.transactional_lost),
            "transactional sent twice (allowed)": len(self.transactional_twice),
            "answers that nothing excuses": self.wrong_answers or 0,
        }
        return [f"{name:38} {count}" for name, count in counts.items()]


async def until_settled(installation: Installation, traffic: Traffic) -> None:
    """Wait until all that was acknowledged is stored and has fired, and no message is under way.

    It gives up after `SETTLED_WITHIN_SECONDS`: the ledger then says what is missing.
    """
    deadline = time.monotonic() + SETTLED_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if await _is_settled(installation, len(traffic.acknowledged)):
            # Whoever would store or send again does it now.
            await asyncio.sleep(2.0)
            return
        await asyncio.sleep(0.5)


async def _is_settled(installation: Installation, shoppers: int) -> bool:
    messages = await installation.ask(_MESSAGES)
    return len(messages) >= 2 * shoppers and all(row["last"] != "pending" for row in messages)


async def _evidence(installation: Installation, shoppers: Iterable[Shopper]) -> list[str]:
    first = next(iter(shoppers), None)
    rows = await installation.ask(_EVIDENCE.format(who=first.visitor)) if first else []
    return [f"{row['at']} {row['what']}" for row in rows]


def _mails(installation: Installation, subject: str) -> dict[str, list[str]]:
    """Return, by address, when the mails with a subject were taken."""
    taken = installation.mail.taken_at.items()
    return {address: [f"{at:%T.%f}"[:-3] for at in times] for (about, address), times in taken if about == subject}


def _more_than_once(mails: Mapping[str, list[str]]) -> list[str]:
    return [f"{address} at {', '.join(times)}" for address, times in mails.items() if len(times) > 1]


def _unsent(messages: Iterable[Mapping[str, str]]) -> dict[str, int]:
    unsent = (row for row in messages if row["rule"] == "greets" and row["last"] in ("failed", "cancelled"))
    return dict(Counter(f"{row['last']}: {_reason(row['detail'])}" for row in unsent))


def _reason(detail: str) -> str:
    told = msgspec.json.decode(detail) if detail else {}
    return str(told.get("reason") or told.get("error") or "no reason")
