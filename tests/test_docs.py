"""The documentation knows everything that a user can set, call or meet."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from collector.intake.draft import DropReason
from micromoment.__main__ import COMMANDS
from micromoment.configuration.loading import load_settings
from micromoment.configuration.settings import Settings, SiteSettings
from trigger_worker.deciding.gate.policy_file import read_policy
from trigger_worker.delivery.attempts import GiveUpReason
from trigger_worker.delivery.content.banner import BANNER_KEYS, BannerTemplate
from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.files.source import has_errors
from trigger_worker.rules.language.check import AudienceNames
from trigger_worker.store.decisions import Reason
from warehouse.vocabulary import EVENT_NAMES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def examples(name: str, language: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("key", [key for key in Settings.__struct_fields__ if key != "sites"])
def test_every_setting_is_documented_with_its_variable_and_default(key: str) -> None:
    (row,) = [line for line in page("configuration.md").splitlines() if line.startswith(f"| `{key}` |")]
    default = next(field.default for field in msgspec.structs.fields(Settings) if field.name == key)
    assert f"`MICROMOMENT_{key.upper()}`" in row
    assert (f"| `{default}` |" if default != "" else "| empty |") in row


@pytest.mark.parametrize("key", SiteSettings.__struct_fields__)
def test_every_setting_of_a_site_is_documented(key: str) -> None:
    assert f"| `{key}` |" in page("configuration.md").partition("## Sites")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_section(command: str) -> None:
    assert f"\n## {command}\n" in page("commands.md")


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_of_the_gate_is_documented(reason: str) -> None:
    assert f"| `{reason}` |" in page("gate.md")


@pytest.mark.parametrize("reason", GiveUpReason)
def test_every_reason_to_give_a_message_up_is_documented(reason: str) -> None:
    assert f"| `{reason}` |" in page("messages.md").partition("## What failed")[2]


@pytest.mark.parametrize("reason", DropReason)
def test_every_reason_to_drop_an_event_is_documented(reason: str) -> None:
    assert f"| `{reason}` |" in page("http.md")


@pytest.mark.parametrize("event", sorted(EVENT_NAMES))
def test_every_event_name_is_documented(event: str) -> None:
    assert f"`{event}`" in page("events.md")


def test_the_configuration_that_is_shown_works(tmp_path: Path) -> None:
    (first, *_) = examples("docs/configuration.md", "toml")
    file = tmp_path / "micromoment.toml"
    file.write_text(first)
    assert load_settings(file, {}, {}).sites["shop"].origins == tuple(tomllib.loads(first)["sites"]["shop"]["origins"])


@pytest.mark.parametrize("text", [text for text in examples("README.md", "yaml") if "\nwhen:" in text])
def test_every_rule_that_the_readme_shows_is_valid(text: str) -> None:
    reading = read_rule(text, "rules/example.yaml", AudienceNames())
    assert reading.rule is not None
    assert not has_errors(reading.problems)


def test_the_policy_that_is_shown_is_valid() -> None:
    policies = [text for text in examples("docs/gate.md", "yaml") if "caps:" in text]
    assert [read_policy(policy).holdout for policy in policies] == [0.05, 0.0]


def test_each_form_of_quiet_hours_that_is_shown_is_valid() -> None:
    (forms,) = [text for text in examples("docs/gate.md", "yaml") if "then: drop" in text]
    assert all(read_policy(line).quiet for line in forms.splitlines())


@pytest.mark.parametrize("field", BANNER_KEYS)
def test_every_field_of_a_banner_is_documented(field: str) -> None:
    assert f"`{field}`" in page("banners.md")


@pytest.mark.parametrize("name", ["banners.md", "messages.md"])
def test_the_banners_that_are_shown_are_valid(name: str) -> None:
    (template,) = [text for text in examples(f"docs/{name}", "yaml") if "form:" in text]
    assert BannerTemplate(template, "shown.banner.yaml", TextEngine()).render({}).title


@pytest.mark.parametrize("file", [ROOT / "README.md", *DOCS.glob("*.md")], ids=lambda file: file.name)
def test_every_link_to_a_file_leads_somewhere(file: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text(encoding="utf-8"))
    assert [target for target in targets if not (file.parent / target).exists()] == []
