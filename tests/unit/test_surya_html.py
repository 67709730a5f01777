"""HTML of a block to lines of text, and answers that surya's parsers read only in part."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.engines.surya_answers import full_page_problem, layout_problem
from archive_pipeline.engines.surya_html import html_lines


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        ("", ()),
        ("  \n ", ()),
        ("plain  text\n goes on", ("plain text goes on",)),
        ("<p>one<br>two<br/>three</p><p>four</p>", ("one", "two", "three", "four")),
        ("<b>a</b>b<i>c</i> <u>d</u>", ("abc d",)),
        ("x<sup>2</sup> H<sub>2</sub>O n<sup>o</sup>", ("x2 H2O no",)),
        ("<ul><li>one</li><li>two<ul><li>three</li></ul></li></ul>", ("one", "two", "three")),
        ("<table><thead><tr><th>a</th><th>b</th></tr></thead><tr><td>1</td><td>2</td></tr></table>", ("a  b", "1  2")),
        ("<table><tr><td>a<br>b</td><td></td><td>c</td></tr></table>", ("a b    c",)),
        ("<table><tr><td></td><td>c</td></tr></table>", ("c",)),
        ('<math display="block">\\frac{a}{b} &lt; 1</math>', ("\\frac{a}{b} < 1",)),
        ("<pre>a\n  b\n\nc</pre>", ("a", "b", "c")),
        ('<img alt="a photograph of a house">', ()),
        ('<input type="checkbox" checked> yes<br><input type="checkbox"> no', ("☑ yes", "☐ no")),
        ("<!-- c --><script>x</script><style>y</style><title>t</title>z", ("z",)),
        ("a &amp; b &#233; &lt;b&gt;", ("a & b é <b>",)),
        ("<p>not closed <b>anywhere", ("not closed anywhere",)),
        ('<a href="javascript:x">link</a><del>struck</del>', ("linkstruck",)),
    ],
)
def test_html_becomes_lines(html: str, lines: tuple[str, ...]) -> None:
    assert html_lines(html) == lines


def test_however_deep_it_is_nested_it_is_read() -> None:
    assert html_lines("<div>" * 5_000 + "x") == ("x",)


TAGS = st.sampled_from(["p", "br", "div", "b", "td", "tr", "table", "li", "math", "sup", "pre", "h1", "img", "script"])


@given(
    st.recursive(
        st.text("abé \n", max_size=8),
        lambda inner: st.builds(
            lambda tag, parts: f"<{tag} data-bbox='1 2 3 4'>{''.join(parts)}</{tag}>", TAGS, st.lists(inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_nothing_of_the_html_survives_and_no_letter_is_lost(html: str) -> None:
    lines = html_lines(html)
    assert not any(re.search(r"[<>\0\n\t]|data-bbox", line) or line != line.strip() or not line for line in lines)
    if "<script" not in html and "<img" not in html:
        assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"<[^>]*>|\s", "", html)


PLACE = re.compile(r'<div data-label="T" data-bbox="([^"]*)"')


@dataclass
class Parsed:
    bbox: tuple[float, ...]


def blocks_of(html: str) -> list[Parsed]:
    """As surya's parser: what has no place is passed over."""
    return [Parsed(tuple(map(float, box.split()))) for box in PLACE.findall(html)]


GOOD = '<div data-label="T" data-bbox="1 2 3 4">a</div>'


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (GOOD, ""),
        (f"```html\n{GOOD}\n{GOOD}\n```", ""),
        ("I am sorry, I cannot read this.", "no blocks"),
        (f"{GOOD} and so on", "something stands outside"),
        (f"{GOOD}<div>lost</div>", "something stands outside"),
        (f"{GOOD}<p>lost</p>", "something stands outside"),
        ('<div data-label="T" data-bbox="nan 0 9 9">a</div>', "outside of the page"),
        ('<div data-label="T" data-bbox="0 0 9 1e9">a</div>', "outside of the page"),
        (GOOD * 5_001, "more than 5000"),
    ],
)
def test_an_answer_that_would_lose_text_is_told(raw: str, problem: str) -> None:
    found = full_page_problem(raw, blocks_of)
    assert found == problem == "" or (problem and problem in found)


def test_a_layout_that_is_none_is_told() -> None:
    def fails(_: str) -> list[Parsed]:
        raise TypeError

    assert layout_problem("[1]", fails) == "no list of blocks"
    assert layout_problem("[]", lambda _: []) == ""
    assert "outside" in layout_problem("", lambda _: [Parsed((0, 0, float("inf"), 1))])
