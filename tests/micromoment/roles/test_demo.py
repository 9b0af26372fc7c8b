"""The demo: its settings, its samples, its shop and its mailbox."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import httpx
import pytest

from micromoment.configuration.loading import load_settings
from micromoment.configuration.settings import Settings
from micromoment.roles.demo import WRITE_KEY, demo_defaults, demo_folder, install_samples, run_demo
from tests.micromoment.roles.installation import settings_in, sharing
from warehouse.connection import Warehouse
from warehouse.errors import ConfigurationError


def demo_settings(folder: Path) -> Settings:
    """The settings of a demo on free ports."""
    ports = {name: getattr(settings_in(folder), name) for name in Settings.__struct_fields__ if name.endswith("_port")}
    flags = {**ports, "data_folder": str(folder / "var")}
    return load_settings(None, {}, flags, demo_defaults(load_settings(None, {}, flags)))


def test_messages_of_the_demo_go_to_its_own_mailbox(tmp_path: Path) -> None:
    settings = demo_settings(tmp_path)
    assert (settings.smtp_host, settings.smtp_security) == (settings.host, "none")
    assert settings.sms_url == f"http://localhost:{settings.mailbox_port}"
    assert settings.chat_url.startswith(settings.sms_url)
    assert settings.sites["demo"].url == f"http://localhost:{settings.store_port}"


def test_what_an_operator_sets_wins_over_the_demo(tmp_path: Path) -> None:
    file = tmp_path / "micromoment.toml"
    file.write_text('smtp_sender = "Me <me@shop.example>"\n')
    settings = load_settings(file, {}, {"log_level": "debug"}, demo_defaults(Settings()))
    assert (settings.smtp_sender, settings.log_level) == ("Me <me@shop.example>", "debug")
    assert settings.log_format == "text"


def test_samples_are_copied_once_and_edits_are_kept(tmp_path: Path) -> None:
    settings = demo_settings(tmp_path)
    install_samples(settings)
    rules = sorted((demo_folder(settings) / "rules").glob("*.yaml"))
    assert rules
    rules[0].write_text("id: mine\nwhen: hover\n")
    rules[1].unlink()
    install_samples(settings)
    assert rules[0].read_text() == "id: mine\nwhen: hover\n"
    assert not rules[1].exists()


def test_a_folder_that_takes_no_samples_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("not a folder")
    with pytest.raises(ConfigurationError, match=r"data_folder: .*/var/demo cannot be written") as refusal:
        install_samples(demo_settings(tmp_path))
    assert "name another" in refusal.value.hint


async def test_the_shop_carries_the_snippet_and_leads_to_the_mailbox(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    settings = demo_settings(tmp_path)
    async with (
        sharing(settings, embedded_warehouse) as shared,
        run_demo(shared),
        httpx.AsyncClient() as client,
    ):
        page = (await client.get(f"http://127.0.0.1:{settings.store_port}/")).text
        inbox = await client.get(f"http://127.0.0.1:{settings.mailbox_port}/")
        _, writer = await asyncio.open_connection("127.0.0.1", settings.mailbox_smtp_port)
        writer.close()
    assert f'data-key="{WRITE_KEY}"' in page
    assert f"http://localhost:{settings.collector_port}/mm.js" in page
    assert f"http://localhost:{settings.mailbox_port}" in page
    assert "No mail yet" in inbox.text


async def test_a_demo_of_which_a_port_is_in_use_does_not_start(embedded_warehouse: Warehouse, tmp_path: Path) -> None:
    settings = demo_settings(tmp_path)
    with socket.create_server(("127.0.0.1", settings.mailbox_smtp_port)):
        async with sharing(settings, embedded_warehouse) as shared:
            with pytest.raises(ConfigurationError, match="mailbox_smtp_port"):
                async with run_demo(shared):
                    pass
