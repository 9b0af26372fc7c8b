"""The command `init`, which writes the configuration, rules and templates that a new installation starts from."""

from __future__ import annotations

from pathlib import Path

import click

from micromoment.configuration.loading import load_settings
from micromoment.configuration.settings import collector_url
from micromoment.starter import Written, install, starter_files
from warehouse.errors import ConfigurationError

_SNIPPET = """\
<script>window.micromoment=window.micromoment||function(){{(micromoment.q=micromoment.q||[]).push(arguments)}}</script>
<script async src="{collector}{script}" data-key="{key}"></script>"""


@click.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--rule", "rule_ids", multiple=True, metavar="ID", help="Makes a rule of the library live; repeatable.")
@click.option("--all", "is_all", is_flag=True, help="Makes every rule of the library live.")
@click.option("--url", default="", metavar="URL", help="The shop's address: who may send, and where mails link to.")
def init(folder: Path, rule_ids: tuple[str, ...], is_all: bool, url: str) -> None:
    """Write a configuration, the library's rules, templates and audiences, and a policy into FOLDER.

    The rules go into rules/available; those that --rule names, or --all, into rules as well, where they are live. A
    file that is there already is never overwritten.
    """
    written = install(folder, starter_files(rule_ids, url, is_all=is_all))
    _report(folder, written)
    click.echo(f"\nPaste this into every page of the shop:\n\n{_snippet(folder)}\n")
    click.echo(_next_steps(folder, has_rules=any((folder / "rules").glob("*.yaml"))))


def _report(folder: Path, written: Written) -> None:
    count = len(written.new)
    click.echo(f"{count} {'file' if count == 1 else 'files'} written into {folder}")
    for path in written.kept:
        click.echo(f"kept your {path}; for the original, move it away and run init again")


def _snippet(folder: Path) -> str:
    file = folder / "micromoment.toml"
    settings = load_settings(file, {}, {})
    if not settings.sites:
        raise ConfigurationError(f"{file}: there is no site in it", "add [sites.shop] with a write_key")
    key = next(iter(settings.sites.values())).write_key
    return _SNIPPET.format(collector=collector_url(settings), script=settings.script_path, key=key)


def _next_steps(folder: Path, *, has_rules: bool) -> str:
    steps = [] if folder.resolve() == Path.cwd() else [f"cd {folder}"]
    if not has_rules:
        steps.append("cp rules/available/cart_abandoned.yaml rules/     # or any other: docs/library.md lists them")
    steps += ["micromoment check     # again after each change", "micromoment up"]
    return "\n".join(["Then:", "", *(f"  {step}" for step in steps)])
