"""Which site a command is about."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from warehouse.errors import ConfigurationError


def choose_site(configured: Collection[str], name: str | None) -> str:
    """Return the name of the site that is meant: the one that is named, or the only one; `default` without any.

    Args:
        configured: the names of the sites of the configuration.
        name: what `--site` says, None where it is not given.

    Raises:
        ConfigurationError: several could be meant, or none has the name.
    """
    if name is None and len(configured) > 1:
        raise ConfigurationError(f"--site: which of {', '.join(configured)}?", "give --site NAME")
    if name is not None and configured and name not in configured:
        near = get_close_matches(name, configured, 1)
        raise ConfigurationError(
            f"--site: there is no site {name!r}; there is {', '.join(configured)}",
            f"give --site {near[0] if near else next(iter(configured))}, or add [sites.{name}] to the configuration",
        )
    return name or next(iter(configured), "default")
