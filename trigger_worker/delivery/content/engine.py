"""Compiles and renders the text of templates: sandboxed, bounded, and with errors that name file and line.

A missing fact renders as nothing, at any depth (`visitor.traits.size.eu`); `default(x)` renders x instead. In a mapping
only its entries can be reached, so `cart.items` is never a method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Final

import msgspec
from jinja2 import BaseLoader, ChainableUndefined, Template, TemplateSyntaxError
from jinja2.exceptions import SecurityError
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.meta import find_referenced_templates
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from trigger_worker.delivery.content.filters import FILTERS
from warehouse.errors import MicromomentError, TemplateError

#: Above this, multiplying is refused: a visitor's number must not size a text or a list.
_LARGEST_FACTOR: Final = 10_000

#: Most characters of a rendered text.
LONGEST_TEXT: Final = 500_000


class FactRequest(msgspec.Struct, frozen=True):
    """The request of a template for further facts; each kind of facts has its own subclass."""


class MissingFacts(Exception):
    """Raised while a template is rendered: it asks for facts that have to be read first.

    Args:
        request: the facts to read.
    """

    def __init__(self, request: FactRequest) -> None:
        super().__init__(request)
        self.request = request


class TextTemplate:
    """One compiled text of a template file.

    Args:
        template: the compiled Jinja template.
        path: the file's path, for error messages.
    """

    def __init__(self, template: Template, path: str) -> None:
        self._template = template
        self._path = path

    def render(self, names: Mapping[str, object]) -> str:
        """Render the text with the facts of one message.

        Raises:
            TemplateError: the template fails with these facts, or its text grows too long; the error names file and
                line.
            MissingFacts: the template asks for facts that have to be read first.
        """
        pieces: list[str] = []
        length = 0
        try:
            for piece in self._template.generate(names):
                length += len(piece)
                if length > LONGEST_TEXT:
                    raise TemplateError(
                        f"{self._path}: renders to more than {LONGEST_TEXT} characters", "bound its loops"
                    )
                pieces.append(piece)
        except (TemplateError, MissingFacts):
            raise
        except Exception as error:  # a call in a template may raise anything, and must stop this message only
            raise _located(error, self._path) from error
        return "".join(pieces)


class TextEngine:
    """Compiles texts and expressions.

    Args:
        loader: finds the files that templates include or extend; None to allow neither.
        escape: applied to each fact that goes into a plain text, where the channel's texts have a markup of their own.
    """

    def __init__(self, loader: BaseLoader | None = None, escape: Callable[[str], str] = str) -> None:
        self._markup = _Environment(loader=loader, autoescape=True, escape=str)
        self._plain = _Environment(loader=loader, autoescape=False, escape=escape)

    def text(self, source: str, path: str, *, line: int = 1, markup: bool = False) -> TextTemplate:
        """Compile a text.

        Args:
            source: the text.
            path: the file's path, for error messages.
            line: the line of the file that the text starts on.
            markup: whether facts are escaped for HTML.

        Raises:
            TemplateError: the text is no template; the error names file and line.
        """
        environment = self._markup if markup else self._plain
        try:
            code = environment.compile(_from_line(source, line), name=path, filename=path)
        except TemplateSyntaxError as error:
            raise TemplateError(f"{path}:{error.lineno}: {error.message}", "correct the template there") from error
        template = Template.from_code(environment, code, environment.make_globals(None))
        return TextTemplate(template, path)

    def sources(self, source: str) -> Iterator[str]:
        """Yield a text and the texts of all files that it includes or extends.

        Args:
            source: a text that compiles.
        """
        loader = self._markup.loader
        waiting, seen = [source], set[str]()
        while waiting:
            text = waiting.pop()
            yield text
            # A missing or broken file is reported when a message is rendered.
            with suppress(JinjaError):
                names = {name for name in find_referenced_templates(self._markup.parse(text)) if name} - seen
                seen |= names
                waiting += [loader.get_source(self._markup, name)[0] for name in sorted(names) if loader]

    def value(self, source: str, path: str, *, line: int = 1) -> Callable[[Mapping[str, object]], object]:
        """Compile one expression, whose value keeps its type: a number stays a number, a missing fact becomes None.

        Args:
            source: the expression, without braces.
            path: the file's path, for error messages.
            line: the line of the file that the expression stands on.

        Raises:
            TemplateError: the text is no expression; the error names file and line.
        """
        try:
            expression = self._plain.compile_expression(source, undefined_to_none=True)
        except TemplateSyntaxError as error:
            raise TemplateError(f"{path}:{line}: {error.message}", "correct the template there") from error

        def evaluate(names: Mapping[str, object]) -> object:
            try:
                return expression(names)
            except MissingFacts:
                raise
            except Exception as error:
                raise TemplateError(f"{path}:{line}: {error}", "correct the template there") from error

        return evaluate


class _Environment(ImmutableSandboxedEnvironment):
    """A Jinja sandbox in which templates reach the entries of mappings but not their methods."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, *, loader: BaseLoader | None, autoescape: bool, escape: Callable[[str], str]) -> None:
        super().__init__(
            loader=loader,
            autoescape=autoescape,
            undefined=ChainableUndefined,
            finalize=_nothing_for_none if escape is str else lambda value: escape(str(_nothing_for_none(value))),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self.filters.update(FILTERS)

    def getattr(self, obj: object, attribute: str) -> object:
        if isinstance(obj, Mapping):
            return self._entry(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        if isinstance(obj, Mapping):
            return self._entry(obj, argument)
        return super().getitem(obj, argument)

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        if operator == "**" or not isinstance(left, int | float) or not isinstance(right, int | float):
            for factor in (left, right):
                if isinstance(factor, int) and factor > _LARGEST_FACTOR:
                    raise SecurityError(f"{operator} with a number above {_LARGEST_FACTOR}")
        return super().call_binop(context, operator, left, right)

    def _entry(self, mapping: Mapping[object, object], key: object) -> object:
        try:
            return mapping[key]
        except (KeyError, TypeError):
            return self.undefined(obj=mapping, name=str(key))


def _nothing_for_none(value: object) -> object:
    return "" if value is None else value


def _from_line(source: str, line: int) -> str:
    """Prefix a text with a comment of as many lines as stand before it, so that Jinja counts lines as the file does."""
    return "{#" + "\n" * (line - 1) + "#}" + source if line > 1 else source


def _located(error: Exception, path: str) -> TemplateError:
    """Return the error as a TemplateError that names the innermost template line in its traceback."""
    if isinstance(error, TemplateSyntaxError):
        return TemplateError(f"{error.filename or path}:{error.lineno}: {error.message}", "correct the template there")
    place = path
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        if "__jinja_exception__" in traceback.tb_frame.f_globals:
            place = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    if isinstance(error, MicromomentError):
        return TemplateError(f"{place}: {error.message}", error.hint)
    message = error.message if isinstance(error, JinjaError) else f"{type(error).__name__}: {error}"
    return TemplateError(f"{place}: {message}", "correct the template there")
