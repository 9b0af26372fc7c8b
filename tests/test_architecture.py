"""The house rules that a linter does not know: which way imports point, and what no file may say.

`tests/architecture/walls.py` has the walls as tables. Each test lists every offender by file, line and rule.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.architecture import rules
from tests.architecture.sources import ROOT, Sources, product
from tests.architecture.walls import PACKAGES

#: Put together here, so that this file does not say what it forbids.
FORBIDDEN: Final = {
    "a path of one machine": r"(?<![\w.$}~])/(?:home|root|Users|work|tmp)/\w",
    "a registry other than the public ones": r"https?://[^\s\"'/]*(?:artifactory|nexus|jfrog|verdaccio|devpi|:4873)[^\s\"']*",
    "a package index": r"(?:--(?:extra-)?index-url|--find-links|index-url\s*=|registry\s*=)\s*\S*https?://",
}


@pytest.fixture(scope="module")
def sources() -> Sources:
    return product(list(PACKAGES))


def check(offenders: list[str]) -> None:
    if offenders:
        pytest.fail("\n".join([f"{len(offenders)} in all:", *offenders]), pytrace=False)


def test_imports_point_down(sources: Sources) -> None:
    check(rules.between_packages(sources) + rules.between_floors(sources) + rules.concrete_channels(sources))


def test_no_modules_and_no_folders_import_each_other_in_a_circle(sources: Sources) -> None:
    check(rules.circles(sources))


def test_statements_are_read_and_rows_inserted_by_their_own_packages_only(sources: Sources) -> None:
    check(rules.foreign_statements(sources) + rules.scattered_statements(sources))


def test_no_class_name_occurs_twice(sources: Sources) -> None:
    check(rules.shared_class_names(sources))


def test_every_module_is_worth_its_file_and_imports_as_all_do(sources: Sources) -> None:
    check(rules.module_shape(sources) + rules.import_statements(sources) + rules.idle_exceptions(sources))


def test_no_file_says_where_it_was_made() -> None:
    check(
        [
            f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}: says {what}"
            for path in committed_texts()
            if path != Path(__file__)
            for text in [path.read_text(encoding="utf-8", errors="replace")]
            for what, pattern in FORBIDDEN.items()
            for match in re.finditer(pattern, text)
        ]
    )


def test_no_lock_names_where_a_package_comes_from() -> None:
    locks = [path for path in committed_texts() if path.name == "package-lock.json"]
    assert locks
    named = [path for path in locks if '"resolved": "http' in path.read_text(encoding="utf-8")]
    check([f"{path.relative_to(ROOT)}: says where packages come from" for path in named])


def committed_texts() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.decode()
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096]]
