"""Reads the data source name of ClickHouse: a folder for the embedded engine, or a server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from warehouse.errors import ConfigurationError

DEFAULT_DATABASE: Final = "micromoment"
_EXAMPLES: Final = "use chdb:///./var/clickhouse or clickhouse://user:password@host:8123/database"


class Dsn(msgspec.Struct, frozen=True):
    """A parsed data source name.

    Args:
        engine: `chdb` for the engine in this process, `clickhouse` for a server over HTTP.
        database: holds the tables; made when it is missing.
        path: the embedded engine's data folder.
        host, port, username, password, secure: the address of a server, and the account there.
    """

    engine: Literal["chdb", "clickhouse"]
    database: str
    path: str = ""
    host: str = ""
    port: int = 8123
    username: str = "default"
    password: str = ""
    secure: bool = False

    @property
    def embedded(self) -> bool:
        """Tell whether the engine runs in this process, which then is the only one that can open it."""
        return self.engine == "chdb"

    def __str__(self) -> str:
        """Return the data source without its password, fit for logs."""
        if self.embedded:
            return f"chdb://{self.path} (database {self.database})"
        return f"clickhouse://{self.host}:{self.port}/{self.database}"

    __repr__ = __str__


def parse_dsn(text: str) -> Dsn:
    """Return the parsed form of `chdb:///folder` or `clickhouse://user:password@host:port/database`.

    A path that starts with `/./` is relative to the working folder. `?database=` names the embedded engine's database.

    Raises:
        ConfigurationError: the text is neither.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        # The reason may quote the text in the place of the password, so it is not told.
        raise ConfigurationError(f"clickhouse: {_shown(text)} cannot be read", _EXAMPLES) from error
    if parts.scheme == "chdb":
        if parts.netloc:
            raise ConfigurationError(f"clickhouse: {_shown(text)} needs three slashes before its folder", _EXAMPLES)
        return _embedded(parts.path, parse_qs(parts.query).get("database", [DEFAULT_DATABASE])[0])
    if parts.scheme not in {"clickhouse", "clickhouses"} or not parts.hostname:
        raise ConfigurationError(f"clickhouse: {_shown(text)} names no ClickHouse", _EXAMPLES)
    secure = parts.scheme == "clickhouses"
    return Dsn(
        engine="clickhouse",
        database=parts.path.strip("/") or DEFAULT_DATABASE,
        host=parts.hostname,
        port=port or (8443 if secure else 8123),
        username=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        secure=secure,
    )


def _embedded(path: str, database: str) -> Dsn:
    folder = Path(path.removeprefix("/") if path.startswith("/./") else path)
    if not folder.name:
        raise ConfigurationError("clickhouse: chdb:// needs a data folder", _EXAMPLES)
    return Dsn(engine="chdb", database=database, path=str(folder.resolve()))


def _shown(text: str) -> str:
    """Return a data source name without the credentials that may be in it, however misspelt the rest is."""
    return repr(re.sub(r"//.*@", "//...@", text, flags=re.DOTALL))
