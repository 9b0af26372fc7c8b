"""Instants as commands take them."""

from __future__ import annotations

from datetime import datetime

import click

from warehouse.event import epoch_ms


class Instant(click.ParamType[int]):
    """An ISO 8601 instant such as `2026-11-22T12:00:00Z`, read as epoch milliseconds; UTC unless it says otherwise."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the instant, or fail with what was expected."""
        if isinstance(value, int):
            return value
        try:
            return epoch_ms(datetime.fromisoformat(str(value)))
        except ValueError:
            self.fail(f"expected an instant such as 2026-11-22T12:00:00Z, found {value!r}", param, ctx)
