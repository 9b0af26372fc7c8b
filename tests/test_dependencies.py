"""What the product pins: no version older than the fix of a known advisory, and none older than it need be.

Neither test asks a registry or the clock: what is checked in decides, the same on every day.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

from packaging.version import Version

REQUIREMENTS: Final = Path(__file__).parent.parent / "requirements"
#: A version this much older than the newest one that is pinned says why it is kept.
OLDEST_MONTHS: Final = 18


def pins(name: str) -> dict[str, str]:
    text = (REQUIREMENTS / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", text, re.MULTILINE))


def ages() -> dict[str, list[str]]:
    lines = (REQUIREMENTS / "ages.tsv").read_text(encoding="utf-8").splitlines()
    return {line.split("\t")[0]: line.split("\t")[1:] for line in lines if not line.startswith("#")}


def months(released: str) -> int:
    year, month = map(int, released.split("-"))
    return 12 * year + month


def test_no_pinned_version_has_a_known_hole() -> None:
    advisories = tomllib.loads((REQUIREMENTS / "advisories.toml").read_text(encoding="utf-8"))["advisory"]
    holes = [
        f"{file}: {entry['package']} {found}: {entry['id']}, {entry['what']}; fixed in {entry['fixed']}"
        for file in ("run.txt", "dev.txt")
        for entry in advisories
        if (found := pins(file).get(entry["package"])) and Version(found) < Version(entry["fixed"])
    ]
    assert holes == []
    assert len({entry["id"] for entry in advisories}) == len(advisories)
    assert {entry["package"] for entry in advisories} <= pins("run.txt").keys() | pins("dev.txt").keys()


def test_every_pinned_version_says_when_it_was_released() -> None:
    assert {name: said[0] for name, said in ages().items()} == pins("run.txt")


def test_a_version_that_is_old_says_why_it_is_kept() -> None:
    newest = max(months(said[1]) for said in ages().values())
    unexplained = {
        name: said[1] for name, said in ages().items() if newest - months(said[1]) > OLDEST_MONTHS and len(said) < 3
    }
    assert unexplained == {}
