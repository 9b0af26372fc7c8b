"""The contract of message templates: a template takes facts and renders them to the content of one channel."""

from __future__ import annotations

from typing import ClassVar, Protocol

import msgspec


class Content(msgspec.Struct, frozen=True):
    """The rendered content of one message. Every channel sends one subclass, which stands beside its template.

    Attributes:
        opening: the field whose text a reader sees first, where a test message is marked; '' for content that only
            programs read.
    """

    opening: ClassVar[str] = ""


class MessageTemplate(Protocol):
    """A compiled template file."""

    def render(self, names: dict[str, object]) -> Content:
        """Render the template with the facts of one message.

        Args:
            names: the facts, by the names that the template may use.

        Raises:
            TemplateError: the template cannot be rendered with these facts.
            MissingFacts: the template asks for facts that have to be read first.
        """
