"""The documentation knows everything that a user can set, call or meet."""

from __future__ import annotations

import hashlib
import hmac
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from collector.intake.draft import DropReason, WarningReason
from collector.intake.remedies import DROP_REMEDIES, WARNING_REMEDIES
from micromoment.__main__ import COMMANDS
from micromoment.configuration.loading import load_settings
from micromoment.configuration.settings import Settings, ShopWebhookSettings, SiteSettings
from micromoment.engine.operator_query import read_names
from micromoment.sql_guard.check import check_statement
from trigger_worker.deciding.gate.policy_file import read_policy
from trigger_worker.delivery.attempts import GiveUpReason
from trigger_worker.delivery.content.banner import BANNER_KEYS, BannerTemplate
from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.files.source import has_errors
from trigger_worker.rules.language.check import AudienceNames
from trigger_worker.store.decisions import Reason
from warehouse.audit import Action
from warehouse.connection import Warehouse
from warehouse.personal_tables import PERSONAL_TABLES
from warehouse.vocabulary import EVENT_NAMES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def examples(name: str, language: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def rows(text: str, key: str) -> list[str]:
    """Return the rows of a page's tables that begin with a name."""
    return [line for line in text.splitlines() if line.startswith(f"| `{key}` |")]


def undocumented(names: Iterable[str], text: str, form: str) -> list[str]:
    """Return the names that a text does not say in a form, in which `{}` stands for the name."""
    return [name for name in names if form.format(name) not in text]


def test_every_setting_is_documented_with_its_variable_and_default() -> None:
    text = page("configuration.md").partition("## Sites")[0]
    shown = {
        field.name: (
            f"`MICROMOMENT_{field.name.upper()}`",
            f"| `{field.default}` |" if field.default != "" else "| empty |",
        )
        for field in msgspec.structs.fields(Settings)
        if field.name != "sites"
    }
    found = {key: rows(text, key) for key in shown}
    assert {key: said for key, said in found.items() if len(said) != 1} == {}
    assert {key: said for key, said in found.items() if not all(part in said[0] for part in shown[key])} == {}


def test_everything_that_has_a_name_is_documented_in_its_place() -> None:
    pages = {
        "settings of a site": (
            undocumented(SiteSettings.__struct_fields__, page("configuration.md").partition("## Sites")[2], "| `{}` |")
        ),
        "settings of a webhook": (
            undocumented(
                ShopWebhookSettings.__struct_fields__, page("configuration.md").partition("### Webhooks")[2], "| `{}` |"
            )
        ),
        "commands": undocumented(COMMANDS, page("commands.md"), "\n## {}\n"),
        "reasons of the gate": undocumented(Reason, page("gate.md"), "| `{}` |"),
        "reasons to give a message up": (
            undocumented(GiveUpReason, page("messages.md").partition("## What failed")[2], "| `{}` |")
        ),
        "names of events": undocumented(sorted(EVENT_NAMES), page("events.md"), "`{}`"),
        "fields of a banner": undocumented(BANNER_KEYS, page("banners.md"), "`{}`"),
    }
    assert {what: names for what, names in pages.items() if names} == {}


def faults(section: str) -> dict[str, str]:
    """Return the remedies of a section of the page on faults by their codes, in plain text."""
    (text,) = [part for part in page("faults.md").split("\n## ") if part.startswith(f"{section}\n")]
    cells = re.findall(r"^\| `(\w+)` \| .+ \| (.+) \|$", text, re.MULTILINE)
    assert len(cells) == len({code for code, _ in cells}), "a code has two rows"
    return {code: re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", remedy) for code, remedy in cells}


def test_every_drop_and_every_warning_has_a_cause_and_its_remedy_and_no_other_has() -> None:
    assert DROP_REMEDIES.keys() == set(DropReason)
    assert WARNING_REMEDIES.keys() == set(WarningReason)
    assert faults("Drops") == {str(code): remedy for code, remedy in DROP_REMEDIES.items()}
    assert faults("Warnings") == {str(code): remedy for code, remedy in WARNING_REMEDIES.items()}


def test_every_column_is_explained(embedded_warehouse: Warehouse) -> None:
    sections = {text.partition("\n")[0]: text for text in page("privacy.md").split("\n### ")[1:]}
    assert sections.keys() == PERSONAL_TABLES.keys() | {"tombstones", "audit", "address_facts"}
    unexplained = {
        table: undocumented(
            [name for name, *_ in embedded_warehouse.query(f"DESCRIBE TABLE {table}")], text, "| `{}` |"
        )
        for table, text in sections.items()
    }
    assert {table: names for table, names in unexplained.items() if names} == {}


def test_every_action_of_operators_that_is_noted_is_documented() -> None:
    assert undocumented(get_args(Action), page("privacy.md").partition("is noted")[2], "`{}`") == []


def test_the_configuration_that_is_shown_works(tmp_path: Path) -> None:
    (first, *_) = examples("docs/configuration.md", "toml")
    file = tmp_path / "micromoment.toml"
    file.write_text(first)
    assert load_settings(file, {}, {}).sites["shop"].origins == tuple(tomllib.loads(first)["sites"]["shop"]["origins"])


def test_every_statement_that_is_shown_may_be_run(embedded_warehouse: Warehouse) -> None:
    names = read_names(embedded_warehouse)
    pages = ["README.md", *(f"docs/{file.name}" for file in sorted(DOCS.glob("*.md")))]
    blocks = [statement for name in pages for text in examples(name, "sql") for statement in text.split(";\n")]
    texts = "".join((ROOT / name).read_text(encoding="utf-8") for name in pages)
    statements = [text for text in blocks if text.strip() and not text.startswith(("CREATE USER", "GRANT"))]
    statements += re.findall(r'micromoment sql "([^"]*)"', texts)
    assert len(statements) > 10
    for statement in statements:
        check_statement(statement, names)


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


@pytest.mark.parametrize("name", ["banners.md", "messages.md"])
def test_the_banners_that_are_shown_are_valid(name: str) -> None:
    (template,) = [text for text in examples(f"docs/{name}", "yaml") if "form:" in text]
    assert BannerTemplate(template, "shown.banner.yaml", TextEngine()).render({}).title


def test_every_link_to_a_file_leads_somewhere() -> None:
    broken = [
        f"{file.name}:{text.count(chr(10), 0, link.start()) + 1}: {link[1]}"
        for file in [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
        for text in [file.read_text(encoding="utf-8")]
        for link in re.finditer(r"\]\((?!https?:)([^)#]+)", text)
        if not (file.parent / link[1]).exists()
    ]
    assert broken == []


def test_every_test_that_the_page_on_security_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", page("security.md")))
    sources = [*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("e2e/test_*.py")]
    defined = {name for file in sources for name in re.findall(r"\bdef (test_\w+)", file.read_text(encoding="utf-8"))}
    assert sorted(named - defined) == []


#: How each language's interpreter is called with a program, and how it prints the signature of `user-17`.
_SIGNERS = {
    "python": ("python3", "-c", 'identity_secret, user_id = "s3", "user-17"\n{}\nprint(signature)'),
    "javascript": ("node", "-e", 'const [identitySecret, userId] = ["s3", "user-17"];\n{}\nconsole.log(signature)'),
    "php": ("php", "-r", '$identitySecret = "s3"; $userId = "user-17";\n{}\necho $signature, "\\n";'),
    "ruby": ("ruby", "-e", 'require "openssl"\nidentity_secret, user_id = "s3", "user-17"\n{}\nputs signature'),
}


@pytest.mark.parametrize("language", _SIGNERS)
def test_the_signatures_that_are_shown_are_those_that_count(language: str) -> None:
    (shown,) = examples("docs/identity.md", language)
    program, option, frame = _SIGNERS[language]
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"no {program} on this machine")
    run = subprocess.run([found, option, frame.format(shown)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == hmac.new(b"s3", b"user-17", hashlib.sha256).hexdigest()
