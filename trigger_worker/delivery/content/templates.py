"""The folder of template files: finds, compiles and renders them, and reads a file again when it changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec
from jinja2 import FileSystemLoader

from trigger_worker.delivery.content.banner import BannerTemplate
from trigger_worker.delivery.content.context import RenderContext
from trigger_worker.delivery.content.document import PushTemplate, WebhookTemplate
from trigger_worker.delivery.content.email import EmailTemplate
from trigger_worker.delivery.content.engine import TextEngine
from trigger_worker.delivery.content.model import Content, MessageTemplate
from trigger_worker.delivery.content.text_message import ChatTemplate, SmsTemplate, escape_chat
from warehouse.errors import TemplateError

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}", re.ASCII)

#: When a file was last written, in ns since 1970, and its size in bytes; None where there is no such file.
Stamp = tuple[int, int] | None


class TemplateKind(msgspec.Struct, frozen=True):
    """The template files of one channel.

    Args:
        ending: the ending of the file, after `NAME.`.
        template: compiles a file from its text, its path and the engine.
        escape: applied to each fact that goes into a plain text, where the channel's texts have a markup of their own.
        second_ending: the ending of a second file that may be there; `template` also takes its text, or None, and its
            path. '' for channels with one file.
    """

    ending: str
    template: Callable[..., MessageTemplate]
    escape: Callable[[str], str] = str
    second_ending: str = ""


#: The template files of every channel.
TEMPLATE_KINDS: Final[Mapping[str, TemplateKind]] = {
    "banner": TemplateKind("banner.yaml", BannerTemplate),
    "email": TemplateKind("email.html", EmailTemplate, second_ending="email.txt"),
    "sms": TemplateKind("sms.txt", SmsTemplate),
    "push": TemplateKind("push.yaml", PushTemplate),
    "webhook": TemplateKind("webhook.json", WebhookTemplate),
    "chat": TemplateKind("chat.txt", ChatTemplate, escape_chat),
}


class TemplateFolder:
    """Renders the templates of a folder, which may include and extend other files of it.

    Args:
        folder: the folder of the template files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        escapes = {kind.escape for kind in TEMPLATE_KINDS.values()}
        self._engines = {escape: TextEngine(FileSystemLoader(folder), escape) for escape in escapes}
        self._compiled: dict[tuple[str, str], tuple[tuple[Stamp, ...], MessageTemplate]] = {}

    def render(
        self, channel: str, name: str, context: RenderContext, further: Mapping[str, object] = MappingProxyType({})
    ) -> Content:
        """Render one message.

        Args:
            channel: the channel's name.
            name: the template's name, as a rule writes it.
            context: the facts of the message.
            further: further names for the template, such as `recommend`.

        Raises:
            TemplateError: there is no such template, or it cannot be rendered; the error names file and, where there
                is one, line.
            MissingFacts: the template asks `further` for facts that have to be read first.
        """
        return self._template(channel, name).render({**context.names(), **further})

    def check(self, channel: str, name: str) -> None:
        """Check that a template exists and compiles.

        Args:
            channel: the channel's name.
            name: the template's name, as a rule writes it.

        Raises:
            TemplateError: the template is missing or does not compile.
        """
        self._template(channel, name)

    def _template(self, channel: str, name: str) -> MessageTemplate:
        kind = TEMPLATE_KINDS.get(channel)
        if kind is None:
            raise TemplateError(f'no templates for the channel "{channel}"', f"use one of {', '.join(TEMPLATE_KINDS)}")
        if not _NAME.fullmatch(name):
            raise TemplateError(f'"{name}" is no name of a template', "use letters, digits, _ and - only")
        endings = filter(None, (kind.ending, kind.second_ending))
        stamps = tuple(_stamp(self._folder / f"{name}.{ending}") for ending in endings)
        known = self._compiled.get((channel, name))
        if known is not None and known[0] == stamps:
            return known[1]
        template = self._compile(kind, name)
        self._compiled[channel, name] = (stamps, template)
        return template

    def _compile(self, kind: TemplateKind, name: str) -> MessageTemplate:
        path, engine = self._folder / f"{name}.{kind.ending}", self._engines[kind.escape]
        if not kind.second_ending:
            return kind.template(_read(path), str(path), engine)
        second = self._folder / f"{name}.{kind.second_ending}"
        second_text = _read(second) if second.exists() else None
        return kind.template(_read(path), str(path), engine, second_text, str(second))


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
