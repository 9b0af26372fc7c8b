"""Spools that tell what was done to them, or whose disk fails."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from collector.spool.file import Spool, SpooledEvent


def spooled(name: str, site: str = "shop") -> SpooledEvent:
    """An event of this id, whose line is a row of `events`."""
    line = (
        f'{{"site":"{site}","event":"view_item","type":"track","event_id":"{name}","visitor_id":"ada",'
        '"ts":"2026-11-22 12:00:00.000","received_at":"2026-11-22 12:00:00.000","source":"live"}'
    )
    return SpooledEvent(site, name, line.encode())


class CountingSpool(Spool):
    """Counts its commits."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.commits = 0

    def commit(self) -> None:
        self.commits += 1
        super().commit()


class FailingSpool(Spool):
    """Refuses to begin or commit while `trouble` names that step, as SQLite does when a disk is full."""

    trouble = ""

    def begin(self) -> None:
        self._fail_at("begin")
        super().begin()

    def commit(self) -> None:
        self._fail_at("commit")
        super().commit()

    def _fail_at(self, step: str) -> None:
        if self.trouble == step:
            raise sqlite3.OperationalError("database or disk is full")
