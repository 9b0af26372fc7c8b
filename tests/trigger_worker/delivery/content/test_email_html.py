"""Changing the links of HTML, and nothing else."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.delivery.content.email_html import HtmlPlaces, plain_text, rewrite_addresses


def marked(address: str) -> str:
    return f"https://c.example/?to={address}&n=1"


def same(address: str) -> str:
    return address


def test_the_address_of_a_link_is_replaced_and_its_other_attributes_stay() -> None:
    html = "<a class='x &amp; y' href=https://shop.example/?a=1&amp;b=2 download>go</a>"
    written = HtmlPlaces(html).rewritten(marked)
    assert written == (
        '<a class="x &amp; y" href="https://c.example/?to=https://shop.example/?a=1&amp;b=2&amp;n=1" download>go</a>'
    )


@pytest.mark.parametrize(
    "html",
    [
        '<img src="https://shop.example/a.png">',
        '<link rel="stylesheet" href="https://shop.example/a.css">',
        '<!-- <a href="https://shop.example"> -->',
        '<style>a[href="https://shop.example"] > b { color: red }</style>',
        '<script>"<a href=https://shop.example>"</script>',
        "<a>no address</a><a href>none</a><a href=''>empty</a>",
        "&lt;a href=https://shop.example&gt;",
    ],
)
def test_what_is_no_link_is_left(html: str) -> None:
    assert HtmlPlaces(html).rewritten(lambda _: "https://c.example") == html


@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "\n", "ü", "<a href='x'>", '<A HREF="y">', "</a>", "<br/>", "&amp;", "<![foo]>", "<", "'"]
        )
    ).map("".join)
    | st.text()
)
def test_nothing_changes_where_no_link_does(html: str) -> None:
    assert HtmlPlaces(html).rewritten(same) == html


@given(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.sampled_from(["\n", "\r", "<b>", "é"])))
def test_every_link_is_found_whatever_stands_before_it(address: str, before: list[str]) -> None:
    found: list[str] = []

    def note(target: str) -> str:
        found.append(target)
        return "new"

    written = HtmlPlaces(f'{"".join(before)}<a href="{escape(address)}">x</a>').rewritten(note)
    assert written == "".join(before) + ('<a href="new">x</a>' if address else '<a href="">x</a>')
    assert found == [address] * bool(address)


@pytest.mark.parametrize(
    ("html", "written"),
    [
        ("<body><p>x</p></body></html>", "<body><p>x</p>END</body></html>"),
        ("<BODY>x</BODY >", "<BODY>xEND</BODY >"),
        ("x", "xEND"),
        ("x</body><a href='https://shop.example'>y</a>", "xEND</body><a href='https://shop.example'>y</a>"),
        ("", "END"),
    ],
)
def test_more_is_put_at_the_end_of_the_body(html: str, written: str) -> None:
    assert HtmlPlaces(html).rewritten(same, "END") == written


@pytest.mark.parametrize(
    ("html", "language"), [('<html lang="pt-BR">', "pt-BR"), ("<html>", ""), ("<p lang=de>", ""), ("<html lang>", "")]
)
def test_the_language_is_what_the_document_says(html: str, language: str) -> None:
    assert HtmlPlaces(html).language == language


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("Cart: https://shop.example/cart", ["https://shop.example/cart"]),
        ("See https://shop.example/cart.", ["https://shop.example/cart"]),
        ("Our shop (https://shop.example/a_(b)), open", ["https://shop.example/a_(b)"]),
        ("<https://shop.example/a?b=1&c=2#d>, HTTP://SHOP.example!", ["https://shop.example/a?b=1&c=2#d", "HTTP://SHOP.example"]),
        ("“https://shop.example/é”…", ["https://shop.example/é"]),
        ("mailto:a@b.example tel:+49123 ftp://shop.example www.shop.example #top", []),
    ],
)  # fmt: skip
def test_an_address_ends_where_its_sentence_goes_on(text: str, addresses: list[str]) -> None:
    found: list[str] = []

    def note(address: str) -> str:
        found.append(address)
        return address

    assert rewrite_addresses(text, note) == text
    assert found == addresses


def test_only_the_address_is_replaced() -> None:
    assert rewrite_addresses("a (https://shop.example).\nb", lambda _: "X") == "a (X).\nb"


@given(st.text() | st.text(st.sampled_from("https:/.()x \n")))
def test_a_text_whose_addresses_stay_stays(text: str) -> None:
    assert rewrite_addresses(text, lambda address: address) == text


MARKUP = st.lists(
    st.sampled_from(["<", ">", "<!", "<![", "]>", "<!--", "-->", "<a ", "href=", '"', "'", "/", "<?", "&", "if", " x"])
).map("".join)


@given(MARKUP | st.text())
def test_no_markup_is_beyond_it(html: str) -> None:
    assert plain_text(html).endswith("\n")


@pytest.mark.parametrize("section", ["<![if !mso]>", "<![foo bar]>", "<![ ]>"])
def test_a_section_hides_nothing_that_follows(section: str) -> None:
    assert plain_text(f"<p>a</p>{section}<p>b</p>") == "a\n\nb\n"


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


@pytest.mark.parametrize(
    ("address", "absolute"),
    [
        ("/cart", "https://shop.example/cart"),
        (" /cart ", "https://shop.example/cart"),
        ("cart?a=1&amp;b=2#c", "https://shop.example/de/cart?a=1&amp;b=2#c"),
        ("../cart", "https://shop.example/cart"),
        ("?page=2", "https://shop.example/de/?page=2"),
        ("//cdn.example/a", "https://cdn.example/a"),
        ("https://other.example/x", "https://other.example/x"),
        ("HTTP://other.example/x", "HTTP://other.example/x"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("tel:+49123", "tel:+49123"),
        ("cid:logo", "cid:logo"),
        ("#top", "#top"),
        ("", ""),
        ("//[bad", "//[bad"),
    ],
)
@pytest.mark.parametrize("html", ['<a href="{}">x</a>', '<img src="{}">', '<td background="{}">', '<area href="{}"/>'])
def test_an_address_of_a_mail_starts_from_the_shop(html: str, address: str, absolute: str) -> None:
    written = HtmlPlaces(html.format(address)).resolved("https://shop.example/de/")
    assert written.replace(" />", "/>") == html.format(absolute)


def test_each_picture_of_a_set_starts_from_the_shop() -> None:
    written = HtmlPlaces('<img srcset="/a.png, b.png 2x,https://c.example/c.png 300w" alt="/a">').resolved(
        "https://shop.example/"
    )
    assert written == (
        '<img srcset="https://shop.example/a.png, https://shop.example/b.png 2x,https://c.example/c.png 300w" alt="/a">'
    )


def test_addresses_that_are_absolute_leave_the_document_as_it_is() -> None:
    html = "<A HREF='https://shop.example/?a=1&region=2'>x</A><img SRC=cid:1 alt=x>"
    assert HtmlPlaces(html).resolved("https://shop.example") == html
