"""The parser of an email's HTML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.delivery.content.plain import plain_text

MARKUP = st.lists(
    st.sampled_from(["<", ">", "<!", "<![", "]>", "<!--", "-->", "<a ", "href=", '"', "'", "/", "<?", "&", "if", " x"])
).map("".join)


@given(MARKUP | st.text())
def test_no_markup_is_beyond_it(html: str) -> None:
    assert plain_text(html).endswith("\n")


@pytest.mark.parametrize("section", ["<![if !mso]>", "<![foo bar]>", "<![ ]>"])
def test_a_section_hides_nothing_that_follows(section: str) -> None:
    assert plain_text(f"<p>a</p>{section}<p>b</p>") == "a\n\nb\n"
