"""Plays households to a worker over ClickHouse, with a clock of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.trigger_worker import replays
from tests.trigger_worker.agreement.answers import Answer
from tests.trigger_worker.agreement.households import Sent
from tests.trigger_worker.rules.evaluate.reference import Rule
from tests.trigger_worker.shop import START_MS, Shop
from tests.trigger_worker.stored import event_row, store
from warehouse.connection import Warehouse
from warehouse.event import format_time


def rule_text(rule: Rule) -> str:
    """Return the rule as its file says it, but for the id; block texts need no quoting."""
    lines = ["when: |", f"  {rule.when()}", f"every: {rule.every}ms"]
    if rule.condition is not None:
        lines += ["if: |", f"  {rule.condition.text()}"]
    if rule.key:
        lines.append(f"key: {rule.key}")
    return "\n".join(lines) + "\n"


async def play(
    warehouse: Warehouse,
    folder: Path,
    rules: Mapping[str, Rule],
    sents: Sequence[Sent],
    ticks: Sequence[int],
    restarts: Iterable[int] = (),
) -> list[Answer]:
    """Return the firings that are stored once a worker has ticked at every tick.

    Args:
        warehouse: emptied first.
        folder: an empty one.
        sents: stored just before the first tick that is not earlier.
        ticks: milliseconds after the start, ascending.
        restarts: the ticks after which the worker ends and another starts, which ticks there and then.
    """
    empty(warehouse)
    shop = Shop(warehouse, folder)
    for rule_id, rule in rules.items():
        shop.rule(rule_id, rule_text(rule))
    shop.now_ms = START_MS - 1
    await shop.starts()
    before, ends = -1, frozenset(restarts)
    # A copy of an event that is stored replaces it some time; collectors know most copies, and keep none.
    first = {sent.record["id"]: sent.stored for sent in sorted(sents, key=lambda sent: -sent.stored)}
    for tick in ticks:
        rows = [
            event_of(sent, START_MS + sent.stored, START_MS + first[sent.record["id"]])
            for sent in sents
            if before < sent.stored <= tick
        ]
        if rows:
            store(warehouse, *rows)
        shop.now_ms = START_MS + tick
        await shop.passes()
        if tick in ends:
            await shop.starts()
            await shop.passes()
        before = tick
    sql = f"SELECT rule, visitor_id, key, toUnixTimestamp64Milli(at) - {START_MS} FROM fires"
    return [(rule, visitor, key, at) for rule, visitor, key, at in shop.rows(sql)]


def empty(warehouse: Warehouse) -> None:
    """Forget everything but the schema."""
    tables = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    for (table,) in warehouse.query(f"{tables} AND name NOT LIKE '%migration%'"):
        warehouse.command(f"TRUNCATE TABLE `{table}`")


def event_of(sent: Sent, stored_at: int, received_at: int) -> dict[str, Any]:
    """Return the row of an event that was received and stored at some instants, epoch ms."""
    record = sent.record
    row = event_row(
        record["name"],
        sent.device,
        START_MS + record["ts"],
        user=sent.user,
        event_id=record["id"],
        stored_at=stored_at,
        **record["fields"],
    )
    return row | {"received_at": format_time(received_at)}


def replay(warehouse: Warehouse, rules: Mapping[str, Rule], until: int) -> list[Answer]:
    """Return the firings of a backtest from the start until so many milliseconds after it."""
    texts = [f"id: {rule_id}\n{rule_text(rule)}" for rule_id, rule in rules.items()]
    replayed = replays.replay(warehouse, *texts, since=START_MS, until=START_MS + until)
    return [(one.rule, one.visitor_id, one.key, one.at - START_MS) for one in replays.firings(replayed)]
