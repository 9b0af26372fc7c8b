from __future__ import annotations

from datetime import UTC, datetime

import pytest

from micromoment.mailbox.smtp import mail_server
from micromoment.mailbox.store import MailStore
from warehouse.errors import ConfigurationError


async def test_a_port_in_use_is_named_with_a_remedy() -> None:
    store = MailStore(lambda: datetime(2026, 11, 22, tzinfo=UTC))
    async with mail_server(store, "127.0.0.1", 0) as port:
        with pytest.raises(ConfigurationError) as refusal:
            async with mail_server(store, "127.0.0.1", port):
                pass
    assert refusal.value.message == f"the mailbox cannot listen at 127.0.0.1:{port}: Address already in use"
    assert "choose another" in refusal.value.hint
