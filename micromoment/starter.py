"""The files of a new installation: configuration, rules, templates, audiences and policy."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from trigger_worker.rules.library.catalogue import AUDIENCES, POLICY, RULES, TEMPLATES, find_rule
from warehouse.errors import ConfigurationError
from warehouse.journal.folder import open_private

_CONFIGURATION: Final = """\
# Every setting is in docs/configuration.md. The environment (MICROMOMENT_COLLECTOR_PORT) wins over this file.

clickhouse = "chdb:///./var/clickhouse"      # or clickhouse://user:password@host:8123/database

# Where pages reach the collector, once it is not on this machine alone.
# public_url = "https://collector.example"

# For emails.
# smtp_host = "smtp.example"
# smtp_sender = "Our shop <shop@shop.example>"

[sites.shop]
# Goes into the snippet; it may write events and nothing else.
write_key = {write_key}
# Pages that may send.
origins = [{origin}]
# Where relative links in emails start from; with `origins`, the hosts that links and pictures in messages lead to.
url = {url}
# Pages say who is logged in by ids that the shop's server signs: `micromoment keys` shows the secret.
# identity = "required"
# Marketing goes to confirmed addresses only: docs/channels.md. Servers, imports and double opt-in confirm them.
# confirmed_addresses = "required"
# Most messages an hour, marketing and transactional apart; what is beyond waits, and an alarm tells.
# hourly_messages = 10000
"""


CONFIGURATION: Final = Path("micromoment.toml")


class Written(msgspec.Struct, frozen=True):
    """The paths of the files that `install` wrote and kept.

    Args:
        new: the files that did not exist and were written.
        kept: the files that existed with another content, and were left as they are.
    """

    new: tuple[Path, ...]
    kept: tuple[Path, ...]


def starter_files(rule_ids: Iterable[str], url: str, *, is_all: bool) -> dict[Path, str]:
    """Return the content of each file of a new installation, by its path below the folder.

    Args:
        rule_ids: the ids of the library's rules that are live from the start.
        url: the address of the shop; empty when it is not known yet.
        is_all: whether all rules of the library are live from the start.

    Raises:
        RuleError: the library has no rule of such an id; the error names the most similar id.
        ConfigurationError: the address is no address of a web site.
    """
    available = sorted(RULES.glob("*.yaml"))
    live = available if is_all else [find_rule(rule_id) for rule_id in rule_ids]
    sources = {
        **{Path("rules", "available", path.name): path for path in available},
        **{Path("rules", path.name): path for path in live},
        **{Path("templates", path.name): path for path in sorted(TEMPLATES.iterdir())},
        Path("audiences.yaml"): AUDIENCES,
        Path("policy.yaml"): POLICY,
    }
    texts = {path: source.read_text(encoding="utf-8") for path, source in sources.items()}
    return {CONFIGURATION: _configuration(url), **texts}


def install(folder: Path, files: Mapping[Path, str]) -> Written:
    """Write the files that do not exist yet.

    Args:
        folder: the folder of the installation, which is made if needed.
        files: the content of each file, by its path below the folder.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    new = []
    kept = []
    for path, text in files.items():
        place = folder / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                with open(place, "x", encoding="utf-8", opener=_opener(path)) as file:
                    file.write(text)
                new.append(place)
            elif place.read_bytes() != text.encode():
                kept.append(place)
        except OSError as error:
            raise ConfigurationError(
                f"{place}: cannot be written: {error.strerror}", "make the folder writable, or name another"
            ) from error
    return Written(tuple(new), tuple(kept))


def _opener(path: Path) -> Callable[[str, int], int] | None:
    """Return what opens a new file: the configuration, which gets passwords, belongs to its user alone."""
    return open_private if path == CONFIGURATION else None


def _configuration(url: str) -> str:
    return _CONFIGURATION.format(
        write_key=json.dumps(secrets.token_urlsafe(24)), origin=json.dumps(_origin(url)), url=json.dumps(url)
    )


def _origin(url: str) -> str:
    """Return the origin of the shop's address as browsers send it, or `*` for an empty address."""
    if not url:
        return "*"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigurationError(f"--url: {url} is no address of a shop", "write it as https://shop.example")
    return f"{parts.scheme}://{parts.netloc}"
