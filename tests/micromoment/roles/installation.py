"""The settings and the shared parts of an installation on free ports of this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry

from e2e.ports import free_ports
from micromoment.configuration.settings import Settings, SiteSettings
from micromoment.privacy.erasures import Erasures
from micromoment.roles.journal import JOURNAL_OF_ALL, open_journal
from micromoment.roles.personal_data import personal_data
from micromoment.roles.shared import Shared, open_bus
from micromoment.roles.up import announce_events
from warehouse.connection import Warehouse
from warehouse.journal.mover import Mover

WRITE_KEY: Final = "shop-key"
SITES: Final = {"shop": SiteSettings(write_key=WRITE_KEY, url="https://shop.example", identity="off")}
BANNER: Final = "form: bar\nposition: top\ntitle: Hello\ntext: You\n"


def settings_in(folder: Path, **values: Any) -> Settings:
    """The settings of an installation in a folder, with a rule that greets by banner whoever hovers."""
    for name in ("rules", "templates"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "rules" / "greets.yaml").write_text("id: greets\nwhen: hover\nevery: 0\nsend: [{banner: hello}]\n")
    (folder / "templates" / "hello.banner.yaml").write_text(BANNER)
    ports = ("collector_port", "worker_port", "operations_port", "store_port", "mailbox_port", "mailbox_smtp_port")
    usual = {
        "data_folder": str(folder / "var"),
        "rules_folder": str(folder / "rules"),
        "templates_folder": str(folder / "templates"),
        "policy_file": str(folder / "policy.yaml"),
        "audiences_file": str(folder / "audiences.yaml"),
        "suppressions_file": str(folder / "suppressions.txt"),
        "sites": SITES,
        **dict(zip(ports, free_ports(len(ports)), strict=True)),
    }
    return Settings(**{**usual, **values})


@asynccontextmanager
async def sharing(settings: Settings, warehouse: Warehouse) -> AsyncIterator[Shared]:
    """What roles of this process share, with a bus inside it, or through the Redis of the settings, and a journal."""
    registry = CollectorRegistry()
    erasures = Erasures(b"secret")
    async with (
        open_bus(settings.redis, registry) as bus,
        open_journal(
            settings,
            JOURNAL_OF_ALL,
            partial(Mover, warehouse=warehouse, announce=announce_events(bus), is_kept=erasures.may_store),
            registry,
            adopts_spool=True,
        ) as journal,
        personal_data(settings, warehouse, erasures, journal.threads) as data,
    ):
        yield Shared(
            settings, warehouse, bus, journal.thread, journal.caught_up, registry, journal.storing_state, erasures, data
        )
