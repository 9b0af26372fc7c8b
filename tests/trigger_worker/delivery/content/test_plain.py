from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.delivery.content.plain import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo\n"),
        ("<h1>Title</h1>  <p>a\n   b<br>c</p>", "Title\n\na b\nc\n"),
        ("<head><title>no</title><style>p{}</style></head><body>yes</body>", "yes\n"),
        ("<script>no()</script>yes", "yes\n"),
        ('<a href="https://shop.example/cart">Your cart</a>', "Your cart (https://shop.example/cart)\n"),
        ("<a>nowhere</a></a>", "nowhere\n"),
        ("<table><tr><td>Lamp</td><td>2</td></tr><tr><td>Rug</td></tr></table>", "Lamp 2\n\nRug\n"),
        ("5 &lt; 6 &amp; &#x2713;", "5 < 6 & ✓\n"),
        ("", "\n"),
    ],
)
def test_reads_like_the_html(html: str, text: str) -> None:
    assert plain_text(html) == text


@given(st.text())
def test_reads_any_text(html: str) -> None:
    assert plain_text(html).endswith("\n")
