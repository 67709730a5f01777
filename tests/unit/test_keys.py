"""Document keys."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_pipeline.errors import UnsafeName
from archive_pipeline.keys import DocumentKey

SAFE = re.compile(r"[a-z0-9][a-z0-9._-]{0,119}")
names = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=300).filter(
    lambda n: n not in (".", "..")
)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


@settings(max_examples=150)
@given(paths)
def test_any_path_below_the_uploads_gives_a_safe_key(path: str) -> None:
    key = DocumentKey.from_path(path)
    assert SAFE.fullmatch(key)
    assert ".." not in key
    assert DocumentKey(str(key)) == key


@settings(max_examples=150)
@given(paths, paths)
def test_different_paths_have_different_keys(one: str, other: str) -> None:
    assert (DocumentKey.from_path(one) == DocumentKey.from_path(other)) == (one == other)


@settings(max_examples=100)
@given(paths)
def test_a_path_that_looks_like_the_key_of_another_gets_a_key_of_its_own(path: str) -> None:
    key = DocumentKey.from_path(path)
    assert DocumentKey.from_path(str(key)) != key or str(key) == path


def test_a_simple_name_is_its_own_key() -> None:
    assert DocumentKey.from_path("journal-1914.pdf") == "journal-1914.pdf"


def test_a_key_stays_readable() -> None:
    assert DocumentKey.from_path("Lettres/Été 1914.PDF").startswith("lettres--ete-1914.pdf-")


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a/../../b", "..", ".", "", "a\0b"])
def test_a_path_that_leads_out_of_the_uploads_is_refused(path: str) -> None:
    with pytest.raises(UnsafeName):
        DocumentKey.from_path(path)


@pytest.mark.parametrize("text", ["", "A", "a b", "-a", "a/b", "a,b", "a...b", "a|b", "ä", "a\n", "x" * 121, "a\x00"])
def test_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(UnsafeName):
        DocumentKey(text)


def test_the_same_name_from_two_folders_is_told_apart_by_its_origin() -> None:
    one, other = (DocumentKey.from_path("a.pdf", origin=origin) for origin in ("/elsewhere/a.pdf", "/other/a.pdf"))
    assert one != other
    assert one.startswith("a.pdf-")
