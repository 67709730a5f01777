"""The reading of a page before another model read it: kept, compared, pruned."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.changes.document import document_changes
from archive_pipeline.changes.pages import LineChange, compare_pages
from archive_pipeline.changes.text import changes_text
from archive_pipeline.changes.webpage import changes_page
from archive_pipeline.changes.words import changed_words, word_parts
from archive_pipeline.cli import cli
from archive_pipeline.durable import write_json
from archive_pipeline.errors import UsageError
from archive_pipeline.keeping.garbage import collect
from archive_pipeline.keys import DocumentKey
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Line, Page, Region, Step
from archive_pipeline.processing.earlier_readings import keep_earlier
from archive_pipeline.processing.fixity import verify_document
from archive_pipeline.processing.stored_pages import (
    Failure,
    StoredPage,
    forget_pages_after,
    stored_page,
    write_model,
)
from archive_pipeline.rendering.model import PageImage
from archive_pipeline.store import DocumentFolder, Store

IMAGE = PageImage(number=1, file="0001.jpg", sha256="picture", width=900, height=900, method="image-file")
LINES_BY = InstalledModel(id="lines", task="segmentation", engine="kraken", licence="x", digest="l")
ONE, TWO = (InstalledModel(id=name, task="recognition", engine="kraken", licence="x", digest=name) for name in "ab")


def line(number: int, text: str, confidence: float | None = 0.9, *, left: int = 0) -> Line:
    """A line at its place on the page, which its number says."""
    top = number * 50
    place = ((left, top), (left + 400, top), (left + 400, top + 30), (left, top + 30))
    return Line(id=f"l{number}", boundary=place, text=text, confidence=confidence)


def page(*lines: Line, by: InstalledModel = ONE, image: str = "picture", number: int = 1, blocks: str = "") -> Page:
    models = (LINES_BY, by)
    steps = tuple(Step(task=m.task, engine=m.engine, version="1", model=m.id, model_digest=m.digest) for m in models)
    boundary = ((0, 0), (900, 0), (900, 900), (0, 900))
    region = Region(id="r1", boundary=boundary, lines=lines, text=blocks)
    return Page(number=number, width=900, height=900, image_digest=image, regions=(region,), steps=steps)


# --- words -----------------------------------------------------------------------------------------------------------


def test_words_that_are_others_are_marked_and_counted() -> None:
    parts = word_parts("den 3ten Mai 1858 zu", "den 3ten März 1858 zu Rouen")
    assert [(part.kind, part.text) for part in parts] == [
        ("same", "den 3ten "),
        ("gone", "Mai"),
        ("new", "März"),
        ("same", " 1858 zu"),
        ("new", " Rouen"),
    ]
    assert changed_words(parts) == 2


@given(st.text(), st.text())
def test_the_pieces_are_both_lines(before: str, after: str) -> None:
    parts = word_parts(before, after)
    assert "".join(part.text for part in parts if part.kind != "new") == before
    assert "".join(part.text for part in parts if part.kind != "gone") == after
    assert (changed_words(parts) == 0) == (before.split() == after.split())


# --- pages -----------------------------------------------------------------------------------------------------------


def test_lines_are_matched_by_place_whatever_they_are_called() -> None:
    before = page(line(1, "one"), line(2, "two"), line(3, "three"), line(9, "far", 0.4))
    renamed = [line(1, "one"), line(2, "two!", 0.8), line(4, "four")]
    after = page(*(each.model_copy(update={"id": f"x{each.id}"}) for each in renamed), by=TWO)
    found = compare_pages(before, after, corrected=["xl2"])
    assert (found.before, found.after, found.same, found.problem) == ("a", "b", 1, "")
    assert found.lines == (
        LineChange("changed", "xl2", "two", "two!", 0.9, 0.8, corrected=True),
        LineChange("new", "xl4", "", "four", None, 0.9),
        LineChange("gone", "l3", "three", "", 0.9),
        LineChange("gone", "l9", "far", "", 0.4),
    )
    assert found.lines[0].words == 1


def test_a_line_that_got_its_text_or_lost_it_is_told() -> None:
    before, after = page(line(1, "", None), line(2, "two")), page(line(1, "one"), line(2, "", None), by=TWO)
    assert [(each.kind, each.before, each.after) for each in compare_pages(before, after).lines] == [
        ("new", "", "one"),
        ("changed", "two", ""),
    ]


def test_where_a_model_reads_blocks_their_lines_of_text_are_compared() -> None:
    found = compare_pages(page(line(1, "one"), line(2, "two")), page(blocks="one\n2\nthree", by=TWO))
    assert found.same == 1
    assert [(each.kind, each.before, each.after) for each in found.lines] == [
        ("changed", "two", "2"),
        ("new", "", "three"),
    ]


def test_readings_of_two_pictures_are_not_compared() -> None:
    found = compare_pages(page(line(1, "one")), page(line(1, "two"), image="another"))
    assert (found.problem, found.lines, found.gain) == ("the page image is another one", (), None)


def test_a_page_compared_with_itself_has_no_change() -> None:
    same = page(line(1, "one"), line(2, "two"))
    found = compare_pages(same, same)
    assert (found.same, found.lines, found.gain) == (2, (), 0.0)


# --- what is kept ----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> DocumentFolder:
    found = Store(tmp_path / "store").document(DocumentKey("a.pdf"))
    write_json(found.source, {"origin": "/uploads/a.pdf", "key": "a.pdf"})
    return found


def read(folder: DocumentFolder, made: Page, by: InstalledModel = ONE) -> None:
    """As a run does it."""
    keep_earlier(folder, made.number, IMAGE.model_copy(update={"sha256": made.image_digest}), LINES_BY, by)
    write_model(folder.transcription(made.number), StoredPage(made_from=by.id, page=made))


def earlier(folder: DocumentFolder) -> str | None:
    stored = stored_page(folder.earlier(1))
    return stored.page.text if stored else None


def test_the_reading_that_another_model_replaces_is_kept_and_one_is_enough(folder: DocumentFolder) -> None:
    read(folder, page(line(1, "by a")))
    assert earlier(folder) is None
    read(folder, page(line(1, "by a, again")))
    assert earlier(folder) is None
    read(folder, page(line(1, "by b"), by=TWO), TWO)
    assert earlier(folder) == "by a, again"
    read(folder, page(line(1, "by b, again"), by=TWO), TWO)
    assert earlier(folder) == "by a, again"
    read(folder, page(line(1, "by a, at last")))
    assert earlier(folder) == "by b, again"


def test_what_was_read_of_another_picture_is_not_kept(folder: DocumentFolder) -> None:
    read(folder, page(line(1, "by a")))
    read(folder, page(line(1, "by b"), by=TWO, image="another"), TWO)
    assert earlier(folder) is None


def test_a_blank_page_is_a_reading_too_where_other_lines_are_looked_for(folder: DocumentFolder) -> None:
    blank = page().model_copy(update={"status": "blank", "steps": page().steps[:1], "regions": ()})
    read(folder, blank)
    read(folder, page(line(1, "by b"), by=TWO), TWO)
    assert earlier(folder) is None
    write_model(folder.transcription(1), StoredPage(made_from="x", page=blank))
    keep_earlier(folder, 1, IMAGE, LINES_BY.model_copy(update={"digest": "m"}), TWO)
    assert earlier(folder) == ""


def test_earlier_readings_go_with_their_pages_and_are_looked_over(folder: DocumentFolder) -> None:
    read(folder, page(line(1, "by a")))
    read(folder, page(line(1, "by b"), by=TWO), TWO)
    assert verify_document(folder, max_file_mb=1, max_pages=9) == []
    folder.earlier(1).write_text("{")
    (damage,) = verify_document(folder, repair=True, max_file_mb=1, max_pages=9)
    assert damage.path == folder.earlier(1)
    assert "diff" in damage.remedy
    assert not folder.earlier(1).exists()
    write_model(folder.earlier(2), StoredPage(made_from="x", page=page(number=2)))
    forget_pages_after(folder, 1)
    assert not folder.earlier(2).exists()


def test_earlier_readings_are_pruned_when_they_are_old_and_corrections_never(folder: DocumentFolder) -> None:
    store = Store(folder.root.parents[1])
    for number in (1, 2):
        write_model(folder.earlier(number), StoredPage(made_from="x", page=page(number=number)))
    write_json(folder.correction(1), {"l1": "by a person"})
    for path, days in ((folder.earlier(1), 11), (folder.earlier(2), 9), (folder.correction(1), 999)):
        when = time.time() - days * 86_400
        os.utime(path, (when, when))

    def found(*, remove: bool) -> list[tuple[str, Path]]:
        return [(each.kind, each.path) for each in collect(store, Path("/nowhere"), remove=remove, keep_days=10)]

    assert found(remove=False) == [("earlier reading", folder.earlier(1))]
    assert folder.earlier(1).exists()
    assert found(remove=True) == [("earlier reading", folder.earlier(1))]
    assert (folder.earlier(1).exists(), folder.earlier(2).exists(), folder.correction(1).exists()) == (
        False,
        True,
        True,
    )
    assert found(remove=True) == []


# --- the diff --------------------------------------------------------------------------------------------------------


@pytest.fixture
def changed(folder: DocumentFolder) -> DocumentFolder:
    """Four pages: less certain, more certain, failed now, of another picture."""
    for number in (1, 2, 3, 4):
        write_model(folder.image_record(number), IMAGE.model_copy(update={"number": number}))
        (folder.images / "0001.jpg").write_bytes(b"x")
        before = page(line(1, "same"), line(2, "den Mai", 0.9), number=number)
        write_model(folder.earlier(number), StoredPage(made_from="x", page=before))
        sure = 0.5 if number == 1 else 0.99
        after = page(line(1, "same"), line(2, "den <b>März", sure), line(3, "neu", sure), by=TWO, number=number)
        if number == 4:
            after = after.model_copy(update={"image_digest": "another"})
        write_model(folder.transcription(number), StoredPage(made_from="y", page=after))
    folder.transcription(3).unlink()
    write_model(folder.failure(3), Failure(code="PageTimeout", what="it took too long"))
    write_json(folder.correction(1), {"l2": "den 3ten März"})
    return folder


def test_a_diff_says_line_by_line_what_changed_with_sums(changed: DocumentFolder) -> None:
    found = document_changes(changed)
    assert found.sums == {
        "pages": 2,
        "pages_changed": 2,
        "same_lines": 2,
        "changed_lines": 2,
        "new_lines": 2,
        "gone_lines": 0,
        "changed_words": 4,
        "corrected_lines": 1,
    }
    assert (found.surer, found.less_sure) == ((2,), (1,))
    text = list(changes_text(found))
    assert text[0] == "Page 1: a → b, confidence 90.0 % → 58.8 %, 1 lines as before"
    assert text[1] == "  l2: den [-Mai-]{+<b>März+} (90.0 % → 50.0 %) corrected by a person"
    assert text[2] == "  l3: {+neu+} (none → 50.0 %)"
    assert text[6:8] == [
        "Page 3: not compared: it is not read now: it took too long",
        "Page 4: not compared: the page image is another one",
    ]
    assert text[8:] == [
        "2 pages compared, 2 of them changed: 2 lines as before, 2 changed, 2 new, 0 gone; 4 words changed",
        "More certain: page 2",
        "Less certain: page 1",
        "1 of these lines were corrected by people: their exports stay as they are",
    ]


def test_the_page_for_a_browser_escapes_the_text_and_lets_nothing_else_in(changed: DocumentFolder) -> None:
    html = changes_page(document_changes(changed))
    assert "<del>Mai</del><ins>&lt;b&gt;März</ins>" in html
    assert "<b>" not in html
    assert "Not compared: it is not read now: it took too long.." not in html
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy.startswith("default-src &#39;none&#39;; style-src &#39;sha256-")


def test_without_an_earlier_reading_it_says_so(folder: DocumentFolder) -> None:
    read(folder, page(line(1, "by a")))
    with pytest.raises(UsageError, match="no earlier reading"):
        document_changes(folder)


def test_the_command_prints_text_json_or_a_page(changed: DocumentFolder, tmp_path: Path) -> None:
    environment = {"ARCHIVE_HOME": str(tmp_path)}
    told = CliRunner().invoke(cli, ["diff", "a.pdf"], env=environment)
    assert "den [-Mai-]{+<b>März+}" in told.stdout
    told = CliRunner().invoke(cli, ["diff", "a.pdf", "--json"], env=environment)
    assert '"less_certain": [\n  1\n ]' in told.stdout
    file = tmp_path / "changes.html"
    told = CliRunner().invoke(cli, ["diff", "a.pdf", "--html", str(file)], env=environment)
    assert told.stdout == f"a.pdf → {file}\n"
    assert file.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert isinstance(CliRunner().invoke(cli, ["diff", "b.pdf"], env=environment).exception, UsageError)
