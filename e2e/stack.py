"""The product under test, started as a user starts it: all roles in one process, or each in its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

import msgspec

from e2e.ports import free_ports
from e2e.sms_provider import ACCOUNT
from e2e.waiting import answers, wait_for
from micromoment.engine.client import Engine, EngineClient
from micromoment.engine.protocol import socket_path
from warehouse.connection import connect

#: A machine that has not run ClickHouse for a while reads it from a disk first.
STARTED_WITHIN_SECONDS: Final = 120.0
STOPPED_WITHIN_SECONDS: Final = 15.0
WRITE_KEY: Final = "demo-write-key"
SERVER_KEY: Final = "mms_the-server-key-of-the-demo"
IDENTITY_SECRET: Final = "the identity secret of the demo"
#: A second site, which writes marketing to confirmed addresses only.
CAREFUL_SITE: Final = "careful"
CAREFUL_KEY: Final = "careful-write-key"
#: The webhooks of a third site, which is a shop on platforms.
SHOPIFY_TOKEN: Final = "the-token-of-the-shopify-webhook"
SHOPIFY_SECRET: Final = "the secret that Shopify shows"
WOO_TOKEN: Final = "the-token-of-the-woocommerce-webhook"
WOO_SECRET: Final = "the secret that the shop chose"


class Stack(msgspec.Struct):
    """A running product.

    Args:
        folder: the working folder.
        engine: the ClickHouse database of the product.
        environment: the environment variables of every process.
        commands: the command line of each process, by role.
        ports: the port of each server, by its name.
        processes: the running processes, by role.
    """

    folder: Path
    engine: Engine
    environment: dict[str, str]
    commands: dict[str, list[str]]
    ports: dict[str, int]
    processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def collector_url(self) -> str:
        """Return the address of the collector."""
        return f"http://localhost:{self.ports['collector']}"

    @property
    def store_url(self) -> str:
        """Return the address of the demo store."""
        return f"http://localhost:{self.ports['store']}"

    @property
    def mailbox_url(self) -> str:
        """Return the address of the mailbox."""
        return f"http://localhost:{self.ports['mailbox']}"

    @property
    def shops_url(self) -> str:
        """Return the address of the shops on platforms, which a test serves."""
        return f"http://localhost:{self.ports['shops']}"

    @property
    def rules_folder(self) -> Path:
        """Return the folder of the live rules."""
        return self.folder / "var" / "demo" / "rules"

    def start(self, role: str) -> None:
        """Start the process of a role."""
        log = (self.folder / f"{role}.log").open("ab")
        self.processes[role] = subprocess.Popen(
            self.commands[role], cwd=self.folder, env=self.environment, stdout=log, stderr=log
        )
        log.close()

    def stop(self, role: str, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop the process of a role, and wait until it has ended."""
        process = self.processes.pop(role)
        process.send_signal(how)
        try:
            process.wait(STOPPED_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{role} did not stop within {STOPPED_WITHIN_SECONDS} s; see {self.folder}") from None

    def restart(self, role: str, how: signal.Signals) -> None:
        """Stop the process that runs a role, start it again, and wait until every server answers."""
        name = role if role in self.commands else "up"
        self.stop(name, how)
        self.start(name)
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Wait until every server answers."""
        for url in (f"{self.collector_url}/healthz", self.store_url, self.mailbox_url):
            what = f"{url}; the logs are in {self.folder}"
            wait_for(partial(self._answers, url), what, STARTED_WITHIN_SECONDS)

    def _answers(self, url: str) -> bool:
        for role, process in self.processes.items():
            assert process.poll() is None, f"{role} ended by itself; its log is in {self.folder}"
        return answers(url)

    def sql(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query as `micromoment sql` does, without the start of a process."""
        answer = self.engine.export(query, "JSONEachRow")
        return [json.loads(line) for line in answer.splitlines()]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line beside the running product."""
        return subprocess.run(
            [sys.executable, "-m", "micromoment", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def running_stack(folder: Path, clickhouse: str | None, redis: str | None) -> Iterator[Stack]:
    """Run the product with the demo until the block ends.

    Args:
        folder: an empty folder to run in.
        clickhouse: the address of a server, for separate processes; None for one process with the embedded engine.
        redis: the address of Redis, the bus between separate processes.
    """
    stack = _stack(folder, clickhouse, redis)
    with ExitStack() as cleanup:
        for role in stack.commands:
            stack.start(role)
            cleanup.callback(_end, stack, role)
        stack.wait_until_up()
        yield stack


def _end(stack: Stack, role: str) -> None:
    if role in stack.processes:
        stack.stop(role)


def _stack(folder: Path, clickhouse: str | None, redis: str | None) -> Stack:
    names = ("collector", "store", "mailbox", "smtp", "worker", "operations", "sms", "push", "shops")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MICROMOMENT_")}
    environment |= {
        "MICROMOMENT_COLLECTOR_PORT": str(ports["collector"]),
        "MICROMOMENT_STORE_PORT": str(ports["store"]),
        "MICROMOMENT_MAILBOX_PORT": str(ports["mailbox"]),
        "MICROMOMENT_MAILBOX_SMTP_PORT": str(ports["smtp"]),
        "MICROMOMENT_WORKER_PORT": str(ports["worker"]),
        "MICROMOMENT_OPERATIONS_PORT": str(ports["operations"]),
        "MICROMOMENT_PUSH_SERVICES": f"http://127.0.0.1:{ports['push']}",
        "MICROMOMENT_SMS_URL": f"http://127.0.0.1:{ports['sms']}",
        "MICROMOMENT_SMS_ACCOUNT": ACCOUNT,
        "MICROMOMENT_SMS_TOKEN": "the auth token",
        "MICROMOMENT_SMS_SENDER": "+4915100000000",
        "MICROMOMENT_LOG_LEVEL": "info",
        "MICROMOMENT_SITES": json.dumps(_sites(ports)),
        "STORE_IDENTITY_SECRET": IDENTITY_SECRET,
        "PYTHONUNBUFFERED": "1",
    }
    if clickhouse is None:
        engine = EngineClient(socket_path(str(folder / "var")))
        return Stack(folder, engine, environment, {"up": _micromoment("up", "--demo")}, ports)
    environment |= {"MICROMOMENT_CLICKHOUSE": clickhouse, "MICROMOMENT_REDIS": redis or ""}
    _configure(folder, ports)
    return Stack(folder, connect(clickhouse), environment, _separate_commands(ports), ports)


def _separate_commands(ports: dict[str, int]) -> dict[str, list[str]]:
    collector = f"http://localhost:{ports['collector']}"
    mailbox = f"http://localhost:{ports['mailbox']}"
    return {
        "mailbox": [
            *(sys.executable, "-m", "micromoment.mailbox"),
            *("--port", str(ports["mailbox"]), "--smtp-port", str(ports["smtp"])),
        ],
        "collector": _micromoment("collector"),
        "worker": _micromoment("worker"),
        "store": [
            *(sys.executable, "-m", "demo_store", "--port", str(ports["store"])),
            *("--collector", collector, "--write-key", WRITE_KEY, "--mailbox", mailbox),
        ],
    }


def _configure(folder: Path, ports: dict[str, int]) -> None:
    """Write the configuration of a shop with a ClickHouse server, for the sample rules of the demo."""
    with as_file(files("micromoment") / "sample") as sample:
        shutil.copytree(sample, folder / "var" / "demo")
    (folder / "micromoment.toml").write_text(
        f"""
rules_folder = "var/demo/rules"
templates_folder = "var/demo/templates"
audiences_file = "var/demo/audiences.yaml"
policy_file = "var/demo/policy.yaml"
smtp_host = "127.0.0.1"
smtp_port = {ports["smtp"]}
smtp_security = "none"
smtp_sender = "Shop <shop@demo.example>"
"""
    )


def _sites(ports: dict[str, int]) -> dict[str, dict[str, Any]]:
    """Return the settings of the demo's site, with secrets that tests know, and of the careful one."""
    url = f"http://localhost:{ports['store']}"
    return {
        "demo": {
            "write_key": WRITE_KEY,
            "url": url,
            "server_key": SERVER_KEY,
            "identity_secret": IDENTITY_SECRET,
            "confirmed_addresses": "off",
        },
        CAREFUL_SITE: {"write_key": CAREFUL_KEY, "url": url},
        "acme": _platform_site(f"http://localhost:{ports['shops']}"),
    }


def _platform_site(url: str) -> dict[str, Any]:
    """Return the settings of a shop on platforms, whose pixel sends from a sandbox without an origin."""
    store = {"platform": "shopify", "secret": SHOPIFY_SECRET, "token": SHOPIFY_TOKEN}
    woo = {"platform": "woocommerce", "secret": WOO_SECRET, "token": WOO_TOKEN}
    return {
        "write_key": "acme-write-key",
        "url": url,
        "origins": [url, "null"],
        "webhooks": {"store": store, "woo": woo},
    }


def _micromoment(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "micromoment", *arguments]
