"""Lists of addresses that get no more mail, made up after what Klaviyo and Mailchimp document."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.micromoment.history.files import KEYS, NOW_MS, load_bytes
from trigger_worker.store.addresses import read_addresses
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError

KLAVIYO = (
    "Email,Suppression Reason,Suppression Timestamp\n"
    "Ann@Example.com,UNSUBSCRIBE,2026-02-21T20:07:38+00:00\n"
    "bob@example.com,HARD_BOUNCE,2026-02-22T20:07:38+00:00\n"
    "eve@example.com,Spam Complaint,2026-02-23T20:07:38+00:00\n"
    "max@example.com,USER_SUPPRESSED,\n"
    "ida@example.com,INVALID_EMAIL,2036-02-23T20:07:38+00:00\n"
)
UNSUBSCRIBED = (
    "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON\n"
    '"ann@example.com",Ann,2,2024-01-01 10:00:00,2026-02-21 20:07:38,News,"NORMAL, NO LONGER INTERESTED"\n'
    "bob@example.com,Bob,2,2024-01-01 10:00:00,,,\n"
)
CLEANED = "Email Address,MEMBER_RATING,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE\neve@example.com,2,2026-02-23 20:07:38,News\n"


def facts(warehouse: Warehouse) -> dict[tuple[str, str], str]:
    """When each address got each fact, by the names of the addresses in these tests."""
    names = {}
    for name in ("ann", "bob", "eve", "max", "ida", "jürgen"):
        for host in ("example.com", "bücher.example"):
            key = KEYS.of("shop", "email", f"{name}@{host}")
            assert key is not None
            names[key.address] = name
    rows = warehouse.query("SELECT address, fact, toString(at), site, channel, source FROM address_facts FINAL")
    assert {row[3:] for row in rows} <= {("shop", "email", "import")}
    return {(names[address], fact): at for address, fact, at, *_ in rows}


def test_every_reason_of_klaviyo_is_a_fact_of_the_address(warehouse: Warehouse, tmp_path: Path) -> None:
    report = load_bytes(warehouse, tmp_path, KLAVIYO.encode())
    assert (report.stored, report.are_facts, report.is_complete) == (5, True, True)
    assert facts(warehouse) == {
        ("ann", "left"): "2026-02-21 20:07:38.000",
        ("bob", "bounced"): "2026-02-22 20:07:38.000",
        ("eve", "complained"): "2026-02-23 20:07:38.000",
        ("max", "refused"): "2026-11-22 12:00:00.000",
        ("ida", "bounced"): "2026-11-22 12:00:00.000",
    }
    load_bytes(warehouse, tmp_path, KLAVIYO.encode())
    assert len(facts(warehouse)) == 5


def test_an_import_of_a_list_tells_workers_to_read_anew(warehouse: Warehouse, tmp_path: Path) -> None:
    load_bytes(warehouse, tmp_path, KLAVIYO.encode())
    assert list(warehouse.query("SELECT event, site FROM event_feed")) == [("history_changed", "shop")]


def test_mailchimps_unsubscribed_and_cleaned_members(warehouse: Warehouse, tmp_path: Path) -> None:
    assert load_bytes(warehouse, tmp_path, UNSUBSCRIBED.encode("utf-8-sig")).dropped == {"still_subscribed": 1}
    report = load_bytes(warehouse, tmp_path, CLEANED.encode(), format="mailchimp")
    assert (report.stored, report.is_complete) == (1, True)
    assert facts(warehouse) == {
        ("ann", "left"): "2026-02-21 20:07:38.000",
        ("eve", "bounced"): "2026-02-23 20:07:38.000",
    }


@pytest.mark.parametrize(
    ("reason", "fact"),
    [
        ("unsubscribed", "left"),
        ("Unsubscribed", "left"),
        ("opt-out", "left"),
        ("bounced", "bounced"),
        ("Hard Bounce", "bounced"),
        ("cleaned", "bounced"),
        ("marked as spam", "complained"),
        ("spam complaint", "complained"),
        ("abuse", "complained"),
        ("suppressed", "refused"),
        ("user suppressed", "refused"),
        ("", "refused"),
    ],
)
def test_reasons_are_known_however_they_are_written(
    embedded_warehouse: Warehouse, tmp_path: Path, reason: str, fact: str
) -> None:
    content = f"email;status\nann@example.com;{reason}\n"
    report = load_bytes(embedded_warehouse, tmp_path, content.encode(), format="klaviyo")
    assert report.is_complete
    assert list(facts(embedded_warehouse)) == [("ann", fact)]


def test_lines_that_tell_of_nobody_are_counted_and_an_unknown_reason_is_a_no(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    content = "email,reason\n,bounced\nno address,bounced\nann@example.com,whatever\nbob@example.com,subscribed\n"
    report = load_bytes(embedded_warehouse, tmp_path, content.encode())
    assert (report.stored, report.lines) == (1, 4)
    assert report.dropped == {"no_address": 2, "still_subscribed": 1}
    assert report.warned == {"unknown_reason": 1}
    assert list(facts(embedded_warehouse)) == [("ann", "refused")]
    assert not any("ann@" in example or "bob@" in example for example in report.examples)


def test_an_address_stands_nowhere_in_plain(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    load_bytes(embedded_warehouse, tmp_path, KLAVIYO.encode())
    rows = embedded_warehouse.query("SELECT toString(tuple(*)) FROM address_facts")
    assert not any("ann" in text or "example" in text for (text,) in rows)


@pytest.mark.parametrize(
    ("content", "format_name", "message"),
    [
        ("name,reason\nAnn,bounced\n", "klaviyo", "no column has email addresses\n  the header is: name, reason"),
        (
            "Email Address,MEMBER_RATING,OPTIN_TIME\nann@example.com,2,2024-01-01\n",
            "mailchimp",
            "these are members who may be written to",
        ),
        ('{"email": "ann@example.com"}\n', "klaviyo", "is JSON, and no table"),
    ],
)
def test_a_list_that_is_none_is_refused(
    embedded_warehouse: Warehouse, tmp_path: Path, content: str, format_name: str, message: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_bytes(embedded_warehouse, tmp_path, content.encode(), format=format_name)
    assert message in raised.value.message
    assert facts(embedded_warehouse) == {}


def test_customers_with_an_address_and_no_reason_are_no_list_of_suppressions(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    content = "customer_id,email,created_at\n17,ann@example.com,2026-10-01T10:00:00Z\n"
    assert not load_bytes(embedded_warehouse, tmp_path, content.encode()).are_facts
    assert NOW_MS > 0
    assert facts(embedded_warehouse) == {}


def test_a_worker_knows_from_then_on_that_nothing_goes_there(warehouse: Warehouse, tmp_path: Path) -> None:
    load_bytes(warehouse, tmp_path, KLAVIYO.encode())
    asked = {name: KEYS.of("shop", "email", f"{name.upper()}@EXAMPLE.com") for name in ("ann", "bob", "eve", "max")}
    keys = {name: key for name, key in asked.items() if key is not None}
    known = read_addresses(warehouse, keys.values(), 0)
    standing = {name: known[key].standing for name, key in keys.items()}
    assert [(one.left, one.refused, one.suppressed) for one in standing.values()] == [
        (True, False, ""),
        (False, False, "bounced"),
        (False, False, "complained"),
        (False, True, ""),
    ]
