"""What the walls forbid: each rule takes the sources, and returns a line for each offender."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Final

from tests.architecture import walls
from tests.architecture.sources import Function, Import, Module, Sources

#: Who imports, and what.
Arrow = tuple[str, str]
SEE: Final = "(see docs/architecture.md)"
_SQL: Final = re.compile(r"\s*(?:SELECT|INSERT INTO|WITH|CREATE|ALTER TABLE|DELETE FROM|TRUNCATE|DROP|OPTIMIZE) ")


def between_packages(sources: Sources) -> list[str]:
    """Name the imports of packages that a package may not import."""
    return [
        f"{found}: {package} may import only {_listed(walls.PACKAGES[package])} {SEE}"
        for found in sources.imports
        for package, target in [(found.importer.package, found.target.partition(".")[0])]
        if target in walls.PACKAGES and target != package and target not in walls.PACKAGES[package]
    ]


def between_floors(sources: Sources) -> list[str]:
    """Name the imports that do not point down inside a package, and whatever stands on no floor."""
    return [offence for folder in walls.FLOORS for offence in _of_folder(sources, folder)]


def _of_folder(sources: Sources, folder: str) -> Iterator[str]:
    floors = walls.FLOORS[folder]
    level = {name: number for number, floor in enumerate(floors) for name in floor.names}
    homeless = {_child(folder, module.name): module for module in sources if _child(folder, module.name) not in level}
    for child, module in sorted(homeless.items()):
        if child:
            yield f"{module.path}:1: {folder}.{child} stands in no wing: put it where its data changes {SEE}"
    for found in sources.imports:
        here, there = _child(folder, found.importer.name), _child(folder, found.target)
        if here == there or here not in level or there not in level:
            continue
        floor = floors[level[here]]
        if level[there] < level[here] or (level[there] == level[here] and not floor.together):
            below = _listed(name for other in floors[level[here] + 1 :] for name in other.names)
            yield f"{found}: {folder}.{here} ({floor.why}) may import only {below} {SEE}"


def concrete_channels(sources: Sources) -> list[str]:
    """Name the imports of a concrete channel by others than roles."""
    return [
        f"{found}: only {' and '.join(walls.MAY_IMPORT_CHANNELS)} may import a concrete channel {SEE}"
        for found in sources.imports
        if _is_in(found.target, walls.CHANNELS)
        and found.target != walls.CHANNEL_CONTRACT
        and not any(_is_in(found.importer.name, name) for name in walls.MAY_IMPORT_CHANNELS)
    ]


def circles(sources: Sources) -> list[str]:
    """Name the imports that close a circle: of modules, or of what lies in a folder with all that it holds."""
    modules: dict[Arrow, list[Import]] = defaultdict(list)
    for found in sources.imports:
        if found.target in sources.modules:
            modules[found.importer.name, found.target].append(found)
    offences = list(_closing(modules, "modules", sources))
    for folder in sorted({name for module in sources for name in _above(module.name)}):
        inside: dict[Arrow, list[Import]] = defaultdict(list)
        for found in sources.imports:
            here, there = _child(folder, found.importer.name), _child(folder, found.target)
            if here and there and here != there:
                inside[f"{folder}.{here}", f"{folder}.{there}"].append(found)
        offences += _closing(inside, "folders", sources)
    return offences


def _closing(arrows: dict[Arrow, list[Import]], kind: str, sources: Sources) -> Iterator[str]:
    """Take the thinnest arrow out of each circle, until there is none; circles of modules are not named twice."""
    while nodes := _circle(arrows):
        nodes = nodes[::-1]
        thinnest = min(pairwise(nodes), key=lambda arrow: len(arrows[arrow]))
        closing = arrows.pop(thinnest)
        if kind == "modules" or any(_is_folder(sources, node) for node in nodes):
            yield from (f"{found}: closes a circle of {kind}: {' imports '.join(nodes)} {SEE}" for found in closing)


def _circle(arrows: Iterable[Arrow]) -> list[str]:
    """Return the nodes of a circle, each imported by the one that follows; none when there is no circle."""
    # Lists, not sets: the same circle is found in every run.
    graph: dict[str, list[str]] = defaultdict(list)
    for here, there in arrows:
        graph[here].append(there)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        nodes: list[str] = error.args[1]
        return nodes
    return []


def foreign_statements(sources: Sources) -> list[str]:
    """Name the statements that somebody reads who is not of the package that owns them."""
    return [
        f"{module.path}:{call.lineno}: reads statements of {owner or 'a package that is no constant'}:"
        f" only modules of that package may {SEE}"
        for module in sources
        for call in _calls(module, "read_sql")
        for owner in [sources.constant(module, call.args[0])]
        if owner is None or not _is_in(module.name, owner)
    ]


def scattered_statements(sources: Sources) -> list[str]:
    """Name SQL and inserts outside the packages that hold statements."""
    offences = []
    for module in sources:
        if (
            not any(_is_in(module.name, holder) for holder in walls.STATEMENT_HOLDERS)
            and module.package != "demo_store"
        ):
            offences += [f"{module.path}:{call.lineno}: reads a statement" for call in _calls(module, "read_sql")]
            offences += [f"{module.path}:{call.lineno}: inserts rows" for call in _calls(module, "insert_lines")]
            offences += [f"{module.path}:{line}: holds SQL" for line in _sql_lines(module)]
    return [f"{offence}: only {', '.join(walls.STATEMENT_HOLDERS)} may {SEE}" for offence in offences]


def shared_class_names(sources: Sources) -> list[str]:
    """Name the classes whose name another class of the product bears."""
    return [
        f"{places[0]}: class {name} is also in {', '.join(places[1:])}: one word has one meaning {SEE}"
        for name, places in sorted(_classes(sources).items())
        if len(places) > 1 and name not in walls.SHARED_CLASS_NAMES
    ]


def _classes(sources: Sources) -> dict[str, list[str]]:
    """Return where the classes of each name are, but for those of a separate product."""
    places: dict[str, list[str]] = defaultdict(list)
    for module in sources:
        if module.package not in walls.SEPARATE_PRODUCTS:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(f"{module.path}:{node.lineno}")
    return places


def module_shape(sources: Sources) -> list[str]:
    """Name the modules that do not say what they are for, are too long, too thin, or named like their package."""
    importers = _importers(sources)
    return [f"{module.path}:{said}" for module in sources for said in _shape(module, importers[module.name])]


def idle_exceptions(sources: Sources) -> list[str]:
    """Name the exceptions that were agreed on for modules or names that no longer need one."""
    importers = _importers(sources)
    thin = [module for module in sources if _is_thin(module, importers[module.name])]
    idle = [name for name in walls.THIN_MODULES if not any(_matches(module.name, name) for module in thin)]
    idle += [name for name in walls.SHARED_CLASS_NAMES if len(_classes(sources)[name]) < 2]
    return [f"tests/architecture/walls.py:1: agrees on an exception for {name}, which needs none" for name in idle]


def _shape(module: Module, importers: set[str]) -> Iterator[str]:
    docstring = ast.get_docstring(module.tree) or ""
    length = max((node.end_lineno or 0 for node in module.tree.body), default=0)
    if not docstring:
        yield "1: has no docstring: a module says what it is for"
    if length > walls.MOST_LINES and walls.REASON_FOR_LENGTH not in docstring:
        yield f"{length}: has more than {walls.MOST_LINES} lines, and its docstring does not say why"
    if module.is_package:
        return
    if module.name.rpartition(".")[2] == module.folder.rpartition(".")[2]:
        yield f"1: bears the name of its package {module.folder}: an import of it is ambiguous"
    if _is_thin(module, importers) and not any(_matches(module.name, name) for name in walls.THIN_MODULES):
        yield (
            f"1: has {module.code_lines} lines of code and one importer, {next(iter(importers))}:"
            f" fold it in, or agree on it in tests/architecture/walls.py"
        )


def _importers(sources: Sources) -> dict[str, set[str]]:
    importers: dict[str, set[str]] = defaultdict(set)
    for found in sources.imports:
        importers[found.target].add(found.importer.name)
    return importers


def _is_thin(module: Module, importers: set[str]) -> bool:
    ours = module.package not in walls.SEPARATE_PRODUCTS and not module.is_package
    return ours and module.code_lines < walls.FEWEST_LINES and len(importers) == 1


def _matches(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def import_statements(sources: Sources) -> list[str]:
    """Name imports inside functions, relative ones, and names in `__all__` that are not there."""
    return [offence for module in sources for offence in _statements(module)]


def _statements(module: Module) -> Iterator[str]:
    functions = [node for node in ast.walk(module.tree) if isinstance(node, Function)]
    inside = {
        each for function in functions for each in ast.walk(function) if isinstance(each, ast.Import | ast.ImportFrom)
    }
    for line in sorted(each.lineno for each in inside):
        yield f"{module.path}:{line}: imports inside a function: imports stand at the top"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"{module.path}:{node.lineno}: imports relative to itself: imports are absolute"
    for statement in module.tree.body:
        if isinstance(statement, ast.Assign) and "__all__" in map(ast.unparse, statement.targets):
            missing = set(ast.literal_eval(statement.value)) - _defined(module)
            place = f"{module.path}:{statement.lineno}"
            yield from (f"{place}: lists {name}, which it does not have" for name in sorted(missing))


def _defined(module: Module) -> set[str]:
    defined = {each.name for each in module.tree.body if isinstance(each, Function | ast.ClassDef)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            defined |= {alias.asname or alias.name for alias in node.names}
    return defined


def _calls(module: Module, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = node.func
            if (isinstance(called, ast.Name) and called.id == name) or (
                isinstance(called, ast.Attribute) and called.attr == name
            ):
                yield node


def _sql_lines(module: Module) -> Iterator[int]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.match(node.value):
            yield node.lineno


def _above(name: str) -> Iterator[str]:
    """Yield the packages that a module lies in, the innermost first."""
    while name := name.rpartition(".")[0]:
        yield name


def _is_folder(sources: Sources, name: str) -> bool:
    return name not in sources.modules or sources.modules[name].is_package


def _child(folder: str, name: str) -> str:
    """Return the module or folder of a folder that a module lies in; empty when it lies elsewhere."""
    return name.removeprefix(f"{folder}.").partition(".")[0] if name.startswith(f"{folder}.") else ""


def _is_in(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing of ours"
