"""One address, whoever names it: what it refused, bounced or was sent holds for every visitor of the site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.trigger_worker.shop import Shop, as_accepted
from tests.trigger_worker.stored import event_row, store
from trigger_worker.live import loop
from trigger_worker.store.addresses import store_facts
from warehouse.address_ledger import AddressFact, AddressKey, AddressKeys, Fact
from warehouse.connection import Warehouse

RULE = "when: add_to_cart\nevery: 0s\nsend: [{email: reminder}]\n"
KEYS = AddressKeys(b"secret")


@pytest.fixture
def letters(shop: Shop) -> Shop:
    """A shop that writes to whoever puts something into the cart."""
    shop.rule("letters", RULE)
    return shop


def key_of(address: str = "ann@example.com", channel: str = "email", site: str = "shop") -> AddressKey:
    key = KEYS.of(site, channel, address)
    assert key is not None
    return key


def names_address(shop: Shop, visitor: str, email: str = "ann@example.com") -> None:
    shop.happens("identify", visitor, user=f"user-{visitor}", traits={"email": email})


async def asks_for_a_letter(shop: Shop, visitor: str) -> None:
    shop.happens("add_to_cart", visitor, user=f"user-{visitor}", product_id="p1", name="Tent")
    await shop.passes(1)


def said(shop: Shop, event: str, visitor: str, said_by: str = "", **fields: Any) -> dict[str, Any]:
    """Return the row of an answer, with the place where it was given among its properties."""
    row = event_row(event, visitor, shop.now_ms, user=f"user-{visitor}", **fields)
    return {**row, "props": msgspec.json.encode({**fields, "source": said_by} if said_by else fields).decode()}


def reasons(shop: Shop) -> list[str]:
    return [reason for _, _, reason in shop.decisions()]


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        ("left", "unsubscribed"),
        ("refused", "no_consent"),
        ("bounced", "suppressed"),
        ("complained", "suppressed"),
    ],
)
@pytest.mark.parametrize("heard", [True, False], ids=["heard", "read"])
async def test_what_an_address_said_holds_for_every_visitor_who_names_it(
    letters: Shop, fact: Fact, reason: str, heard: bool
) -> None:
    names_address(letters, "a")
    names_address(letters, "b", " Ann@EXAMPLE.com ")
    await asks_for_a_letter(letters, "a")
    said = [AddressFact(key_of(), fact, letters.now_ms)]
    if heard:
        letters.worker.hear_addresses(said)
    else:
        store_facts(letters.warehouse, said)
        letters.worker.wake()
    await asks_for_a_letter(letters, "b")
    await asks_for_a_letter(letters, "a")
    assert letters.sent("email") == ["user-a"]
    assert reasons(letters) == ["passed", reason, reason]


async def test_another_address_and_another_site_are_written_to(letters: Shop) -> None:
    names_address(letters, "a")
    names_address(letters, "b", "ann+shop@example.com")
    store_facts(
        letters.warehouse,
        [AddressFact(key_of("bob@example.com"), "left", 1), AddressFact(key_of(site="elsewhere"), "bounced", 1)],
    )
    await asks_for_a_letter(letters, "a")
    await asks_for_a_letter(letters, "b")
    assert letters.sent("email") == ["user-a", "user-b"]


async def test_who_comes_back_is_written_to_again(letters: Shop) -> None:
    names_address(letters, "a")
    facts: list[tuple[Fact, int]] = [("left", 1), ("refused", 1), ("returned", 2), ("allowed", 2)]
    store_facts(letters.warehouse, [AddressFact(key_of(), fact, at) for fact, at in facts])
    await asks_for_a_letter(letters, "a")
    assert letters.sent("email") == ["user-a"]


async def test_transactional_messages_reach_who_left_and_not_who_refused(letters: Shop) -> None:
    letters.rule("letters", f"class: transactional\n{RULE}")
    names_address(letters, "a")
    store_facts(letters.warehouse, [AddressFact(key_of(), "left", 1)])
    await asks_for_a_letter(letters, "a")
    letters.worker.hear_addresses([AddressFact(key_of(), "refused", 1)])
    await asks_for_a_letter(letters, "a")
    assert reasons(letters) == ["passed", "no_consent"]


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("caps: [{channel: email, max: 1, per: 1d}]", "cap"),
        ("gap: {email: 6h}", "gap"),
        ("fatigue: {ignored: 1, rest: 14d}", "fatigue"),
    ],
)
@pytest.mark.parametrize("restarts", [False, True])
async def test_twelve_visitors_with_one_address_are_one_recipient(
    letters: Shop, policy: str, reason: str, restarts: bool
) -> None:
    letters.write("policy.yaml", policy)
    visitors = [f"visitor-{number:02d}" for number in range(12)]
    for visitor in visitors:
        names_address(letters, visitor)
    await asks_for_a_letter(letters, visitors[0])
    if restarts:
        await letters.starts()
    for visitor in visitors[1:]:
        letters.happens("add_to_cart", visitor, user=f"user-{visitor}")
    await letters.passes(1)
    assert letters.sent("email") == [f"user-{visitors[0]}"]
    assert reasons(letters) == ["passed", *[reason] * 11]


async def test_messages_that_are_decided_on_together_count_for_each_other(letters: Shop) -> None:
    letters.write("policy.yaml", "caps: [{channel: email, max: 2, per: 1d}]")
    for visitor in ("a", "b", "c", "d"):
        names_address(letters, visitor)
        letters.happens("add_to_cart", visitor, user=f"user-{visitor}")
    await letters.passes(1)
    assert len(letters.sent("email")) == 2
    assert sorted(reasons(letters)) == ["cap", "cap", "passed", "passed"]


async def test_a_higher_priority_beats_a_lower_one_at_the_same_address(letters: Shop) -> None:
    letters.rule("urgent", "when: begin_checkout\npriority: 90\nsend: [{email: reminder}]\n")
    names_address(letters, "a")
    names_address(letters, "b")
    letters.happens("add_to_cart", "a", user="user-a")
    letters.happens("begin_checkout", "b", user="user-b")
    await letters.passes(1)
    assert letters.sent("email") == ["user-b"]
    assert sorted(reasons(letters)) == ["passed", "priority"]


async def test_what_was_clicked_is_not_ignored_whoever_was_sent_it(letters: Shop) -> None:
    letters.write("policy.yaml", "fatigue: {ignored: 1, rest: 14d}")
    names_address(letters, "a")
    names_address(letters, "b")
    await asks_for_a_letter(letters, "a")
    ((message_id,),) = letters.rows("SELECT DISTINCT message_id FROM messages WHERE state = 'sent'")
    letters.hears("email_clicked", "a", user="user-a", message_id=message_id)
    await asks_for_a_letter(letters, "b")
    assert letters.sent("email") == ["user-a", "user-b"]


async def test_a_known_visitors_letter_asks_clickhouse_nothing_while_the_address_is_known(
    letters: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    names_address(letters, "a")
    await asks_for_a_letter(letters, "a")
    asked: list[str] = []
    query = letters.warehouse.query

    def noted(sql: str, parameters: object = None) -> object:
        asked.append(sql)
        return query(sql, parameters)  # type: ignore[arg-type]

    monkeypatch.setattr(letters.warehouse, "query", noted)
    letters.hears("add_to_cart", "a", user="user-a")
    await letters.worker.evaluation.bus.settle()
    await letters.dispatcher.settle(10)
    assert letters.sent("email") == ["user-a", "user-a"]
    assert asked == []


async def test_a_refusal_is_not_crowded_out_by_ids_that_are_joined_to_its_person(letters: Shop) -> None:
    row = said(letters, "consent", "first", "page", marketing=False)
    store(letters.warehouse, {**row, "user_id": "", "visitor_id": "first"})
    names_address(letters, "first")
    later = [
        event_row("identify", f"junk-{number:03d}", letters.now_ms + number, user="user-first", traits={})
        for number in range(110)
    ]
    store(letters.warehouse, *later)
    await letters.passes(1)
    await letters.starts()
    letters.happens("add_to_cart", "junk-109", user="user-first")
    await letters.passes(1)
    assert letters.sent("email") == []
    assert reasons(letters) == ["no_consent"]


@pytest.mark.parametrize(
    ("event", "fields", "mailed"),
    [
        ("unsubscribed", {"channel": "email"}, False),
        ("unsubscribed", {"channel": "email", "said_by": "import", "proven_by": "import"}, False),
        ("unsubscribed", {"channel": "sms"}, True),
        ("unsubscribed", {"channel": "email", "said_by": "page"}, True),
        ("consent", {"marketing": False, "said_by": "page"}, True),
        ("consent", {"marketing": False, "said_by": "server", "proven_by": "server"}, False),
        ("consent", {"marketing": False, "said_by": "page", "proven_by": "signature"}, True),
        ("consent", {"channels": {"email": False}, "said_by": "call_centre", "proven_by": "server"}, False),
        ("email_bounced", {"kind": "hard"}, False),
        ("email_bounced", {"kind": "soft"}, True),
        ("email_complained", {}, False),
        ("email_bounced", {"kind": "hard", "address": "else@example.com"}, True),
    ],
)
@pytest.mark.parametrize("way", ["bus", "feed", "history"])
async def test_what_a_server_says_of_one_visitor_holds_for_the_address(
    letters: Shop, event: str, fields: dict[str, Any], mailed: bool, way: str
) -> None:
    names_address(letters, "a")
    names_address(letters, "b")
    row = said(letters, event, "a", **fields)
    if way == "bus":
        letters.worker.hear([as_accepted(row)], letters.now_ms)
    store(letters.warehouse, row)
    if way == "history":
        letters.warehouse.command("TRUNCATE TABLE worker_cursor")
        await letters.starts()
    await letters.passes(1)
    await asks_for_a_letter(letters, "b")
    assert bool(letters.sent("email")) is mailed


async def test_who_was_mailed_may_leave_by_a_page_and_come_back_by_one(letters: Shop) -> None:
    names_address(letters, "a")
    names_address(letters, "b")
    await asks_for_a_letter(letters, "a")
    await letters.passes(60)
    store(letters.warehouse, said(letters, "unsubscribed", "a", "page", channel="email"))
    await letters.passes(1)
    await asks_for_a_letter(letters, "b")
    assert letters.sent("email") == ["user-a"]
    store(letters.warehouse, said(letters, "subscribe", "a", "page", channel="email"))
    await letters.passes(1)
    await asks_for_a_letter(letters, "b")
    assert letters.sent("email") == ["user-a", "user-b"]


async def test_a_strangers_subscribe_brings_nobody_back(letters: Shop) -> None:
    names_address(letters, "a")
    store_facts(letters.warehouse, [AddressFact(key_of(), "left", 1)])
    names_address(letters, "stranger")
    store(letters.warehouse, said(letters, "subscribe", "stranger", "page", channel="email"))
    store(letters.warehouse, said(letters, "consent", "stranger", "page", marketing=True))
    await letters.passes(1)
    await asks_for_a_letter(letters, "stranger")
    assert letters.sent("email") == []


async def test_somebody_who_is_signed_in_brings_no_other_address_back(letters: Shop) -> None:
    store_facts(letters.warehouse, [AddressFact(key_of(), "left", 1)])
    names_address(letters, "a")
    store(letters.warehouse, said(letters, "subscribe", "a", "page", channel="email", proven_by="signature"))
    store(letters.warehouse, said(letters, "consent", "a", "page", marketing=True, proven_by="signature"))
    await letters.passes(1)
    await asks_for_a_letter(letters, "a")
    assert letters.sent("email") == []


async def test_an_import_counts_without_a_restart(letters: Shop) -> None:
    names_address(letters, "b")
    await asks_for_a_letter(letters, "b")
    letters.happens("identify", "old", source="import", traits={"email": "ann@example.com"}, proven_by="import")
    letters.happens("unsubscribed", "old", source="import", channel="email", proven_by="import")
    store(letters.warehouse, event_row("history_changed", "", letters.now_ms))
    await letters.passes(1)
    await asks_for_a_letter(letters, "b")
    assert letters.sent("email") == ["user-b"]


async def test_history_of_an_earlier_version_counts_for_the_address(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "RELOAD_INTERVAL_SECONDS", 0.0)
    shop = Shop(warehouse, tmp_path)
    await shop.starts()
    shop.rule("letters", RULE)
    shop.write("policy.yaml", "caps: [{channel: email, max: 1, per: 1d}]")
    names_address(shop, "a")
    await asks_for_a_letter(shop, "a")
    warehouse.command("TRUNCATE TABLE address_messages")
    warehouse.command("TRUNCATE TABLE worker_cursor")
    warehouse.command("ALTER TABLE messages UPDATE addresses = [] WHERE 1 SETTINGS mutations_sync = 2")
    await shop.starts()
    names_address(shop, "b")
    await asks_for_a_letter(shop, "b")
    assert shop.sent("email") == ["user-a"]
    assert reasons(shop) == ["passed", "cap"]


async def test_no_table_holds_an_address_of_the_ledger_in_plain(letters: Shop) -> None:
    names_address(letters, "a")
    await asks_for_a_letter(letters, "a")
    letters.worker.hear_addresses([AddressFact(key_of(), "left", letters.now_ms)])
    rows = letters.rows("SELECT address FROM address_messages")
    assert rows == [(key_of().address,)]
    assert "ann" not in str(rows)
