"""The commands `up`, `collector` and `worker`, which run roles and write logs until the process is stopped."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence
from typing import Any

import click
import structlog
from structlog.typing import EventDict, Processor

from micromoment.configuration.options import read_options, settings_options
from micromoment.configuration.settings import Settings, collector_url
from micromoment.roles.collector import run_collector
from micromoment.roles.demo import demo_defaults, demo_folder, install_samples, mailbox_url, run_demo, store_url
from micromoment.roles.up import ALL_ROLES, Role, run_roles, until_stopped
from micromoment.roles.worker import run_worker_alone
from micromoment.terminal.text import harmless


@click.command()
@click.option("--demo", is_flag=True, help="Add a store, sample rules and a local mailbox.")
@settings_options
def up(*, demo: bool, **options: Any) -> None:  # noqa: ANN401 - the settings, as text
    """Run everything in one process."""
    settings = read_options(options, demo_defaults if demo else None)
    if demo:
        install_samples(settings)
    # The demo's servers start first, so that its mailbox is there before the worker has something to send.
    roles = (run_demo, *ALL_ROLES) if demo else ALL_ROLES
    _run(settings, roles, _demo_words(settings) if demo else _words(settings))


@click.command()
@settings_options
def collector(**options: Any) -> None:  # noqa: ANN401 - the settings, as text
    """Run one collector: HTTP in, server-sent events out."""
    settings = read_options(options)
    _run(settings, (run_collector,), _words(settings))


@click.command()
@settings_options
def worker(**options: Any) -> None:  # noqa: ANN401 - the settings, as text
    """Run the trigger worker: rules, decisions, messages."""
    settings = read_options(options)
    _run(
        settings,
        (run_worker_alone,),
        f"worker    rules from {settings.rules_folder}/   (operations at port {settings.worker_port})",
    )


def _run(settings: Settings, roles: tuple[Role, ...], words: str) -> None:
    configure_logs(settings)
    asyncio.run(until_stopped(run_roles(settings, roles), lambda: click.echo(words)))


def _words(settings: Settings) -> str:
    return f"collector {collector_url(settings)}   (operations at {_operations_url(settings)})"


def _operations_url(settings: Settings) -> str:
    return f"http://{settings.operations_host}:{settings.operations_port}"


def _demo_words(settings: Settings) -> str:
    example = 'micromoment sql "SELECT event, count() FROM events GROUP BY event ORDER BY 2 DESC"'
    return f"""
  Micromoment is up.

  store      {store_url(settings)}     linger over a product; fill a cart and leave it for a minute
  inbox      {mailbox_url(settings)}     what the store's visitors were sent
  collector  {collector_url(settings)}     takes what pages tell
  operations {_operations_url(settings)}     /metrics, /readyz, /schema
  rules      {demo_folder(settings)}/rules     edit one: it is live a second later

  In another terminal:
    {example}

  Ctrl-C stops everything.
"""


def configure_logs(settings: Settings) -> None:
    """Write every log event of this process to stderr as one line, in the configured format.

    Loggers of the standard library, which our dependencies use, pass through the same renderer.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    logging.basicConfig(handlers=[_log_handler(settings, shared)], level=level, force=True)
    # Their failures reach us as exceptions, which are logged once, with a remedy.
    for noisy in ("httpx", "httpcore", "mail.log", "clickhouse_connect", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _log_handler(settings: Settings, shared: Sequence[Processor]) -> logging.Handler:
    """Return a handler that renders log records; `shared` processes the records of the standard library first."""
    renderer = structlog.processors.JSONRenderer() if settings.log_format == "json" else structlog.dev.ConsoleRenderer()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _harmless_values,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    return handler


def _harmless_values(_: object, __: str, event: EventDict) -> EventDict:
    """Replace what a terminal might obey in text that pages or peers sent; JSON escapes it by itself."""
    return {key: harmless(value) if isinstance(value, str) else value for key, value in event.items()}
