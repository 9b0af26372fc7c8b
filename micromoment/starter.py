"""The files that `micromoment init` writes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from trigger_worker.rules.library.catalogue import AUDIENCES, POLICY, RULES, TEMPLATES, find_rule
from warehouse.errors import ConfigurationError

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
# Where relative links in emails start from.
url = {url}
"""


class Written(msgspec.Struct, frozen=True):
    """What became of the files, by their paths.

    Args:
        new: were not there.
        kept: were there and say something else than the library's.
    """

    new: tuple[Path, ...]
    kept: tuple[Path, ...]


def starter_files(rule_ids: Iterable[str], url: str, *, is_all: bool) -> dict[Path, str]:
    """Return the text of each file, by its path in the folder.

    Args:
        rule_ids: rules of the library that are live at once.
        url: the shop's address; empty when it is not known yet.
        is_all: whether all rules are live at once.

    Raises:
        RuleError: the library has no such rule; names the nearest one.
        ConfigurationError: the address is none of a web site.
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
    return {Path("micromoment.toml"): _configuration(url), **texts}


def install(folder: Path, files: Mapping[Path, str]) -> Written:
    """Write the files that are not there yet.

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
                place.write_text(text, encoding="utf-8")
                new.append(place)
            elif place.read_bytes() != text.encode():
                kept.append(place)
        except OSError as error:
            raise ConfigurationError(
                f"{place}: cannot be written: {error.strerror}", "make the folder writable, or name another"
            ) from error
    return Written(tuple(new), tuple(kept))


def _configuration(url: str) -> str:
    return _CONFIGURATION.format(
        write_key=json.dumps(secrets.token_urlsafe(24)), origin=json.dumps(_origin(url)), url=json.dumps(url)
    )


def _origin(url: str) -> str:
    """Return what a browser calls the shop's origin, `*` when its address is not known."""
    if not url:
        return "*"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigurationError(f"--url: {url} is no address of a shop", "write it as https://shop.example")
    return f"{parts.scheme}://{parts.netloc}"
