from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from demo_store.script_data import to_script_json


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<!--", "]]>", "&lt;", "\u2028\u2029", "'\"\\"])
def test_nothing_in_it_can_end_a_script(text: str) -> None:
    written = to_script_json({"value": text})
    assert not set(written) & set("<>&\u2028\u2029")
    assert json.loads(written) == {"value": text}


@given(some.recursive(some.none() | some.integers() | some.text(), lambda inner: some.lists(inner, max_size=3)))
def test_what_is_written_is_read_back(data: object) -> None:
    assert json.loads(to_script_json(data)) == data
