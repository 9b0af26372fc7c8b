"""Webhooks of any other shop system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.platforms.generic import Generic
from collector.platforms.platform import Translation
from collector.sites import ShopWebhook, Site
from tests.collector.messages import NOON
from tests.collector.platforms.translating import rows, translated
from warehouse.webhook_signature import signature_headers

KEY = b"k" * 32
OLD = b"o" * 32


def site(fields: Mapping[str, str] | None = None) -> Site:
    webhook = ShopWebhook("erp", "generic", "token-of-the-erp", (KEY, OLD), fields=fields or {})
    return Site("shop", "shop-key", webhooks=(webhook,))


def becomes(payload: object, fields: Mapping[str, str] | None = None) -> Translation:
    return translated(site(fields), "", payload)


def test_messages_come_alone_in_a_list_or_as_a_batch() -> None:
    message: dict[str, Any] = {"type": "track", "event": "repaired", "userId": "u-1", "context": {"locale": "de"}}
    for payload in (message, [message], {"batch": [message]}):
        (row,) = rows(becomes(payload), site())
        assert (row.event, row.visitor_id, row.locale) == ("repaired", "u-1", "de")
    shared = {"batch": [message, {**message, "context": None}], "context": {"locale": "fr", "timezone": "Europe/Paris"}}
    first, second = rows(becomes(shared), site())
    assert (first.locale, first.country, second.locale) == ("de", "FR", "fr")


def test_fields_of_any_object_become_a_message() -> None:
    fields = {
        "event": "=repaired",
        "messageId": "no",
        "userId": "customer.number",
        "timestamp": "when",
        "properties.order_id": "no",
        "properties.value": "sums.total",
        "properties.currency": "=EUR",
        "properties.missing": "not.there",
    }
    payload = {"no": 17, "customer": {"number": "c-9"}, "when": "2026-11-22T11:00:00Z", "sums": {"total": "12.50"}}
    (row,) = rows(becomes(payload, fields), site())
    assert (row.event, row.event_id, row.visitor_id) == ("repaired", "17", "c-9")
    assert (row.order_id, row.value, row.currency, row.ts) == ("17", 12.5, "EUR", "2026-11-22 11:00:00.000")
    assert row.props == ""


def test_what_is_no_object_is_dropped() -> None:
    payloads: list[object] = [None, 1, "x", [1, None], {"batch": "x"}, {"batch": [[]]}]
    for payload in payloads:
        told = becomes(payload)
        assert {drop.reason for drop in told.drops} == {"malformed"}, payload
        assert told.messages == []


def test_it_is_signed_as_our_own_webhooks_are_under_either_name_of_the_headers() -> None:
    webhook, platform = site().webhooks[0], Generic()
    for key, prefix, at_s, fits in (
        (KEY, "webhook-", NOON // 1000, True),
        (OLD, "webhook-", NOON // 1000, True),
        (KEY, "x-micromoment-", NOON // 1000 - 299, True),
        (KEY, "webhook-", NOON // 1000 - 301, False),
        (KEY, "webhook-", NOON // 1000 + 301, False),
        (b"x" * 32, "webhook-", NOON // 1000, False),
    ):
        signed = signature_headers(key, "d-1", at_s, b"{}")
        headers = {name.replace("webhook-", prefix): value for name, value in signed.items()}
        assert platform.is_genuine(webhook, headers, b"{}", NOON) is fits, (key, prefix, at_s)
        assert not platform.is_genuine(webhook, headers, b"{ }", NOON)
    assert not platform.is_genuine(webhook, {}, b"{}", NOON)


def test_a_message_without_an_id_is_known_by_its_delivery() -> None:
    entries: list[dict[str, Any]] = [
        {"type": "track", "event": "a", "userId": "u-1"},
        {"type": "track", "event": "b", "userId": "u-1", "messageId": "own"},
    ]
    for _ in range(2):
        told = translated(site(), "", entries, delivery="d-7")
        assert [row.event_id for row in rows(told, site())] == ["d-7-0", "own"]
