"""Every channel of the table, walked through every place that must know it: a failure names place and channels."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import click
import pytest

from collector.feedback import preferences
from micromoment.commands.send_test import send_test
from micromoment.configuration.settings import Settings
from micromoment.roles import worker
from micromoment.roles.channels import email_channel, fixed_recipients, open_http_channels
from micromoment.terminal.preview_text import preview_json, preview_page, preview_text
from tests.trigger_worker.deciding.recipient.permissions import build_permission
from tests.trigger_worker.stored import NOON, person, queued
from trigger_worker.deciding.gate.facts import MessageFacts
from trigger_worker.deciding.gate.judge import judge
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.deciding.gate.policy_file import read_policy
from trigger_worker.deciding.recipient.profile import VisitorContext, build_profile
from trigger_worker.delivery.attempts import may_repeat
from trigger_worker.delivery.content.context import RenderContext, RuleContext, SiteContext
from trigger_worker.delivery.content.model import Content
from trigger_worker.delivery.content.templates import TEMPLATE_KINDS, TemplateFolder
from trigger_worker.reports.preview import MARK, Preview, Previewed, mark_as_test
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.language.check import AudienceNames
from trigger_worker.store.decisions import Reason
from trigger_worker.store.sent import SentMessage
from warehouse.channel_traits import CHANNEL_TRAITS, PREFERENCE_CHANNELS, reader_names
from warehouse.message_identity import MessageIdentity

DOCS: Final = Path(__file__).parents[2] / "docs"
#: The shortest template of each channel; a new channel adds its own.
TEMPLATES: Final = {
    "banner": "form: bar\ntitle: Hello {{ visitor.id }}\n",
    "email": "---\nsubject: Hello {{ visitor.id }}\n---\n<p>Hello</p>\n",
    "sms": "Hello {{ visitor.id }}",
    "push": "title: Hello {{ visitor.id }}\n",
    "webhook": '{"hello": "{{ visitor.id }}"}',
    "chat": "Hello {{ visitor.id }}",
}
#: Settings that switch every channel on; a new channel adds its own.
EVERYTHING_ON: Final[dict[str, Any]] = {
    "smtp_host": "127.0.0.1",
    "webhook_url": "https://hook.example",
    "webhook_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "sms_account": "AC1",
    "sms_token": "secret",
    "sms_sender": "Shop",
    "chat_url": "https://chat.example/T0",
}
KNOWN_TO_ALL: Final = History(
    (
        Event("identify", NOON, "1", {"traits": {"email": "anna@example.com", "phone": "+49 151 12345678"}}),
        Event(
            "push_subscribed", NOON, "2", {"endpoint": "https://p.example", "p256dh": "B" + "A" * 86, "auth": "A" * 22}
        ),
    )
)


def offenders(place: str, problems: dict[str, object]) -> None:
    """Fail with the place and each channel whose value is a problem: anything that is not empty."""
    found = {channel: problem for channel, problem in problems.items() if problem}
    assert not found, f"{place} does not know these channels: {found}"


def rendered(folder: Path) -> dict[str, Content]:
    """The content of each channel's shortest template."""
    offenders("trigger_worker/delivery/content/templates.py", missing(TEMPLATE_KINDS))
    offenders("TEMPLATES of this test", missing(TEMPLATES))
    context = RenderContext(visitor=VisitorContext(id="anna"), site=SiteContext(name="shop"), rule=RuleContext("r"))
    templates = TemplateFolder(folder)
    contents: dict[str, Content] = {}
    for channel in CHANNEL_TRAITS:
        (folder / f"hello.{TEMPLATE_KINDS[channel].ending}").write_text(TEMPLATES[channel])
        contents[channel] = templates.render(channel, "hello", context)
    return contents


def facts(channel: str, **other: Any) -> MessageFacts:
    message = MessageIdentity("shop", "m", "r", "anna", channel)
    return MessageFacts(**message.identifiers(), expires_at_ms=NOON + 1, **other)


def missing(known: Iterable[str]) -> dict[str, object]:
    return {channel: channel not in set(known) for channel in CHANNEL_TRAITS}


def test_rules_send_by_every_channel_and_ask_about_its_messages() -> None:
    text = (
        "id: r\nwhen: purchase\nquiet: {{{channel}: 22:00-08:00}}\n"
        "send:\n  - {channel}: hello\n    unless: opened({channel})\n"
    )
    readings = {
        channel: read_rule(text.format(channel=channel), "r.yaml", AudienceNames()) for channel in CHANNEL_TRAITS
    }
    offenders("trigger_worker/rules", {channel: reading.problems for channel, reading in readings.items()})
    assert all(reading.rule and reading.rule.send[0].channel == channel for channel, reading in readings.items())


def test_the_policy_restrains_every_channel() -> None:
    for channel in CHANNEL_TRAITS:
        policy = read_policy(
            f"consent_required: [{channel}]\nquiet: {{{channel}: 22:00-08:00}}\n"
            f"caps: [{{channel: {channel}, max: 1, per: 1d}}]\ngap: {{{channel}: 1m}}\n"
        )
        known = {*policy.consent_required} & {*policy.quiet} & {policy.caps[0].obeys.channel} & {*policy.gap_ms}
        offenders("trigger_worker/deciding/gate/policy_file.py", {channel: known != {channel}})


def test_hours_without_a_channel_hold_where_no_page_shows_the_message() -> None:
    quiet = read_policy("quiet: 22:00-08:00").quiet
    assert {*quiet} == {name for name, traits in CHANNEL_TRAITS.items() if not traits.shows_on_page}


def test_every_channel_has_a_template_that_renders(tmp_path: Path) -> None:
    assert [*rendered(tmp_path)] == [*CHANNEL_TRAITS]
    strange = {name: not kind.ending.startswith(f"{name}.") for name, kind in TEMPLATE_KINDS.items()}
    offenders("the file's ending in trigger_worker/delivery/content/templates.py", {**strange})


def test_every_channel_can_be_previewed(tmp_path: Path) -> None:
    for channel, content in rendered(tmp_path).items():
        preview = Preview("r", "anna", "", [Previewed(channel, "hello", content)])
        shown = {"text": preview_text(preview), "page": preview_page(preview), "JSON": preview_json(preview)}
        problems = [form for form, text in shown.items() if "anna" not in text.replace("r for anna", "")]
        offenders("micromoment/terminal/preview_text.py", {channel: problems})
        assert json.loads(shown["JSON"])["messages"][0]["content"]


def test_a_test_message_says_so_first_and_goes_wherever_an_address_can_be_typed(tmp_path: Path) -> None:
    marked = {name: mark_as_test(each, name, "shop", "to", NOON).content for name, each in rendered(tmp_path).items()}
    unmarked = {
        name: bool(content.opening) and not getattr(content, content.opening).startswith(MARK)
        for name, content in marked.items()
    }
    offenders("trigger_worker/reports/preview.py", {**unmarked})
    (choice,) = (each.type for each in send_test.params if each.name == "channel")
    assert isinstance(choice, click.Choice)
    assert {*choice.choices} == {name for name, traits in CHANNEL_TRAITS.items() if not traits.goes_to_browsers}


def test_recipients_are_found_or_refused_with_a_reason() -> None:
    known, unknown = build_profile("anna", KNOWN_TO_ALL, NOON), build_profile("anna", History(()), NOON)
    fixed = fixed_recipients(Settings(**EVERYTHING_ON))
    unfound = {channel: not fixed.of(channel, person("anna"), known) for channel in CHANNEL_TRAITS}
    offenders("trigger_worker/deciding/recipient/recipients.py or micromoment/roles/channels.py", {**unfound})
    nowhere = fixed_recipients(Settings())
    offenders(
        "the gate",
        {channel: _unexplained(channel, nowhere.of(channel, person("anna"), unknown)) for channel in CHANNEL_TRAITS},
    )


def _unexplained(channel: str, recipients: tuple[str, ...]) -> bool:
    verdict = judge(facts(channel, recipients=recipients), Policy(), NOON)
    return verdict.reason is not (Reason.PASSED if recipients else Reason.NO_ADDRESS)


def test_a_person_may_refuse_every_channel() -> None:
    refusals = Event("consent", NOON, "1", {"channels": dict.fromkeys(CHANNEL_TRAITS, False)})
    consent = build_permission([refusals]).consent
    passed = {name: judge(facts(name, recipients=("a",), consent=consent), Policy(), NOON) for name in CHANNEL_TRAITS}
    offenders("the gate's consent", {name: verdict.reason is not Reason.NO_CONSENT for name, verdict in passed.items()})


def test_the_preference_page_names_every_channel_that_reaches_persons() -> None:
    reaching = {name for name, traits in CHANNEL_TRAITS.items() if traits.reaches_persons}
    assert reaching == {*PREFERENCE_CHANNELS} == {*preferences.CHANNELS}
    for language, words in preferences.LANGUAGES.items():
        assert {*words.channel_names} == {*reader_names(language)} == reaching
        assert all(words.channel_names.values())
    assert {language for traits in CHANNEL_TRAITS.values() for language in traits.reader_names} == {
        *preferences.LANGUAGES
    }


async def test_roles_wire_every_channel(tmp_path: Path) -> None:
    nobody: Any = None
    async with AsyncExitStack() as stack:
        settings = Settings(data_folder=str(tmp_path), **EVERYTHING_ON)
        opened = [each.name for each in await open_http_channels(settings, nobody, stack, lambda: NOON)]
        # The worker's role opens the other two itself: one needs the bus, the other links.
        opened += [email_channel(settings, lambda: NOON).name, vars(worker)["BannerChannel"].name]
    offenders("micromoment/roles", missing(opened))


def test_the_documentation_lists_every_channel_with_its_template() -> None:
    channels, messages = (DOCS / name for name in ("channels.md", "messages.md"))
    offenders("docs/messages.md", {name: f"| `{name}` |" not in messages.read_text() for name in CHANNEL_TRAITS})
    texts = channels.read_text() + messages.read_text() + (DOCS / "banners.md").read_text()
    endings = {name: f"`NAME.{kind.ending}`" not in texts for name, kind in TEMPLATE_KINDS.items()}
    offenders("docs/channels.md or docs/messages.md", {**endings})


@pytest.mark.parametrize("message_class", ["marketing", "transactional"])
def test_only_a_peer_that_knows_repeats_gets_marketing_again(message_class: Any) -> None:
    for name, traits in CHANNEL_TRAITS.items():
        message = queued(channel=name, message_class=message_class)
        assert may_repeat(message) is (traits.knows_repeats or message_class == "transactional"), name


def test_a_message_is_met_when_it_was_shown_or_reached_a_person_without_a_page() -> None:
    met = {name: SentMessage(channel=name, rule="r", at_ms=NOON).met for name in CHANNEL_TRAITS}
    assert met == {name: traits.reaches_persons and not traits.shows_on_page for name, traits in CHANNEL_TRAITS.items()}


def test_todays_channels_have_the_traits_that_they_always_had() -> None:
    todays = ["banner", "email", "sms", "push", "webhook", "chat"]

    def having(trait: str) -> set[str]:
        return {name for name in todays if getattr(CHANNEL_TRAITS[name], trait)}

    assert [*CHANNEL_TRAITS][:6] == todays
    assert [name for name in PREFERENCE_CHANNELS if name in todays] == ["email", "sms", "push", "banner"]
    assert having("met_when_sent") == {"email", "sms", "push"}
    assert having("knows_repeats") == {"webhook", "push"}
    assert having("reports_delivery") == {"banner", "email", "sms", "push"}
    assert having("goes_to_browsers") == {"banner", "push"}
    assert having("shows_on_page") == {"banner"}
