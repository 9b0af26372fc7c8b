"""The product of any checkout, started as its users start it, on a shop of the benchmark's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bench.live.bodies import MEASURED_CATEGORIES, WRITE_KEY
from bench.shop import SITE, write_rules
from e2e.ports import free_ports
from e2e.waiting import answers, wait_for

_STARTED_WITHIN_SECONDS: Final = 60.0
_STOPPED_WITHIN_SECONDS: Final = 60.0
#: How long ago stored histories ended, in ms: what is stored is from days ago.
PAUSE_MS: Final = 86_400_000
#: Shown by the rules of the shop, and by those whose banners are waited for.
_BANNER: Final = "form: bar\nposition: top\ntitle: Measured\ntext: This banner answers.\n"
_MEASURED_BANNER: Final = 'form: bar\nposition: top\ntitle: Measured\ntext: "probe={{ event.probe }};"\n'
_COUNT, _SEQUENCE = MEASURED_CATEGORIES
#: `when` and `if` of the rules whose banners are waited for; of the second category two rules complete at once.
MEASURED_RULES: Final = (
    (f'add_to_cart[category == "{_COUNT}"]', f'count(purchase[category == "{_COUNT}"], 90d) == 0'),
    (
        f'view_item[category == "{_SEQUENCE}"] -> add_to_cart[category == "{_SEQUENCE}"] within 10m',
        'count(search[search_term ~ "measured*"], 3m) == 0',
    ),
    (f'add_to_cart[category == "{_SEQUENCE}"]', "count(page_view, 30d) < 100000"),
)


@dataclass(frozen=True)
class Product:
    """A running product.

    Args:
        port: of the collector.
        session: of its processes, for `bench.live.usage`.
    """

    port: int
    session: int


def fill_store(tree: Path, folder: Path, events: int) -> None:
    """Store a month of events in the embedded engine, by a checkout's own migrations.

    In a process of its own: one that has opened the embedded engine once may go on holding its folder.
    """
    script = Path(__file__).parents[1] / "shop.py"
    command = [sys.executable, "-P", str(script), f"chdb://{folder}", str(events), str(PAUSE_MS)]
    subprocess.run(command, env=environment(tree), check=True)


def write_shop(tree: Path, folder: Path, rules: int, clickhouse: str = "", redis: str = "") -> int:
    """Write the configuration of a shop, and return the port that its collector will listen on.

    Args:
        tree: the checkout that will read it.
        folder: the product's working folder.
        rules: how many, those of `MEASURED_RULES` among them.
        clickhouse: a data source name; empty for the embedded engine in `folder`.
        redis: its address; empty for none.
    """
    port, worker_port, operations_port = free_ports(3)
    (folder / "templates").mkdir(parents=True)
    (folder / "templates" / "bench.banner.yaml").write_text(_BANNER)
    (folder / "templates" / "measured.banner.yaml").write_text(_MEASURED_BANNER)
    write_rules(folder / "rules", rules - len(MEASURED_RULES), "send:\n  - banner: bench\n")
    for number, (when, condition) in enumerate(MEASURED_RULES):
        text = f"id: measured{number}\nwhen: '{when}'\nif: '{condition}'\nevery: 0\nsend:\n  - banner: measured\n"
        (folder / "rules" / f"measured{number}.yaml").write_text(text)
    # An older checkout has no operations of its own, and refuses a setting that it does not know.
    operations = f"operations_port = {operations_port}\n" if (tree / "micromoment" / "operations").is_dir() else ""
    (folder / "micromoment.toml").write_text(
        f'clickhouse = "{clickhouse or f"chdb://{folder}/clickhouse"}"\nredis = "{redis}"\n'
        f"collector_port = {port}\nworker_port = {worker_port}\n{operations}"
        # All of the load comes from one address.
        f'rate_per_second = 0\n[sites.{SITE}]\nwrite_key = "{WRITE_KEY}"\n'
    )
    return port


@contextmanager
def running_shop(tree: Path, folder: Path, store: Path, rules: int) -> Iterator[Product]:
    """Run `up` of a checkout on a copy of a filled store until the block ends.

    Args:
        tree: the checkout.
        folder: for everything that the product writes; taken away in the end.
        store: what `fill_store` filled.
        rules: how many.
    """
    port = write_shop(tree, folder, rules)
    shutil.copytree(store, folder / "clickhouse", symlinks=True)
    try:
        with running(tree, folder, ["-m", "micromoment", "up"], port) as product:
            yield product
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(tree: Path, folder: Path, arguments: list[str], port: int) -> Iterator[Product]:
    """Run a Python program of a checkout until the block ends.

    Args:
        tree: the checkout.
        folder: its working folder, where its log goes.
        arguments: of the interpreter.
        port: where it answers `/healthz` once it is up.
    """
    log = folder / "product.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", *arguments],
            cwd=folder,
            env=environment(tree),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}/healthz"
        wait_for(partial(_up, process, url, log), f"{url}; see {log}", _STARTED_WITHIN_SECONDS)
        yield Product(port, process.pid)
    finally:
        _stop(process)


def environment(tree: Path) -> dict[str, str]:
    """Return an environment in which the code of a checkout wins over what is installed, without settings of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MICROMOMENT_")}
    return {**kept, "PYTHONPATH": str(tree)}


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a product in order, or at once when it is too far behind with its work for that."""
    process.terminate()
    try:
        process.wait(_STOPPED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _up(process: subprocess.Popen[bytes], url: str, log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"the product ended with status {process.returncode}: {log.read_text()[-2000:]}")
    return answers(url)
