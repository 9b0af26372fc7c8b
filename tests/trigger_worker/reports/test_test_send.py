"""Messages that are sent to be looked at."""

from __future__ import annotations

import pytest

from trigger_worker.delivery.content.model import ChatContent, Content, EmailContent, SmsContent, WebhookContent
from trigger_worker.reports.test_send import mark_as_test


@pytest.mark.parametrize(
    ("content", "marked"),
    [
        (
            EmailContent(subject="Your cart", html="<p>Hi</p>", text="Hi"),
            EmailContent(subject="[Test] Your cart", html="<p>Hi</p>", text="Hi"),
        ),
        (SmsContent("Your cart", 1), SmsContent("[Test] Your cart", 1)),
        (ChatContent("Your cart"), ChatContent("[Test] Your cart")),
        (WebhookContent(b"{}"), WebhookContent(b"{}")),
    ],
)
def test_a_test_is_marked_where_its_reader_looks_first(content: Content, marked: Content) -> None:
    assert mark_as_test(content, "shop", "you@example.com", 0).content == marked


def test_a_test_is_nobodys_message() -> None:
    first, second = (mark_as_test(SmsContent("Hi", 1), "shop", "+4930123456", 0) for _ in range(2))
    assert first.message_id.startswith("test-")
    assert first.message_id != second.message_id
    assert (first.rule, first.visitor_id, first.recipients, first.token) == (
        "send-test",
        "send-test",
        ("+4930123456",),
        None,
    )
