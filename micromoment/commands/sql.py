"""`sql`: ask the raw behaviour."""

from __future__ import annotations

import sys
from typing import Any

import click

from micromoment.configuration.options import read_options, settings_options
from micromoment.engine.client import open_engine


@click.command()
@click.argument("query")
@click.option("--format", "format_name", default="PrettyCompactMonoBlock", help="Any output format of ClickHouse.")
@settings_options
def sql(query: str, format_name: str, **options: Any) -> None:  # noqa: ANN401 - the settings, as text
    """Run a read-only query over events, fires, decisions and messages."""
    with open_engine(read_options(options)) as engine:
        answer = engine.export(query.rstrip().rstrip(";"), format_name)
    sys.stdout.buffer.write(answer if answer.endswith(b"\n") or not answer else answer + b"\n")
