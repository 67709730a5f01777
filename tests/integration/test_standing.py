"""How documents stand after runs, as plans and reports see it."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from archive_pipeline.demo.typing import font
from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.errors import ArchiveError, DuplicateDocument
from archive_pipeline.keys import DocumentKey
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.processor import Processor
from archive_pipeline.store import Store


class Desk:
    """Documents that are worked on, and how they stand."""

    def __init__(self, folder: Path) -> None:
        self.uploads, self.store = folder / "uploads", Store(folder / "store")
        self.uploads.mkdir()
        self.states = DocumentStates(self.store.root)

    def put(self, name: str, text: str | None = "a line of text") -> DocumentKey:
        path = self.uploads / name
        if text is None:
            path.write_bytes(b"this is no image\n" * 10)
        else:
            image = Image.new("L", (700, 160), "white")
            ImageDraw.Draw(image).text((40, 50), text, font=font(40), fill=0)
            image.save(path)
        return self.store.register(path, self.uploads)

    def work(self, key: DocumentKey, **options: object) -> ArchiveError | None:
        known = ProcessingOptions(uploads_dir=self.uploads, duplicates="refuse", workers=1)
        with Processor(self.store, ProcessingOptions(**(vars(known) | options))) as processor:  # type: ignore[arg-type]
            try:
                list(processor.process(key))
            except ArchiveError as error:
                return error
        return None

    def of(self, key: DocumentKey) -> DocumentState:
        state = self.states.of(key)
        assert state is not None
        return state


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_document_that_is_done_stands_with_its_figures(desk: Desk) -> None:
    key = desk.put("a.png", "a line of text")
    assert desk.work(key) is None
    state = desk.of(key)
    assert (state.standing, state.pages, state.lines, state.characters) == ("done", 1, 1, 14)
    assert state.confidence is not None
    assert 0.9 < state.confidence <= 1
    assert (state.segmentation, state.chosen_by, state.tries) == ("ppocr-v6-detection", "settings", 0)
    assert state.seconds > 0
    assert desk.work(key) is None
    again = desk.of(key)
    assert (again.seconds, again.made_with) == (state.seconds, state.made_with), "nothing was done"
    assert desk.work(key, dpi=200) is None
    assert desk.of(key).made_with != state.made_with


def test_a_document_that_is_refused_stands_with_the_reason_and_keeps_what_it_had(desk: Desk) -> None:
    key = desk.put("a.png")
    desk.work(key)
    before = desk.of(key)
    desk.put("a.png", None)
    error = desk.work(key)
    assert error is not None
    desk.work(key)
    state = desk.of(key)
    assert (state.standing, state.code, state.tries) == ("refused", error.code, 2)
    assert state.reason == error.what
    assert state.fingerprint != before.fingerprint
    assert (state.pages, state.lines) == (before.pages, before.lines)


def test_a_few_pages_of_a_document_leave_it_as_it_stood(desk: Desk) -> None:
    key = desk.put("a.png")
    assert desk.work(key, pages="1") is None
    assert desk.of(key).standing == "done", "it has one page, so that was all of it"
    other = desk.uploads / "box"
    other.mkdir()
    for name in ("1.png", "2.png"):
        Image.new("L", (200, 100), "white").save(other / name)
    box = desk.store.register(other, desk.uploads)
    assert desk.work(box, pages="1") is None
    assert desk.states.of(box) is None


def test_who_chose_the_models_is_noted(desk: Desk) -> None:
    key = desk.put("a.png")
    (desk.uploads / "a.png.archive.yaml").write_text("engine: ppocr\nlanguage: fr\nhand: Marie\n")
    assert desk.work(key) is None
    state = desk.of(key)
    assert (state.chosen_by, state.language, state.hand) == ("document", "fr", "Marie")


def test_the_same_bytes_are_done_once_and_it_is_said_where(desk: Desk) -> None:
    first, second = desk.put("a.png"), desk.put("b.png")
    assert desk.work(first) is None
    error = desk.work(second)
    assert isinstance(error, DuplicateDocument)
    assert str(error).startswith("b.png: it has the same bytes as a.png, which is done.")
    assert (desk.of(second).standing, desk.of(second).code) == ("refused", "DuplicateDocument")
    assert not desk.store.document(second).exports.exists()
    assert desk.work(second, duplicates="make") is None
    assert desk.of(second).standing == "done"
    assert desk.work(first) is None, "neither is a copy of the other once both are done"


def test_a_copy_is_new_again_when_the_other_is_replaced_or_gone(desk: Desk) -> None:
    first, second = desk.put("a.png"), desk.put("b.png")
    desk.work(first)
    assert isinstance(desk.work(second), DuplicateDocument)
    desk.put("a.png", "quite another text")
    assert desk.work(first) is None
    assert desk.states.of(second) is None, "the next night takes it as one that was never done"
    assert desk.work(second) is None
    third = desk.put("c.png")
    (desk.uploads / "b.png").unlink()
    assert desk.work(third) is None
