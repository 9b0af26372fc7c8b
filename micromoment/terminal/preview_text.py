"""A preview as text for a terminal, and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, select_autoescape

from micromoment.terminal.plain import plain
from trigger_worker.delivery.content.document import WebhookContent
from trigger_worker.reports.preview import Preview, Previewed


def preview_text(preview: Preview) -> str:
    """Return lines that end with a line break; no terminal obeys what they say."""
    variant = f", variant {preview.variant}" if preview.variant else ""
    head = plain(f"{preview.rule} for {preview.visitor_id}{variant}")
    lines = [head, *(line for message in preview.messages for line in ("", *_message(message)))]
    return "".join(f"{line}\n" for line in lines)


def preview_json(preview: Preview) -> str:
    """Return one JSON object."""
    messages = [{**_told(message), "content": fields_of(message)} for message in preview.messages]
    told = {"rule": preview.rule, "visitor_id": preview.visitor_id, "variant": preview.variant, "messages": messages}
    return msgspec.json.encode(told).decode() + "\n"


def preview_page(preview: Preview) -> str:
    """Return a page; emails stand in frames in which nothing runs."""
    environment = Environment(loader=PackageLoader("micromoment.terminal"), autoescape=select_autoescape())
    messages = [
        {"told": _told(message), "fields": fields_of(message), "lines": list(_fields(fields_of(message)))}
        for message in preview.messages
    ]
    return environment.get_template("preview.html").render(preview=preview, messages=messages)


def fields_of(message: Previewed) -> dict[str, Any]:
    """Return what a message says, as plain data."""
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
