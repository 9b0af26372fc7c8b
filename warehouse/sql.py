"""SQL lives in files, one statement a file, named for what it answers."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def read_sql(package: str, name: str) -> str:
    """Return the statement in `sql/<name>.sql` of a package.

    Args:
        package: dotted name of the package that owns the statement.
        name: the file's name without its ending.

    Raises:
        FileNotFoundError: the package has no such statement.
    """
    return files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
