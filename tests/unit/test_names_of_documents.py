"""A document's name is found wherever it stands, and another document's name is not taken for it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.history.names import Names

KEYS = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True).filter(lambda text: ".." not in text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.pdf", True),
        ("a.pdf: it is damaged.", True),
        ("2 of 3 documents failed: b.pdf, a.pdf", True),
        ("It was a.pdf.", True),
        ("upload:a.pdf:0123", True),
        ("(a.pdf)", True),
        ("/data/store/documents/a.pdf/images/0001.png", True),
        ("/data/store/documents/a.pdf", True),
        ("http://127.0.0.1:3080/a.pdf/view/index.html", True),
        ("http://127.0.0.1:3080/aa.pdf/view/index.html", False),
        ("/data/store/documents/a.pdf-abcdefghijkl/exports", False),
        ("aa.pdf", False),
        ("a.pdf.tiff", False),
        ("a.pdf-abcdefghijkl", False),
        ("box/a.pdf", False),
        ("b-a.pdf", False),
    ],
)
def test_a_key_is_told_from_those_that_contain_it(text: str, found: bool) -> None:
    names = Names("a.pdf")
    assert names.are_in(json.dumps({"message": text})) == found
    assert (names.taken_out(text) != text) == found


@given(KEYS, st.text(alphabet=" ,:;()\n\t“„»", min_size=1, max_size=3))
def test_a_key_between_other_words_is_always_taken_out(key: str, between: str) -> None:
    names = Names(key)
    text = f"Before{between}{key}{between}after"
    assert names.are_in(json.dumps(text))
    assert not names.are_in(json.dumps(names.taken_out(text)))


@pytest.mark.parametrize("path", ["Lettres/Été 1914.pdf", "a_b [1].pdf", "x'\"y.pdf", "tab\there.pdf", b"l\xe9.pdf"])
def test_a_path_is_found_in_every_form_that_an_event_gives_it(path: str | bytes) -> None:
    text = path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else path
    names = Names("k", [text])
    told = text.encode("utf-8", "backslashreplace").decode()
    assert names.are_in(json.dumps({"path": told}))
    assert names.are_in(json.dumps({"nested": json.dumps({"path": told})}))


def test_words_that_a_format_needs_stay_where_a_key_is_such_a_word() -> None:
    event = {
        "__class__": "documents",
        "step_key": "documents",
        "message": "documents: damaged",
        "tags": {"a": "documents"},
    }
    rest = Names("documents").taken_out_of(event, {"message", "tags"})
    assert rest == {
        "__class__": "documents",
        "step_key": "documents",
        "message": "forgotten: damaged",
        "tags": {"a": "forgotten"},
    }
