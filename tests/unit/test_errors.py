"""Errors and their messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline import errors
from archive_pipeline.errors import ArchiveError, PasswordProtected, by_code, from_dict, printable


def _tree(cls: type[ArchiveError]) -> list[type[ArchiveError]]:
    return [cls, *(found for child in cls.__subclasses__() for found in _tree(child))]


def test_a_message_says_what_where_and_what_to_do() -> None:
    error = PasswordProtected("it needs a password", document="a.pdf", page=3)
    assert str(error) == "a.pdf, page 3: it needs a password. Save a copy without the password and give that."


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    drawn = {word for word in str(errors.__doc__).replace("│", " ").split() if word[0].isupper() and word.isalpha()}
    assert {cls.__name__ for cls in _tree(ArchiveError) if cls.__module__ == errors.__name__} <= drawn


@pytest.mark.parametrize("cls", _tree(ArchiveError))
def test_every_error_survives_the_way_through_json(cls: type[ArchiveError]) -> None:
    error = cls("it broke", document="a.pdf", page=2, remedy="Mend it.")
    again = from_dict(error.to_dict())  # type: ignore[arg-type]
    assert type(again) is cls
    assert str(again) == str(error)


def test_an_unknown_code_is_an_archive_error() -> None:
    assert by_code("NoSuchThing") is ArchiveError


@given(st.text())
def test_a_printable_name_has_no_control_characters(text: str) -> None:
    assert all(c.isprintable() for c in printable(text))
