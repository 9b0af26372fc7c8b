"""The demo: a shop, sample rules and a mailbox, beside the collector and the worker."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

from demo_store.app import create_app
from demo_store.settings import StoreSettings
from micromoment.configuration.settings import Settings, collector_url, shown_host
from micromoment.configuration.site_keys import identity_secrets
from micromoment.mailbox.app import create_mailbox
from micromoment.roles.shared import Shared
from micromoment.serving import require_free, serve
from warehouse.errors import ConfigurationError

SITE: Final = "demo"
WRITE_KEY: Final = "demo-write-key"


def demo_defaults(settings: Settings) -> dict[str, Any]:
    """Return the default settings of the demo, which file, environment and command line override.

    Args:
        settings: the settings without these defaults; their ports and data folder are used.
    """
    folder = demo_folder(settings)
    return {
        "rules_folder": str(folder / "rules"),
        "templates_folder": str(folder / "templates"),
        "coupons_folder": str(folder / "coupons"),
        "audiences_file": str(folder / "audiences.yaml"),
        "policy_file": str(folder / "policy.yaml"),
        "suppressions_file": str(folder / "suppressions.txt"),
        "smtp_host": settings.host,
        "smtp_port": settings.mailbox_smtp_port,
        "smtp_security": "none",
        "smtp_sender": "Micromoment demo <shop@demo.example>",
        "sms_url": mailbox_url(settings),
        "sms_account": "ACdemo",
        "sms_token": "demo-token",
        "sms_sender": "+4915100000000",
        "chat_url": f"{mailbox_url(settings)}/chat",
        "log_format": "text",
        "log_level": "warning",
        # The shop of the demo signs nobody in, and its mail reaches the mailbox beside it only: on a real site, a
        # stranger could have offers sent to anybody's address.
        "sites": {SITE: {"write_key": WRITE_KEY, "url": store_url(settings), "confirmed_addresses": "off"}},
    }


def demo_folder(settings: Settings) -> Path:
    """Return the folder of the sample rules and templates, which the user of the demo may edit."""
    return Path(settings.data_folder) / "demo"


def store_url(settings: Settings) -> str:
    """Return the address of the demo shop."""
    return f"http://{shown_host(settings)}:{settings.store_port}"


def mailbox_url(settings: Settings) -> str:
    """Return the address of the mailbox's inbox page."""
    return f"http://{shown_host(settings)}:{settings.mailbox_port}"


def install_samples(settings: Settings) -> None:
    """Copy the sample rules and templates into the demo folder, unless the folder exists.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    folder = demo_folder(settings)
    if folder.exists():
        return
    try:
        with as_file(files("micromoment") / "sample") as sample:
            shutil.copytree(sample, folder)
    except OSError as error:
        raise ConfigurationError(
            f"data_folder: {folder} cannot be written: {error.strerror}", "make it writable, or name another"
        ) from error


@asynccontextmanager
async def run_demo(shared: Shared) -> AsyncIterator[None]:
    """Run the shop and the mailbox of the demo until the block ends.

    Raises:
        ConfigurationError: a port is taken.
    """
    settings = shared.settings
    store = StoreSettings(
        collector_url=collector_url(settings),
        write_key=settings.sites[SITE].write_key if SITE in settings.sites else WRITE_KEY,
        script_path=settings.script_path,
        mailbox_url=mailbox_url(settings),
        identity_secret=identity_secrets(settings, SITE)[0].decode() if SITE in settings.sites else "",
    )
    require_free(settings.host, settings.mailbox_smtp_port, "mailbox_smtp_port")
    mailbox = create_mailbox(settings.host, settings.mailbox_smtp_port, lambda: datetime.now(UTC))
    async with (
        serve(mailbox, settings.host, settings.mailbox_port, "mailbox_port"),
        serve(create_app(store), settings.host, settings.store_port, "store_port"),
    ):
        yield
