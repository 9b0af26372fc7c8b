from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.delivery.content.engine import LONGEST_TEXT, TextEngine
from warehouse.errors import TemplateError

ENGINE = TextEngine()


def rendered(source: str, names: dict[str, object] | None = None, *, markup: bool = False) -> str:
    return ENGINE.text(source, "t.txt", markup=markup).render(names or {})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # What is missing is nothing, at any depth; a fallback takes its place.
        ("[{{ visitor.first_name }}]", "[]"),
        ("[{{ nobody.knows.this[3].at_all }}]", "[]"),
        ("{{ visitor.first_name | default('there') }}", "there"),
        ("{{ nobody.name | default('there') }}", "there"),
        ("{{ nothing | default('there') }}", "there"),
        ("{{ blank | default('there') }}", "there"),
        ("{{ zero | default('there') }}", "0"),
        ("[{{ nothing }}]", "[]"),
        ("{% for item in nobody.items %}x{% endfor %}", ""),
        ("{% if visitor.vip %}yes{% else %}no{% endif %}", "no"),
        # Entries come before methods, and methods of mappings cannot be reached at all.
        ("{{ cart.items[0].name }}", "Lamp"),
        ("{{ cart['items'] | length }}", "1"),
        ("[{{ visitor.items }}{{ visitor.keys }}]", "[]"),
        ("{% for key, value in visitor | items %}{{ key }}={{ value }}{% endfor %}", "city=Bern"),
    ],
)
def test_renders_facts_and_their_absence(source: str, expected: str) -> None:
    names = {
        "visitor": {"city": "Bern"},
        "cart": {"items": [{"name": "Lamp"}]},
        "nothing": None,
        "blank": "  ",
        "zero": 0,
    }
    assert rendered(source, names) == expected


@given(st.text())
def test_no_fact_becomes_markup(fact: str) -> None:
    html = rendered("<p title='{{ fact }}'>{{ fact }}</p>", {"fact": fact}, markup=True)
    inside = html.removeprefix("<p title='").removesuffix("</p>")
    assert inside.count("<") == 0
    assert inside.count(">") == 1
    assert inside.count("'") == 1


@given(st.text())
def test_no_fact_is_a_template(fact: str) -> None:
    assert rendered("{{ fact }}", {"fact": fact}) == fact


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("{{ 1 / 0 }}", "t.txt:7: ZeroDivisionError"),
        ("\n\n{{ 'a' + 1 }}", "t.txt:9: TypeError"),
        ("{% for x in %}", "t.txt:7: Expected an expression"),
        ("\n{{ x | nosuch }}", "t.txt:8: No filter named 'nosuch'"),
        ("\n{% if x %}", "t.txt:8: Unexpected end of template"),
        ("{% include 'other.txt' %}", "t.txt:7: "),
        ("{% for i in range(10000000) %}{% endfor %}", "t.txt:7: OverflowError"),
        ("{{ ''.join.__globals__ }}{{ ''.__class__.__mro__[1] }}{{ fact.append(1) }}", "t.txt:7: "),
        ("{{ 'x' * huge }}", "t.txt:7: * with a number above"),
        ("{{ [1] * huge }}", "t.txt:7: * with a number above"),
        ("{{ huge ** huge }}", "t.txt:7: ** with a number above"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(source: str, place: str) -> None:
    with pytest.raises(TemplateError) as failure:
        ENGINE.text(source, "t.txt", line=7).render({"fact": [], "huge": 10**9})
    assert failure.value.message.startswith(place)
    assert failure.value.hint


@pytest.mark.parametrize("source", ["{{ ''.__class__ }}", "{{ fact.__init__.__globals__ }}", "{{ cycler.__init__ }}"])
def test_the_inside_of_python_is_out_of_reach(source: str) -> None:
    assert rendered(source, {"fact": "x"}) == ""


def test_numbers_may_still_be_multiplied() -> None:
    assert rendered("{{ 20000 * 3 }}") == "60000"


def test_output_has_an_end() -> None:
    source = "{% for i in range(90000) %}0123456789{% endfor %}"
    with pytest.raises(TemplateError, match=f"more than {LONGEST_TEXT} characters"):
        rendered(source)


@pytest.mark.parametrize(
    ("source", "value"), [("cart.value", 49.5), ("nobody.name", None), ("[1, cart.value]", [1, 49.5]), ("1 == 1", True)]
)
def test_an_expression_keeps_its_type(source: str, value: object) -> None:
    assert ENGINE.value(source, "t.json")({"cart": {"value": 49.5}}) == value


@pytest.mark.parametrize("source", ["1 / 0", "1 +"])
def test_an_impossible_expression_is_named_with_file_and_line(source: str) -> None:
    with pytest.raises(TemplateError, match=r"t\.json:3: "):
        ENGINE.value(source, "t.json", line=3)({})
