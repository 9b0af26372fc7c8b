"""The product's modules as text: what each imports, and where."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """An import: by whom, of which module, and where it says so."""

    importer: Module
    target: str
    line: int

    @property
    def place(self) -> str:
        """File and line, as editors open them."""
        return f"{self.importer.path}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place}: imports {self.target}"


@dataclass(frozen=True)
class Module:
    """A module of the product.

    Args:
        name: dotted; a package's is that of its `__init__.py`.
        path: relative to the repository.
        text: its source.
    """

    name: str
    path: str
    text: str
    tree: ast.Module = field(repr=False)

    @property
    def package(self) -> str:
        """The first part of its name."""
        return self.name.partition(".")[0]

    @property
    def folder(self) -> str:
        """The package that it lies in."""
        return self.name.rpartition(".")[0]

    @property
    def is_package(self) -> bool:
        """Whether it is the `__init__.py` of a folder."""
        return self.path.endswith("__init__.py")

    @property
    def code_lines(self) -> int:
        """How many lines are neither blank, nor comments, nor docstrings."""
        documented = {line for node in ast.walk(self.tree) for line in _docstring_lines(node)}
        lines = enumerate(self.text.splitlines(), 1)
        return sum(1 for number, line in lines if number not in documented and line.strip()[:1] not in ("", "#"))


class Sources:
    """Modules by name, and the imports between them.

    Args:
        texts: source by path, relative to the repository.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.modules: dict[str, Module] = {}
        for path, text in texts.items():
            name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            self.modules[name] = Module(name, path, text, ast.parse(text))
        self.imports: list[Import] = [found for module in self for found in self._imports(module)]

    def __iter__(self) -> Iterator[Module]:
        return iter(self.modules.values())

    def constant(self, module: Module, node: ast.expr) -> str | None:
        """Return the text that an expression stands for, looking up names where they come from."""
        if isinstance(node, ast.Constant):
            return str(node.value)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return self._named(self._imported(module, node.value.id), node.attr)
        return self._named(module.name, node.id) if isinstance(node, ast.Name) else None

    def _named(self, module_name: str, name: str) -> str | None:
        module = self.modules.get(module_name)
        if module is None:
            return None
        for node in module.tree.body:
            if name in _assigned(node) and isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                return self.constant(module, node.value)
        source, _, original = self._imported(module, name).rpartition(".")
        return self._named(source, original) if source else None

    @staticmethod
    def _imported(module: Module, name: str) -> str:
        """Return the dotted name of what is imported as a name; empty when nothing is."""
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return f"{node.module}.{alias.name}"
        return ""

    def _imports(self, module: Module) -> Iterator[Import]:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                yield from (Import(module, alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                targets = {name if name in self.modules else node.module for name in whole}
                yield from (Import(module, target, node.lineno) for target in sorted(targets))


def product(packages: Iterable[str]) -> Sources:
    """Read the modules of packages."""
    paths = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    return Sources(
        {
            path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
            for path in paths
            if "node_modules" not in path.parts
        }
    )


def _assigned(node: ast.stmt) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _docstring_lines(node: ast.AST) -> range:
    if isinstance(node, ast.Module | ast.ClassDef | Function) and ast.get_docstring(node) is not None:
        return range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    return range(0)
