"""What is measured: checkouts of this repository, and filled stores that their runs start from."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from bench.live.product import Product, fill_store, running_shop

ROOT: Final = Path(__file__).parents[2]
_run_numbers = count(1)


@dataclass(frozen=True)
class Checkout:
    """One state of the code.

    Args:
        name: as the report calls it.
        tree: its folder.
    """

    name: str
    tree: Path


@dataclass(frozen=True)
class Workshop:
    """Where runs take place, and what was asked of all of them.

    Args:
        folder: for stores and for what the products write.
        rules: how many.
        stored: how many events are stored.
        rate: events a second instead of a part's own; None for those.
        seconds: how long is measured instead of a part's own; None for that.
        warm_up: seconds before.
        streams: how many are held open at once.
    """

    folder: Path
    rules: int = 100
    stored: int = 1_000_000
    rate: int | None = None
    seconds: float | None = None
    warm_up: float = 10.0
    streams: int = 8_000

    def store(self, checkout: Checkout, events: int) -> Path:
        """Return the folder of a store with so many events, which checkouts of the same schema share."""
        folder = self.folder / f"store-{_schema(checkout.tree)}-{events}"
        if not folder.exists():
            making = folder.with_suffix(".part")
            shutil.rmtree(making, ignore_errors=True)
            fill_store(checkout.tree, making, events)
            making.rename(folder)
        return folder

    @contextmanager
    def shop(self, checkout: Checkout, rules: int = 0, stored: int = 0) -> Iterator[Product]:
        """Run a checkout on a fresh copy of a store; rules and stored events are as asked of all, or as given."""
        store = self.store(checkout, stored or self.stored)
        with running_shop(checkout.tree, self.run_folder(), store, rules or self.rules) as product:
            yield product

    def run_folder(self) -> Path:
        """Return a folder for one run, which does not exist yet."""
        return self.folder / f"run-{next(_run_numbers)}"


def find(name: str, folder: Path) -> Checkout:
    """Return a checkout: a folder as it is, anything else as a revision of this repository, unpacked.

    Args:
        name: the folder or the revision.
        folder: where to unpack.
    """
    if Path(name).is_dir():
        return Checkout(name, Path(name).resolve())
    revision = subprocess.run(
        ["git", "rev-parse", "--short", f"{name}^{{commit}}"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    tree = folder / f"tree-{revision}"
    if not tree.exists():
        tree.mkdir(parents=True)
        archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", str(tree)], input=archive, check=True)
    return Checkout(revision, tree)


def _schema(tree: Path) -> str:
    """Return a name for how a checkout stores events."""
    parts = [tree / "warehouse" / "migrations.py", *sorted((tree / "warehouse" / "schema").iterdir())]
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts if part.is_file())).hexdigest()[:12]
