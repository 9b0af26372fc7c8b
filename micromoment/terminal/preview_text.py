"""The preview of a rule's messages as text for a terminal, as JSON and as an HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, select_autoescape

from micromoment.terminal.text import json_line, plain
from trigger_worker.delivery.content.document import WebhookContent
from trigger_worker.reports.preview import Preview, Previewed


def preview_text(preview: Preview) -> str:
    """Return a preview as lines that each end with a line break.

    Characters that a terminal might obey are replaced.
    """
    variant = f", variant {preview.variant}" if preview.variant else ""
    head = plain(f"{preview.rule} for {preview.visitor_id}{variant}")
    lines = [head, *(line for message in preview.messages for line in ("", *_message(message)))]
    return "".join(f"{line}\n" for line in lines)


def preview_json(preview: Preview) -> str:
    """Return a preview as one line of JSON."""
    messages = [{**_told(message), "content": fields_of(message)} for message in preview.messages]
    told = {"rule": preview.rule, "visitor_id": preview.visitor_id, "variant": preview.variant, "messages": messages}
    return json_line(told)


def preview_page(preview: Preview) -> str:
    """Return a preview as an HTML page; emails stand in sandboxed frames, in which no script runs."""
    environment = Environment(loader=PackageLoader("micromoment.terminal"), autoescape=select_autoescape())
    messages = [
        {"told": _told(message), "fields": fields_of(message), "lines": list(_fields(fields_of(message)))}
        for message in preview.messages
    ]
    return environment.get_template("preview.html").render(preview=preview, messages=messages)


def fields_of(message: Previewed) -> dict[str, Any]:
    """Return the content of a rendered message as plain data, by the names of its fields."""
    if isinstance(message.content, WebhookContent):
        return {"body": msgspec.json.decode(message.content.body)}
    fields: dict[str, Any] = msgspec.to_builtins(message.content) if message.content else {}
    fields.pop("named_hosts", None)
    return fields


def _told(message: Previewed) -> dict[str, str]:
    return {"channel": message.channel, "template": message.template, "problem": message.problem}


def _message(message: Previewed) -> Iterator[str]:
    yield f"{message.channel} {message.template}"
    if message.problem:
        yield f"  failed: {plain(message.problem)}"
    yield from (f"  {line}".rstrip() for line in _fields(fields_of(message)))


def _fields(fields: dict[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if value == "":
            continue
        if name == "html":
            yield f"html: {len(value)} characters; --format html shows it"
        elif isinstance(value, str) and "\n" in value:
            yield f"{name}:"
            yield from (f"  {plain(line)}" for line in value.splitlines())
        else:
            yield f"{name}: {plain(value if isinstance(value, str) else msgspec.json.encode(value).decode())}"
