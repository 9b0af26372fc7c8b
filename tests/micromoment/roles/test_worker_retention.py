"""Events of the worker's own are kept as long as its site says."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from micromoment.configuration.settings import Settings, SiteSettings
from micromoment.roles.shared import Shared, open_bus
from micromoment.roles.worker import run_worker
from tests.trigger_worker.stored import event_row, store
from warehouse.connection import Row, Warehouse

RULE = "id: lingers\nwhen: hover\nsend: [{banner: hello}]\n"
BANNER = "form: bar\nposition: top\ntitle: Hello\ntext: Hello\n"
TOLD = "SELECT site, retention_days FROM events WHERE event = 'message_sent' ORDER BY site"


def settings_in(folder: Path) -> Settings:
    for name, text in (("rules/lingers.yaml", RULE), ("templates/hello.banner.yaml", BANNER)):
        (folder / name).parent.mkdir()
        (folder / name).write_text(text)
    return Settings(
        data_folder=str(folder),
        rules_folder=str(folder / "rules"),
        templates_folder=str(folder / "templates"),
        sites={
            "brief": SiteSettings(write_key="key-1", retention_days=30),
            "unsaid": SiteSettings(write_key="key-2"),
        },
    )


async def told(warehouse: Warehouse, count: int) -> list[Row]:
    """Return the stored events of sent messages, as soon as there are so many."""
    async with asyncio.timeout(30):
        while True:
            found = await asyncio.to_thread(warehouse.query, TOLD)
            if len(found) >= count:
                return list(found)
            await asyncio.sleep(0.05)


async def test_events_of_the_workers_own_are_kept_as_long_as_their_site_says(
    tmp_path: Path, embedded_warehouse: Warehouse
) -> None:
    now_ms = time.time_ns() // 1_000_000
    visits = {"brief": "anna", "unsaid": "bob"}
    store(embedded_warehouse, *(event_row("hover", who, now_ms, site=site) for site, who in visits.items()))
    async with (
        open_bus("") as bus,
        run_worker(Shared(settings_in(tmp_path), embedded_warehouse, bus, CollectorRegistry())),
    ):
        assert await told(embedded_warehouse, 2) == [("brief", 30), ("unsaid", 400)]
