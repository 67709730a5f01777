"""Page selections."""

import pytest

from archive_pipeline.errors import UsageError
from archive_pipeline.processing.page_ranges import parse_pages


@pytest.mark.parametrize(
    ("text", "pages"),
    [("1-3,7", {1, 2, 3, 7}), ("2", {2}), (" 8 - ", {8, 9}), ("1,1-2", {1, 2}), ("12", set()), ("8-12", {8, 9})],
)
def test_ranges_are_read_and_cut_at_the_last_page(text: str, pages: set[int]) -> None:
    assert parse_pages(text, 9) == pages


@pytest.mark.parametrize("text", ["", "0", "-3", "3-1", "a", "1;2", "1-2-3", "1,,2", "٣x", "9" * 30])
def test_what_is_no_selection_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no selection of pages"):
        parse_pages(text, 9)
