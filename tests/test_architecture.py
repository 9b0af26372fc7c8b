"""The house rules that a linter does not know: which way imports point, and what no file may say."""

from __future__ import annotations

import ast
import re
import subprocess
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
#: What each package may import of ours. `micromoment` wires the rest together.
MAY_IMPORT: Final[dict[str, set[str]]] = {
    "warehouse": set(),
    "sdk_js": set(),
    "demo_store": set(),
    "collector": {"warehouse"},
    "trigger_worker": {"warehouse"},
    "console": {"warehouse", "trigger_worker"},
    "micromoment": {"warehouse", "collector", "trigger_worker", "console", "demo_store", "sdk_js"},
}
#: A concrete channel is known to the one who wires it up, and to itself.
CHANNELS: Final = "trigger_worker.delivery.channels"
MAY_IMPORT_CHANNELS: Final = ("micromoment.", f"{CHANNELS}.")
INTERFACE: Final = f"{CHANNELS}.base"
MOST_LINES: Final = 300

#: Put together here, so that this file does not say what it forbids.
FORBIDDEN: Final = {
    "a path of one machine": r"(?<![\w.$}~])/(?:home|root|Users|work|tmp)/\w",
    "a registry other than the public ones": r"https?://[^\s\"'/]*(?:artifactory|nexus|jfrog|verdaccio|devpi|:4873)[^\s\"']*",
    "a package index": r"(?:--(?:extra-)?index-url|--find-links|index-url\s*=|registry\s*=)\s*\S*https?://",
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES: Final = {
    module_name(path): ast.parse(path.read_text(encoding="utf-8"))
    for package in MAY_IMPORT
    for path in sorted((ROOT / package).rglob("*.py"))
    if "node_modules" not in path.parts
}


def imports(tree: ast.AST) -> list[str]:
    """Every module that a module names, as `import a.b` or `from a.b import c` (then also as `a.b.c`)."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def committed_texts() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.decode()
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096]]


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    package = module.partition(".")[0]
    ours = {name.partition(".")[0] for name in imports(MODULES[module])} & set(MAY_IMPORT)
    assert ours - {package} <= MAY_IMPORT[package]


def test_modules_import_each_other_in_no_circle() -> None:
    graph = {module: {name for name in imports(tree) if name in MODULES} - {module} for module, tree in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"circle: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("module", MODULES)
def test_only_the_composition_root_knows_concrete_channels(module: str) -> None:
    if module.startswith(MAY_IMPORT_CHANNELS):
        return
    concrete = [name for name in imports(MODULES[module]) if name.startswith(f"{CHANNELS}.")]
    assert [name for name in concrete if not f"{name}.".startswith(f"{INTERFACE}.")] == []


@pytest.mark.parametrize("module", MODULES)
def test_imports_are_absolute_and_at_the_top(module: str) -> None:
    tree = MODULES[module]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = [node for each in functions for node in ast.walk(each) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [node.lineno for node in inside] == []
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level] == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is_for_and_stays_small(module: str) -> None:
    tree = MODULES[module]
    assert ast.get_docstring(tree)
    assert max((node.end_lineno or 0 for node in tree.body), default=0) <= MOST_LINES


def test_a_package_lists_no_names_that_it_does_not_have() -> None:
    for module, tree in MODULES.items():
        for node in tree.body:
            if isinstance(node, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets
            ):
                defined = {name.rpartition(".")[2] for name in imports(tree)}
                defined |= {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
                assert set(ast.literal_eval(node.value)) <= defined, module


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_says(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in committed_texts()
        for match in [pattern.search(path.read_text(encoding="utf-8", errors="replace"))]
        if match and path != Path(__file__)
    ]
    assert found == []


def test_no_lock_names_where_a_package_comes_from() -> None:
    locks = [path for path in committed_texts() if path.name == "package-lock.json"]
    assert [path.relative_to(ROOT) for path in locks if '"resolved": "http' in path.read_text(encoding="utf-8")] == []
    assert locks
