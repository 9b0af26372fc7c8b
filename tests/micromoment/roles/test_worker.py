"""The worker as the settings want it, from stored events to messages."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from micromoment.configuration.settings import SiteSettings
from micromoment.roles.bus import BusListener
from micromoment.roles.shared import Shared
from micromoment.roles.worker import run_worker, run_worker_alone
from tests.micromoment.roles.installation import settings_in, sharing
from tests.trigger_worker.delivery.channels.mail_peer import MailPeer
from tests.trigger_worker.stored import event_row, store
from tests.waiting import until
from warehouse.banner_notice import BannerNotice
from warehouse.connection import Row, Warehouse
from warehouse.errors import ConfigurationError, RuleError


async def happens(shared: Shared, event: str, **fields: Any) -> None:
    """Store an event of anna's that happens now, and announce it as a collector does."""
    now_ms = time.time_ns() // 1_000_000
    store(shared.warehouse, event_row(event, at=now_ms, **fields))
    shared.bus.publish_news()


async def waits_for(warehouse: Warehouse, sql: str) -> list[Row]:
    """Wait until a query selects something, and return it."""
    await until(lambda: bool(warehouse.query(sql)))
    return list(warehouse.query(sql))


def write_email_rule(folder: Path) -> None:
    """Replace the rule by one that greets by email."""
    rule = "id: greets\nwhen: hover\nclass: transactional\nsend: [{email: hello}]\n"
    (folder / "rules" / "greets.yaml").write_text(rule)
    (folder / "templates" / "hello.email.html").write_text("---\nsubject: Hello\n---\n<p>You</p>\n")


async def test_an_event_that_completes_a_rule_becomes_a_banner_on_the_bus(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    notices: list[BannerNotice] = []
    async with (
        sharing(settings_in(tmp_path), embedded_warehouse) as shared,
        shared.bus.listening(BusListener(on_banner=notices.append)),
        run_worker(shared),
    ):
        await happens(shared, "hover")
        await until(lambda: bool(notices))
    (notice,) = notices
    assert (notice.site, notice.anonymous_ids) == ("shop", ("anna",))


async def test_a_worker_that_starts_again_does_not_send_again(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    sent = "SELECT message_id FROM messages WHERE state = 'sent'"
    async with sharing(settings, embedded_warehouse) as shared, run_worker(shared):
        await happens(shared, "hover")
        first = await waits_for(embedded_warehouse, sent)
    async with sharing(settings, embedded_warehouse) as shared, run_worker(shared):
        await happens(shared, "hover")
        await until(lambda: len(embedded_warehouse.query(sent)) == 2)
    assert set(first) < set(embedded_warehouse.query(sent))
    assert embedded_warehouse.query("SELECT count() FROM fires FINAL") == [(2,)]


async def test_events_of_the_workers_own_are_kept_as_long_as_their_site_says(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    sites = {
        "brief": SiteSettings(write_key="key-1", retention_days=30),
        "unsaid": SiteSettings(write_key="key-2"),
    }
    now_ms = time.time_ns() // 1_000_000
    visits = {"brief": "anna", "unsaid": "bob"}
    store(embedded_warehouse, *(event_row("hover", who, now_ms, site=site) for site, who in visits.items()))
    told = "SELECT site, retention_days FROM events WHERE event = 'message_sent' ORDER BY site"
    async with sharing(settings_in(tmp_path, sites=sites), embedded_warehouse) as shared, run_worker(shared):
        await until(lambda: len(embedded_warehouse.query(told)) == 2)
    assert embedded_warehouse.query(told) == [("brief", 30), ("unsaid", 400)]


async def test_email_is_sent_once_a_mail_server_is_set(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    async with MailPeer() as peer:
        settings = settings_in(tmp_path, smtp_host="127.0.0.1", smtp_port=peer.port, smtp_security="none")
        write_email_rule(tmp_path)
        async with sharing(settings, embedded_warehouse) as shared, run_worker(shared):
            await happens(shared, "identify", user="u1", traits={"email": "anna@example.com"})
            await happens(shared, "hover", user="u1")
            await until(lambda: bool(peer.received))
    assert peer.recipients == ["anna@example.com"]
    assert peer.received[0]["Subject"] == "Hello"


async def test_without_a_mail_server_an_email_fails_and_says_why(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    write_email_rule(tmp_path)
    async with sharing(settings, embedded_warehouse) as shared, run_worker(shared):
        await happens(shared, "identify", user="u1", traits={"email": "anna@example.com"})
        await happens(shared, "hover", user="u1")
        ((detail,),) = await waits_for(embedded_warehouse, "SELECT detail FROM messages WHERE state = 'failed'")
    assert "the channel email is not configured" in detail


async def test_a_policy_that_is_wrong_lets_no_worker_start(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    (tmp_path / "policy.yaml").write_text("holdout: lots\n")
    async with sharing(settings, embedded_warehouse) as shared:
        with pytest.raises(RuleError, match=r"policy\.yaml:1:10: expected a share"):
            async with run_worker(shared):
                pass


async def test_settings_of_a_channel_that_are_wrong_let_no_worker_start(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, webhook_url="https://hook.example", webhook_secret="short")
    async with sharing(settings, embedded_warehouse) as shared:
        with pytest.raises(ConfigurationError, match="webhook"):
            async with run_worker(shared):
                pass


async def test_a_worker_of_its_own_shows_its_figures_until_it_ends(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path)
    async with sharing(settings, embedded_warehouse) as shared, httpx.AsyncClient() as client:
        async with run_worker_alone(shared):
            await happens(shared, "hover")
            await waits_for(embedded_warehouse, "SELECT 1 FROM messages WHERE state = 'sent'")
            figures = (await client.get(f"http://127.0.0.1:{settings.worker_port}/metrics")).text
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{settings.worker_port}/metrics")
    assert 'micromoment_fires_total{rule="greets"} 1.0' in figures


async def test_a_port_of_figures_that_is_in_use_is_named(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings_in(tmp_path, worker_port=taken.getsockname()[1])
        async with sharing(settings, embedded_warehouse) as shared:
            with pytest.raises(ConfigurationError, match=r"worker_port: 127\.0\.0\.1:\d+ is in use"):
                async with run_worker_alone(shared):
                    pass
