"""The element of a page that an event of posthog-js is about: a short path to it, and a little of its text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from collector.intake.draft import text

#: As `selectorOf` of our SDK, so that a rule means the same whichever of the two tells of a click.
_MAX_STEPS: Final = 4
_MAX_SELECTOR: Final = 200
_STABLE: Final = re.compile(r"[a-z][a-z_-]*\d{0,2}", re.IGNORECASE)
_LONGEST_TEXT: Final = 100
_LONGEST_NAME: Final = 64
_LONGEST_LINK: Final = 1024
#: Characters of a chain that are looked at: the elements around the one that was clicked, not the whole page.
_LONGEST_CHAIN: Final = 8_192
#: An element of a chain: its tag and classes, then its attributes in quotes, inside which a quote has a backslash. Each
#: of these reads a text once, whatever is in it.
_ELEMENT: Final = re.compile(r'(?:[^;"]|"(?:\\.|[^"\\])*(?:"|\\?\Z))+')
_BEFORE_ATTRIBUTES: Final = re.compile(r':(?=[\w-]+=")')
_ATTRIBUTE: Final = re.compile(r'(?<![\w-])([\w-]++)="((?:\\.|[^"\\])*)"')
_ATTRIBUTES: Final = {"text": "$el_text", "attr_id": "attr__id", "href": "attr__href"}

Element = Mapping[str, Any]


def describe_elements(props: Mapping[str, Any]) -> dict[str, str]:
    """Return the properties of an event about an element: `selector`, `text`, `href`, of a form `form_id`.

    Args:
        props: those of PostHog's event, with `$elements` or `$elements_chain`.
    """
    elements = list(islice(_elements(props), _MAX_STEPS))
    if not elements:
        said = {"text": text(props.get("$el_text"))[:_LONGEST_TEXT]}
        return {name: value for name, value in said.items() if value}
    element = elements[0]
    link = next((each for each in elements if text(each.get("attr__href"))), {})
    selector = _selector(elements)
    said = {
        "selector": selector,
        "text": (text(element.get("$el_text")) or text(props.get("$el_text")))[:_LONGEST_TEXT],
        "href": text(link.get("attr__href"))[:_LONGEST_LINK],
    }
    if element.get("tag_name") == "form":
        said["form_id"] = (text(element.get("attr__id")) or text(element.get("attr__name")) or selector)[:_LONGEST_NAME]
    elif props.get("$event_type") == "change":
        said["last_field"] = (text(element.get("attr__name")) or text(element.get("attr__id")))[:_LONGEST_NAME]
    return {name: value for name, value in said.items() if value}


def _elements(props: Mapping[str, Any]) -> Iterator[Element]:
    """Yield the element of an event, then those around it."""
    chain = props.get("$elements_chain")
    if isinstance(chain, str) and chain:
        yield from (_parsed(found[0].strip()) for found in _ELEMENT.finditer(chain[:_LONGEST_CHAIN]))
        return
    listed = props.get("$elements")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and text(each.get("tag_name")):
            yield each


def _parsed(element: str) -> Element:
    head, *attributes = _BEFORE_ATTRIBUTES.split(element, maxsplit=1)
    tag, *classes = head.split(".")
    found = {
        _ATTRIBUTES.get(name, name): value.replace('\\"', '"')
        for name, value in _ATTRIBUTE.findall("".join(attributes))
    }
    return {"tag_name": tag, "classes": classes, **found}


def _selector(elements: Sequence[Element]) -> str:
    steps: list[str] = []
    for element in elements:
        tag, own_id = text(element.get("tag_name")), text(element.get("attr__id"))
        if tag in {"body", "html"}:
            break
        if _STABLE.fullmatch(own_id):
            steps.insert(0, f"{tag}#{own_id}")
            break
        steps.insert(0, ".".join([tag, *_stable_classes(element)]))
    return ">".join(steps)[-_MAX_SELECTOR:]


def _stable_classes(element: Element) -> list[str]:
    said = element.get("classes") or element.get("attr__class")
    classes = said.split() if isinstance(said, str) else said if isinstance(said, list) else []
    return [each for each in classes if isinstance(each, str) and _STABLE.fullmatch(each)][:2]
