from __future__ import annotations

from datetime import UTC, datetime

from micromoment.mailbox.store import MailStore

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def store_with(*recipients: str, capacity: int = 3) -> MailStore:
    store = MailStore(lambda: NOON, capacity)
    for recipient in recipients:
        store.add(b"Subject: x\r\n\r\n", "shop@example.com", (recipient,))
    return store


def test_shows_the_newest_first() -> None:
    mails = store_with("ada@example.com", "bob@example.com").mails()
    assert [(mail.id, mail.recipients, mail.received_at) for mail in mails] == [
        (2, ("bob@example.com",), NOON),
        (1, ("ada@example.com",), NOON),
    ]


def test_shows_one_recipients_only_when_asked() -> None:
    store = store_with("ada@example.com", "bob@example.com", "ada@example.com")
    assert [mail.id for mail in store.mails("ada@example.com")] == [3, 1]
    assert store.mails("nobody@example.com") == []


def test_forgets_the_oldest_beyond_its_capacity() -> None:
    store = store_with(*["ada@example.com"] * 5)
    assert [mail.id for mail in store.mails()] == [5, 4, 3]
    assert store.find(2) is None
    assert store.find(3) is not None
