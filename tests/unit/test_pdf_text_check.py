"""Reading the text back from a PDF."""

from pathlib import Path

import pikepdf
import pytest
from pikepdf import Dictionary, Name

from archive_pipeline.exports.pdf_text_check import text_found
from archive_pipeline.page import Line, Page, PageStatus, Region


def _pdf(path: Path, texts: list[str]) -> Path:
    pdf = pikepdf.new()
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    for text in texts:
        page = pdf.add_blank_page(page_size=(400, 100))
        page.Resources = Dictionary(Font=Dictionary(F1=font))
        page.Contents = pdf.make_stream(f"BT /F1 12 Tf 3 Tr 20 50 Td ({text}) Tj ET".encode())
    pdf.save(path)
    return path


def _page(text: str, status: PageStatus = "done") -> Page:
    line = Line(id="l", boundary=((0, 0), (9, 0), (9, 9)), text=text)
    return Page(number=1, width=10, height=10, status=status, regions=(Region(id="r", boundary=(), lines=(line,)),))


def test_shares_are_those_of_the_letters_whatever_their_order(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "a.pdf", ["one two three", "three one two", "half", "nothing here", "not asked"])
    pages = [_page("one two three"), _page("one two three"), _page("half lost"), _page("ZZZZ"), _page("x", "failed")]
    assert list(text_found(path, pages)) == [1.0, 1.0, 0.5, 0.0, None]


def test_what_is_not_all_is_not_called_all(tmp_path: Path) -> None:
    path = _pdf(tmp_path / "a.pdf", ["a" * 19_999])
    assert list(text_found(path, [_page("a" * 20_000)])) == [0.9999]


def test_a_pdf_that_cannot_be_opened_gives_back_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"no pdf")
    assert list(text_found(path, [_page("text"), _page("", "blank")])) == [0.0, None]


@pytest.mark.parametrize("status", ["blank", "skipped", "failed"])
def test_pages_without_text_are_not_compared(tmp_path: Path, status: PageStatus) -> None:
    assert list(text_found(_pdf(tmp_path / "a.pdf", ["old text"]), [_page("x", status)])) == [None]
