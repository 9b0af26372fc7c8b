"""Benchmark of `micromoment backtest`: time and memory for 40 rules over a million events of baskets.

The baskets come from completejourney_transactions.csv.gz, which is not shipped, if the environment variable
`BENCH_TRANSACTIONS` names that file; else they are generated.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from bench.journey import read_transactions, write_events
from bench.receipts import made_up_receipts

FILE_VARIABLE: Final = "BENCH_TRANSACTIONS"
EVENTS: Final = 1_000_000
FROM, TO = "2017-01-01T00:00:00Z", "2018-01-01T00:00:00Z"

#: The pattern and the rest of ten rules, of which four variants each make forty.
RULES: Final = (
    ("view_item[price > {n}] -> add_to_cart within 2m -> no purchase within 10m", "if: cart.value >= {n}0"),
    ("add_to_cart[price > {n}]", "if: count(add_to_cart, 10m) > {n}"),
    ("add_to_cart", "if: cart.value >= {n}0 and since(purchase) > {n}d\ngoal: purchase within 1h"),
    ("view_item -> view_item within {n}m", "key: product_id"),
    ("purchase[value >= {n}0]", "if: count(purchase, 30d) >= 3"),
    ("purchase -> no purchase within {n}d", "goal: purchase within 7d"),
    ("any -> no any within {n}d", 'if: stage == "customer"'),
    ("session_start -> add_to_cart[value > {n}] within 5m", 'if: segment("high_intent")'),
    ("session_start", 'if: score("engagement") >= {n} and local_hour < 20'),
    ("purchase", "if: sum(purchase.value, 30d) > {n}00 and uniq(add_to_cart.product_id, 7d) >= {n}0"),
)
SEND: Final = "send:\n  - banner: hello\n  - email: hello\n    after: 4h\n    tags: [discount]\n"
AUDIENCES: Final = """
segments:
  high_intent: count(view_item, 24h) >= 4 or since(add_to_cart) <= 24h
stages:
  churned: since(purchase) > 90d
  loyal: count(purchase, 30d) >= 5
  customer: count(purchase, 30d) >= 1
scores:
  engagement: 4 * min(1, count(view_item, 30d) / 30) + 6 * min(1, count(purchase, 30d) / 8)
"""
POLICY: Final = "quiet: 21:00-09:00\ncaps:\n  - {channel: email, max: 1, per: 24h}\n  - {max: 6, per: 24h}\n"


def measure() -> list[str]:
    """Return a line with the seconds and the memory of a replay, and a line for the import before it."""
    transactions = os.environ.get(FILE_VARIABLE)
    lines = read_transactions(Path(transactions)) if transactions else made_up_receipts()
    source = Path(transactions).name if transactions else "made-up baskets"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_rules(folder)
        history = folder / "history.jsonl"
        write_events(lines, history, EVENTS)
        importing = run_command(folder, "import", str(history))
        replaying = run_command(folder, "backtest", str(folder / "rules"), "--from", FROM, "--to", TO)
        rules, firings = len(list((folder / "rules").iterdir())), _count_lines(folder / "backtest.out")
    return [
        f"import: {EVENTS:,} events of {source}: {importing}",
        f"backtest: {rules} rules over {EVENTS:,} events of {source}: {replaying}, {firings:,} firings",
    ]


def _write_rules(folder: Path) -> None:
    (folder / "rules").mkdir()
    (folder / "audiences.yaml").write_text(AUDIENCES)
    (folder / "policy.yaml").write_text(POLICY)
    for number, (when, rest) in enumerate(RULES):
        for variant in range(1, 5):
            text = f"id: r{number}_{variant}\nwhen: '{when}'\n{rest}\n{SEND}".replace("{n}", str(variant))
            (folder / "rules" / f"r{number}_{variant}.yaml").write_text(text)


def run_command(folder: Path, *command: str) -> str:
    """Return the seconds of a command by the clock and of the processor, and its peak memory."""
    engine = ("--clickhouse", f"chdb://{folder}/clickhouse", "--data-folder", str(folder))
    arguments = (sys.executable, "-m", "micromoment", *command, *engine)
    output = os.open(folder / f"{command[0]}.out", os.O_CREAT | os.O_WRONLY)
    started = time.perf_counter()
    child = os.posix_spawn(sys.executable, arguments, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, output, 1)])
    _, status, usage = os.wait4(child, 0)
    os.close(output)
    if status:
        raise SystemExit(f"micromoment {command[0]} failed")
    seconds, processor = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
    return f"{seconds:.1f} s ({processor:.1f} s of processor time), {usage.ru_maxrss / 1024:.0f} MiB"


def _count_lines(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(1 for _ in lines)
