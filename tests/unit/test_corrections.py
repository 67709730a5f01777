"""What people wrote: cleaned like any other text, never thrown away, and before the machine's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archive_pipeline.errors import DocumentFailed
from archive_pipeline.keys import DocumentKey
from archive_pipeline.page import Line, Page, Region, needs_eye
from archive_pipeline.processing.correction_layer import stored_corrections
from archive_pipeline.processing.stored_pages import (
    StoredPage,
    applied_corrections,
    page_to_export,
    write_model,
)
from archive_pipeline.store import DocumentFolder, Store

SQUARE = ((0, 0), (9, 0), (9, 9), (0, 9))


@pytest.fixture
def folder(tmp_path: Path) -> DocumentFolder:
    """A document of one page with two lines, read with doubt."""
    folder = Store(tmp_path).document(DocumentKey("a.pdf"))
    lines = tuple(Line(id=name, boundary=SQUARE, text="machine", confidence=0.3) for name in ("l1", "l2"))
    page = Page(number=1, width=10, height=10, regions=(Region(id="r", boundary=SQUARE, lines=lines),))
    write_model(folder.transcription(1), StoredPage(made_from="x", page=page))
    folder.correction(1).parent.mkdir()
    return folder


def correct(folder: DocumentFolder, content: object) -> None:
    folder.correction(1).write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


@pytest.mark.parametrize(
    ("written", "exported"),
    [("a\u0007b", "ab"), ("a\ud800b", "ab"), ("one\ntwo", "one two"), ("e\u0301", "é"), ("", "")],
)
def test_a_correction_is_cleaned_like_any_other_text(folder: DocumentFolder, written: str, exported: str) -> None:
    correct(folder, {"l1": written})
    first, second = page_to_export(folder, 1).lines()
    assert (first.correction, first.best_text) == (exported, exported)
    assert second.best_text == "machine"


@pytest.mark.parametrize("content", ["{", '["l1"]', '{"l1": 5}', '{"l1": null}'])
def test_corrections_that_cannot_be_read_are_an_error_that_asks_nobody_to_delete_them(
    folder: DocumentFolder, content: str
) -> None:
    correct(folder, content)
    # A StorageError would end the whole run: see the step in assets/documents.py.
    with pytest.raises(DocumentFailed, match=r"0001\.json cannot be read. Mend the file or restore it") as error:
        page_to_export(folder, 1)
    assert "elete" not in str(error.value)
    assert folder.correction(1).read_text("utf-8") == content


def test_corrections_of_lines_that_are_not_there_any_more_are_named(folder: DocumentFolder) -> None:
    assert applied_corrections(folder, 1).lost == ()
    correct(folder, {"l1": "here", "gone": "there"})
    assert applied_corrections(folder, 1).lost == ("gone",)
    assert stored_corrections(folder, 1).lines["gone"].text == "there"


def test_a_page_needs_no_eye_any_more_when_its_doubtful_lines_are_corrected(folder: DocumentFolder) -> None:
    assert needs_eye(page_to_export(folder, 1)) == "read with 30% confidence"
    correct(folder, {"l1": "one", "l2": "two"})
    page = page_to_export(folder, 1)
    assert page.confidence is None
    assert needs_eye(page) == ""
