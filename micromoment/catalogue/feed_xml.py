"""Reads the items of an XML feed, RSS or Atom, one after another, without ever holding more than one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from xml.parsers import expat

from warehouse.errors import ConfigurationError

#: Most bytes of one item, of one field of it, and most fields: what is longer is no product of a shop.
MAX_ITEM_BYTES: Final = 1024 * 1024
_MAX_FIELD: Final = 4096
_MAX_FIELDS: Final = 400
_MAX_DEPTH: Final = 64
_ITEMS: Final = frozenset({"item", "entry"})
#: A field of an item: its name without its namespace, and its text.
Fields = Mapping[str, str]


class _Forbidden(Exception):
    """A feed that no shop writes."""


class XmlItems:
    """The items of a feed.

    Entities are not read, as a few of them can be worth gigabytes, or name files of this machine.

    Args:
        place: the feed, for errors.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._path: list[str] = []
        self._item: dict[str, str] | None = None
        self._item_depth = 0
        self._text: list[str] = []
        self._size = 0
        self._found: list[tuple[int, Fields]] = []
        self._ended_at = 0
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.EntityDeclHandler = self._refuse_entity
        parser.ExternalEntityRefHandler = self._refuse_external

    def items(self, blocks: Iterable[bytes]) -> Iterator[tuple[int, Fields]]:
        """Yield the fields of each item with the number of its last line.

        Of fields of one name the first counts; those of a group, such as `g:shipping`, are left out.

        Raises:
            ConfigurationError: it is no XML, or none that a shop writes; items before are yielded.
        """
        read = 0
        try:
            for block in blocks:
                self._parser.Parse(block)
                read += len(block)
                yield from self._take()
                if read - self._ended_at > MAX_ITEM_BYTES + len(block):
                    raise _Forbidden(f"something in it is longer than {MAX_ITEM_BYTES:,} bytes")
            self._parser.Parse(b"", True)  # noqa: FBT003 - expat takes it by place
            yield from self._take()
        except (expat.ExpatError, _Forbidden, ValueError) as error:
            yield from self._take()
            remedy = "export the feed again; nothing was taken out of the catalogue"
            line = self._parser.CurrentLineNumber
            raise ConfigurationError(f"{self._place}: line {line}: no XML that can be read: {error}", remedy) from error

    def _take(self) -> Iterator[tuple[int, Fields]]:
        found, self._found = self._found, []
        yield from found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        self._path.append(local)
        if len(self._path) > _MAX_DEPTH:
            raise _Forbidden("its elements lie too deep inside each other")
        self._text, self._size = [], 0
        if self._item is None and local in _ITEMS:
            self._item, self._item_depth = {}, len(self._path)
        elif self._item is not None and local == "link" and "href" in attributes:
            # Atom names the page of a product by an attribute.
            self._put(local, attributes["href"])
        self._ended_at = self._parser.CurrentByteIndex

    def _data(self, text: str) -> None:
        if self._item is not None and self._size < _MAX_FIELD:
            self._text.append(text[: _MAX_FIELD - self._size])
            self._size += len(text)

    def _end(self, name: str) -> None:
        depth = len(self._path)
        self._path.pop()
        if self._item is None:
            return
        if depth == self._item_depth:
            self._found.append((self._parser.CurrentLineNumber, self._item))
            self._item = None
        elif depth == self._item_depth + 1:
            self._put(name.rpartition(" ")[2], "".join(self._text).strip())
        self._text, self._size = [], 0
        self._ended_at = self._parser.CurrentByteIndex

    def _put(self, name: str, text: str) -> None:
        if self._item is not None and text and len(self._item) < _MAX_FIELDS:
            self._item.setdefault(name, text)

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise _Forbidden(f"it declares an entity, {name[:40]!r}, which feeds have no use for")

    def _refuse_external(self, *_: object) -> int:
        raise _Forbidden("it refers to another file")
