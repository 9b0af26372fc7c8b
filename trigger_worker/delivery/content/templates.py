"""The folder of templates, read again when a file in it changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from jinja2 import FileSystemLoader

from trigger_worker.delivery.content.banner import BannerTemplate
from trigger_worker.delivery.content.context import RenderContext
from trigger_worker.delivery.content.email import EmailTemplate
from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.model import Content
from trigger_worker.delivery.content.text_message import ChatTemplate, SmsTemplate, escape_chat
from trigger_worker.delivery.content.webhook import PushTemplate, WebhookTemplate
from warehouse.errors import TemplateError

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}", re.ASCII)

#: When a file was last written, and its size; None where there is no such file.
Stamp = tuple[int, int] | None


class MessageTemplate(Protocol):
    """A message whose texts still wait for the facts."""

    def render(self, names: dict[str, object]) -> Content:
        """Fills in the facts."""


class TemplateFolder:
    """Finds, compiles and renders `NAME.banner.yaml`, `NAME.email.html` (and `.txt`), `NAME.sms.txt` and the like.

    Templates may include and extend other files of the folder.

    Args:
        folder: where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._engine = TextEngine(FileSystemLoader(folder))
        self._chat_engine = TextEngine(FileSystemLoader(folder), escape_chat)
        self._compiled: dict[tuple[str, str], tuple[tuple[Stamp, ...], MessageTemplate]] = {}
        self._compilers: dict[str, tuple[tuple[str, ...], Callable[[str], MessageTemplate]]] = {
            "banner": (("banner.yaml",), self._banner),
            "email": (("email.html", "email.txt"), self._email),
            "sms": (("sms.txt",), self._sms),
            "push": (("push.yaml",), self._push),
            "webhook": (("webhook.json",), self._webhook),
            "chat": (("chat.txt",), self._chat),
        }

    def render(
        self, channel: str, name: str, context: RenderContext, further: Mapping[str, object] = MappingProxyType({})
    ) -> Content:
        """Renders one message.

        Args:
            channel: as rules call it.
            name: the template, as a rule names it.
            context: the facts.
            further: what else templates may name, such as `recommend`.

        Raises:
            TemplateError: naming file and, wherever there is one, line.
            MissingFacts: something of `further` has to be read first.
        """
        return self._template(channel, name).render({**context.names(), **further})

    def check(self, channel: str, name: str) -> None:
        """Makes sure that a template is there and compiles.

        Raises:
            TemplateError: when it does not.
        """
        self._template(channel, name)

    def _template(self, channel: str, name: str) -> MessageTemplate:
        if channel not in self._compilers:
            raise TemplateError(f'no templates for the channel "{channel}"', f"use one of {', '.join(self._compilers)}")
        if not _NAME.fullmatch(name):
            raise TemplateError(f'"{name}" is no name of a template', "use letters, digits, _ and - only")
        endings, compile_template = self._compilers[channel]
        stamps = tuple(_stamp(self._folder / f"{name}.{ending}") for ending in endings)
        known = self._compiled.get((channel, name))
        if known is not None and known[0] == stamps:
            return known[1]
        template = compile_template(name)
        self._compiled[channel, name] = (stamps, template)
        return template

    def _banner(self, name: str) -> MessageTemplate:
        path = self._folder / f"{name}.banner.yaml"
        return BannerTemplate(_read(path), str(path), self._engine)

    def _email(self, name: str) -> MessageTemplate:
        html_path, text_path = self._folder / f"{name}.email.html", self._folder / f"{name}.email.txt"
        text = _read(text_path) if text_path.exists() else None
        return EmailTemplate(_read(html_path), str(html_path), self._engine, text, str(text_path))

    def _sms(self, name: str) -> MessageTemplate:
        path = self._folder / f"{name}.sms.txt"
        return SmsTemplate(_read(path), str(path), self._engine)

    def _push(self, name: str) -> MessageTemplate:
        path = self._folder / f"{name}.push.yaml"
        return PushTemplate(_read(path), str(path), self._engine)

    def _webhook(self, name: str) -> MessageTemplate:
        path = self._folder / f"{name}.webhook.json"
        return WebhookTemplate(_read(path), str(path), self._engine)

    def _chat(self, name: str) -> MessageTemplate:
        path = self._folder / f"{name}.chat.txt"
        return ChatTemplate(_read(path), str(path), self._chat_engine)


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise TemplateError(f"{path}: there is no such template", "create it, or correct the rule") from error
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{path}: cannot be read: {error}", "make it a readable text file in UTF-8") from error
