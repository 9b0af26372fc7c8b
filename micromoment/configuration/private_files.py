"""Keeps what an installation stores to the user that runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import structlog

from micromoment.configuration.settings import Settings
from warehouse.dsn import parse_dsn

#: What lies in the data folder, which may be a folder that other things lie in, too.
_OURS: Final = (
    "journal*",
    "run",
    "demo",
    "secret",
    "push.key",
    "worker.lock",
    "spool.sqlite*",
    "clickhouse",
    "private",
)
_OTHERS: Final = 0o077
_log = structlog.get_logger("micromoment.configuration")


def close_to_others(settings: Settings) -> None:
    """Take the rights of other users from files and folders of ours, as earlier versions left them.

    A folder that nobody else may enter closes all that is in it. The data folder itself is made so when it is made.

    Args:
        settings: the settings, which name the folders.
    """
    folder, dsn = Path(settings.data_folder), parse_dsn(settings.clickhouse)
    found = [path for name in _OURS for path in folder.glob(name)]
    if dsn.embedded:
        found.append(Path(dsn.path))
    for path in found:
        try:
            mode = path.stat().st_mode & 0o777
            if mode & _OTHERS:
                path.chmod(mode & ~_OTHERS)
        except FileNotFoundError:
            continue
        except OSError as error:
            _log.warning(
                "file_open_to_others",
                path=str(path),
                error=error.strerror,
                remedy=f"chmod -R go-rwx {path} as its owner",
            )
