"""Loading of the settings: the command line wins over the environment, the environment over the file."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from micromoment.configuration.settings import Settings
from warehouse.errors import ConfigurationError

ENVIRONMENT_PREFIX: Final = "MICROMOMENT_"
#: Environment variables with our prefix that are no settings.
_OTHER_VARIABLES: Final = frozenset({"MICROMOMENT_CONFIG", "MICROMOMENT_TEST_CLICKHOUSE"})
#: Keys of earlier versions, and what takes their place.
_RENAMED: Final = {"spool_max_events": "set `journal_max_bytes` instead, in bytes (an event takes about 700)"}
KEYS: Final = Settings.__struct_fields__


def load_settings(
    file: Path | None,
    environment: Mapping[str, str],
    flags: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
) -> Settings:
    """Return the settings from all sources of configuration.

    Args:
        file: a TOML file that must exist, or None for no file.
        environment: the environment variables; names without the prefix `MICROMOMENT_` are ignored.
        flags: the options of the command line, by key; None for an option that was not given.
        defaults: the values of keys that no other source sets; the defaults of `Settings` when None.

    Raises:
        ConfigurationError: a key is unknown, or its value is of the wrong kind; the error names the key and source.
    """
    sources = [("default", dict(defaults or {})), _from_file(file), _from_environment(environment), _from_flags(flags)]
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for name, values in sources:
        for key, value in values.items():
            if key not in KEYS:
                raise _unknown(key, name)
            merged[key] = value
            origin[key] = name
    return _convert(merged, origin)


def _from_file(file: Path | None) -> tuple[str, dict[str, Any]]:
    if file is None:
        return "file", {}
    try:
        return str(file), tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: no valid TOML: {error}") from error


def _from_environment(environment: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    found: dict[str, Any] = {}
    for variable, value in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in _OTHER_VARIABLES:
            continue
        key = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        found[key] = _json(variable, value) if key == "sites" else value
    return "environment", found


def _json(variable: str, value: str) -> object:
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            f"{variable}: no valid JSON: {error}", 'write it as {"shop": {"write_key": "..."}}'
        ) from error


def _from_flags(flags: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return "command line", {key: value for key, value in flags.items() if value is not None}


def _convert(merged: dict[str, Any], origin: dict[str, str]) -> Settings:
    """Return merged values as settings; each key is converted alone first, so that an error names its source."""
    for key, value in merged.items():
        try:
            msgspec.convert({key: value}, Settings, strict=False)
        except msgspec.ValidationError as error:
            raise _ill_typed(key, origin[key], error) from error
    return msgspec.convert(merged, Settings, strict=False)


def _unknown(key: str, source: str) -> ConfigurationError:
    near = difflib.get_close_matches(key, KEYS, 1)
    hint = f"did you mean {near[0]}?" if near else "docs/configuration.md lists every key"
    hint = _RENAMED.get(key, hint)
    shown = f"{ENVIRONMENT_PREFIX}{key.upper()}" if source == "environment" else key
    return ConfigurationError(f"{source}: unknown key {shown}", hint)


def _ill_typed(key: str, source: str, error: msgspec.ValidationError) -> ConfigurationError:
    text, _, place = str(error).partition(" - at ")
    where = place.strip("`").removeprefix("$.") or key
    shown = f"{ENVIRONMENT_PREFIX}{key.upper()}" if source == "environment" else where.replace("[...]", ".NAME")
    return ConfigurationError(f"{source}: {shown}: {text}", "docs/configuration.md says what it takes")
