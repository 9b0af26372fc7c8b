from __future__ import annotations

import json

from micromoment.terminal.preview_text import fields_of, preview_json, preview_page, preview_text
from trigger_worker.delivery.content.banner import BannerContent
from trigger_worker.delivery.content.document import WebhookContent
from trigger_worker.delivery.content.email import EmailContent
from trigger_worker.reports.preview import Preview, Previewed

EVIL = "\x1b[2J<script>"
BANNER = Previewed("banner", "hello", BannerContent(form="bar", title=f"Hi {EVIL}", position="top"))
EMAIL = Previewed("email", "reminder", EmailContent(subject="Hi", html="<p>Look</p>", text="Look:\n\nhere\x07"))
HOOK = Previewed("webhook", "hook", WebhookContent(b'{"name": "Tent"}'))
FAILED = Previewed("sms", "short", None, f"short.sms.txt:1: {EVIL}")


def preview(*messages: Previewed, variant: str = "") -> Preview:
    return Preview("lingers", "anna", variant, list(messages))


def test_the_visitor_and_the_arm_stand_above_the_messages() -> None:
    assert preview_text(preview()) == "lingers for anna\n"
    assert preview_text(preview(variant="coupon")) == "lingers for anna, variant coupon\n"


def test_fields_stand_below_their_message_and_empty_ones_are_left_out() -> None:
    assert preview_text(preview(EMAIL)).splitlines()[2:] == [
        "email reminder",
        "  subject: Hi",
        "  html: 11 characters; --format html shows it",
        "  text:",
        "    Look:",
        "",
        "    here�",
    ]


def test_no_terminal_obeys_a_message_or_its_failure() -> None:
    text = preview_text(preview(BANNER, FAILED))
    assert "\x1b" not in text
    assert "  title: Hi �[2J<script>" in text.splitlines()
    assert "  failed: short.sms.txt:1: �[2J<script>" in text.splitlines()


def test_the_body_of_a_webhook_is_shown_as_data() -> None:
    assert fields_of(HOOK) == {"body": {"name": "Tent"}}
    assert '  body: {"name":"Tent"}' in preview_text(preview(HOOK)).splitlines()


def test_a_message_that_failed_has_no_fields() -> None:
    assert fields_of(FAILED) == {}


def test_the_json_is_one_line_with_content_or_problem_of_each_message() -> None:
    line = preview_json(preview(EMAIL, FAILED, variant="coupon"))
    assert line.count("\n") == 1
    told = json.loads(line)
    assert (told["rule"], told["visitor_id"], told["variant"]) == ("lingers", "anna", "coupon")
    assert told["messages"][0]["content"]["subject"] == "Hi"
    assert (told["messages"][1]["content"], told["messages"][1]["problem"]) == ({}, FAILED.problem)


def test_the_page_runs_nothing_that_a_message_says() -> None:
    page = preview_page(preview(BANNER, EMAIL, FAILED))
    assert "<script>" not in page
    assert '<iframe sandbox title="reminder" srcdoc="&lt;p&gt;Look' in page
