"""Where the SDKs of others lie, unmodified, as `make senders` installs them from their registries.

None of them is imported here: each runs in a process of its own, as it does in a shop.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_REMEDY: Final = "install the SDKs of others: make senders"
NODE_MODULES: Final = Path(__file__).parent / "node_modules"


def python_sdk(name: str) -> Path:
    """Return the folder of a Python SDK with all that it needs.

    Args:
        name: as in `requirements-NAME.txt` beside this file, such as `segment-2.4.0`.

    Raises:
        RuntimeError: it is not installed; the message has the remedy.
    """
    return _existing(_ROOT / ".cache" / "senders" / name)


def node_sdk(name: str, file: str = "package.json") -> Path:
    """Return a file of an npm package.

    Args:
        name: as in `package.json` beside this file, such as `@segment/analytics-next`.
        file: its path inside the package.

    Raises:
        RuntimeError: it is not installed; the message has the remedy.
    """
    return _existing(NODE_MODULES / name / file)


def _existing(path: Path) -> Path:
    if not path.exists():
        raise RuntimeError(f"{path} is missing; {_REMEDY}")
    return path
