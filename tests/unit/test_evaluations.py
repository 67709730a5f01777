"""What is kept of an evaluation, what its page shows, and which evaluations are refused."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from archive_pipeline.errors import NotReadable, StorageError
from archive_pipeline.evaluation import once as once_module
from archive_pipeline.evaluation.evaluating import _fit_lines, evaluation_digest, most_letters
from archive_pipeline.evaluation.given_lines import scored
from archive_pipeline.evaluation.graphemes import line_errors
from archive_pipeline.evaluation.once import evaluate_once
from archive_pipeline.evaluation.page_reader import PageReader
from archive_pipeline.evaluation.pictures import shown_places, worst_lines
from archive_pipeline.evaluation.record import (
    Evaluation,
    LineRecord,
    PageRecord,
    confusions,
    figures,
    line_record,
    parts,
)
from archive_pipeline.evaluation.stored import EvaluationStore
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.processing.line_pictures import cut_lines
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.pool import Worker
from archive_pipeline.report.evaluation_page import write_evaluation
from archive_pipeline.training_sets.frozen import truth_digest
from archive_pipeline.training_sets.lines import TrainingPage

BOX = ((0, 0), (99, 0), (99, 9), (0, 9))
MODEL = InstalledModel(id="m", task="recognition", engine="ppocr", licence="x", digest="a" * 64)


def page(name: str, *texts: str, skip: frozenset[int] = frozenset(), image: str = "1") -> TrainingPage:
    lines = tuple(Line(id="same", boundary=BOX, text=text) for text in texts)
    regions = (
        Region(id="r", boundary=BOX, lines=lines[:1]),
        Region(id="r", boundary=BOX, lines=lines[1:]),
    )
    return TrainingPage(
        id=name,
        group=name,
        image=Path("x.png"),
        image_sha256=image * 64,
        page=Page(number=1, width=100, height=100, regions=regions),
        skip=skip,
        licence=None,
        origin="set",
    )


def record(
    name: str, *pairs: tuple[str, str], group: str = "", script: str = "Latin", confidence: float = 0.5
) -> PageRecord:
    lines = tuple(line_record(index, line_errors(*pair), confidence) for index, pair in enumerate(pairs))
    return PageRecord(
        id=name,
        group=group or name,
        document=name.partition("/")[0],
        script=script,
        image_sha256="1" * 64,
        text_digest="",
        truth=f"truth of {name}",
        lines=lines,
    )


def evaluation(*pages: PageRecord, digest: str = "d" * 64, **others: Any) -> Evaluation:
    found = ((each.id, line.index, line_errors(line.truth, line.read)) for each in pages for line in each.lines)
    return Evaluation(
        model="m",
        model_digest="a" * 64,
        signature=("ppocr", "m"),
        of="Jean",
        digest=digest,
        rules=1,
        made=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        program="0",
        pages=pages,
        all=figures(pages),
        documents=parts(pages, "document"),
        scripts=parts(pages, "script"),
        confusions=confusions(found),
        **others,
    )


# Figures


def test_figures_are_sums_over_lines_and_intervals_are_over_groups() -> None:
    pages = [
        record("a/1", ("abcd", "abcx")),
        record("a/2", ("efgh", "efgh"), ("ij", "ij")),
        record("b/1", ("ſo", "so")),
    ]
    found = figures(pages)
    assert (found.cer.errors, found.cer.total, found.cer.pages) == (2, 12, 3)
    assert found.cer.percent == pytest.approx(100 / 6)
    assert found.cer_s.errors == 1
    assert (found.wer.errors, found.wer.total) == (2, 4)
    assert found.cer.low is not None
    assert found.cer.high is not None
    assert found.cer.low < found.cer.percent < found.cer.high
    # Three lines of one page are one page: nothing is known of others.
    one = figures([each.model_copy(update={"group": "a"}) for each in pages])
    assert (one.cer.percent, one.cer.pages, one.cer.low) == (found.cer.percent, 1, None)


def test_documents_and_scripts_have_figures_of_their_own() -> None:
    pages = [record("a/1", ("ab", "ax")), record("b/1", ("γδ", "γδ"), script="Greek"), record("b/2", ("c", "x"))]
    found = evaluation(*pages)
    assert {name: each.cer.errors for name, each in found.documents.items()} == {"a": 1, "b": 1}
    assert {name: each.cer.total for name, each in found.scripts.items()} == {"Greek": 2, "Latin": 3}


def test_confusions_are_counted_and_shown_where_they_are_clearest() -> None:
    found = evaluation(record("a/1", ("no ſee", "xx fee"), ("ſo", "fo"), ("ab", "ab")), record("a/2", ("rn", "m")))
    first = found.confusions[0]
    assert (first.truth, first.read, first.count) == ("ſ", "f", 2)
    assert found.confusions[0].places == (("a/1", 1), ("a/1", 0))
    assert ("rn", "m") in {(each.truth, each.read) for each in found.confusions}
    assert [place for place, _ in worst_lines(found)] == [("a/1", 0), ("a/2", 0), ("a/1", 1)]
    assert shown_places(found) == {("a/1", 0), ("a/1", 1), ("a/2", 0)}


@pytest.mark.parametrize(
    ("text", "script"), [("abc é", "Latin"), ("αβγ a", "Greek"), ("12 ,", "none"), ("שלום", "Hebrew"), ("", "none")]
)
def test_the_script_is_that_of_most_letters(text: str, script: str) -> None:
    assert most_letters([text]) == script


# What is read


def test_only_fit_lines_are_read_and_keep_their_index() -> None:
    truth, indexes = _fit_lines(page("a/1", "one", "two", "", "three", skip=frozenset({1})))
    given = scored(truth)
    assert [(indexes[name], line.text) for name, line in given.items()] == [(0, "one"), (3, "three")]


def test_an_evaluation_is_another_if_the_model_or_a_truth_is_and_not_if_the_order_is() -> None:
    first, second = page("a/1", "one"), page("a/2", "two")
    digest = evaluation_digest([first, second], MODEL)
    assert evaluation_digest([second, first], MODEL) == digest
    assert evaluation_digest([first, page("a/2", "twO")], MODEL) != digest
    assert evaluation_digest([first, page("a/2", "two", image="2")], MODEL) != digest
    assert evaluation_digest([first], MODEL) != digest
    assert evaluation_digest([first, second], MODEL.model_copy(update={"digest": "b" * 64})) != digest
    assert truth_digest(page("a/1", "one", "x", skip=frozenset({1}))) == truth_digest(page("a/1", "one"))


def test_an_image_that_is_not_the_one_that_was_transcribed_is_not_read(tmp_path: Path) -> None:
    reader = PageReader(Worker(tmp_path, ProcessingOptions()), ProcessingOptions())
    path = tmp_path / "x.png"
    path.write_bytes(b"picture")
    seen = reader.page_image(path, hashlib.sha256(b"picture").hexdigest(), (30, 20))
    assert seen.image is not None
    assert (seen.image.width, seen.image.height, seen.info) == (30, 20, None)
    with pytest.raises(NotReadable, match="its image is not the one that was transcribed"):
        reader.page_image(path, "1" * 64, (30, 20))
    with pytest.raises(NotReadable, match="cannot read"):
        reader.page_image(tmp_path / "gone.png", "1" * 64, (30, 20))


# What is kept


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pages each evaluation had that was made."""
    counted: list[int] = []

    def evaluate(pages: Any, model: Any, _options: Any, _of: str, _told: Any) -> Evaluation:
        counted.append(len(pages))
        left_out = {"a/2": "no"} if len(pages) == 2 else {}
        return evaluation(record("a/1", ("ab", "ax")), digest=evaluation_digest(pages, model), left_out=left_out)

    monkeypatch.setattr(once_module, "evaluate", evaluate)
    return counted


def test_an_evaluation_is_made_once_and_kept_by_what_it_was_made_of(tmp_path: Path, made: list[int]) -> None:
    store, options = EvaluationStore(tmp_path), ProcessingOptions()
    first = evaluate_once(store, "jean", [page("a/1", "ab")], MODEL, options, "Jean")
    again = evaluate_once(store, "jean", [page("a/1", "ab")], MODEL, options, "Jean")
    assert again == first
    assert made == [1]
    path = tmp_path / "jean" / f"m-{first.digest[:16]}.json"
    assert json.loads(path.read_text("utf-8"))["all"]["cer"]["errors"] == 1
    evaluate_once(store, "jean", [page("a/1", "aB")], MODEL, options, "Jean")
    assert made == [1, 1]
    path.write_text("{}", "utf-8")
    with pytest.raises(StorageError, match="Delete it; it is made again"):
        evaluate_once(store, "jean", [page("a/1", "ab")], MODEL, options, "Jean")


def test_an_evaluation_that_lacks_pages_is_made_anew(tmp_path: Path, made: list[int]) -> None:
    for _ in range(2):
        evaluate_once(
            EvaluationStore(tmp_path), "jean", [page("a/1", "a"), page("a/2", "b")], MODEL, ProcessingOptions(), "J"
        )
    assert made == [2, 2]
    assert list(tmp_path.iterdir()) == []


# Leaks


# Pictures and the page


def test_pictures_are_cut_with_a_margin_and_small_and_nothing_is_cut_beyond_the_page() -> None:
    image = np.zeros((400, 3000, 3), np.uint8)
    image[100:200, 100:2900] = (250, 0, 0)
    cut, outside, edge = cut_lines(image, [(100, 100, 2900, 200), (5000, 0, 5100, 50), (0, 0, 30, 40)])
    red = cv2.imdecode(np.frombuffer(cut, np.uint8), cv2.IMREAD_COLOR)
    assert red is not None
    assert red.shape == (38, 900, 3)
    assert red[19, 450].tolist() == pytest.approx([0, 0, 250], abs=6)
    assert red[1, 450].tolist() == pytest.approx([0, 0, 0], abs=40)
    assert outside == b""
    small = cv2.imdecode(np.frombuffer(edge, np.uint8), cv2.IMREAD_COLOR)
    assert small is not None
    assert small.shape == (43, 33, 3)


class _Read(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def test_the_page_shows_lines_and_escapes_whatever_was_written_or_read(tmp_path: Path) -> None:
    hostile = '<script>alert("x")</script><img src=x onerror=y>\u202e'
    found = evaluation(
        record(f"a/{hostile}", (f"ab {hostile}", f"ax {hostile}"), ("ſo", "fo")),
        record("a/2", ("c", "")),
        left_out={"a/3": f"a/3: {hostile}"},
    )
    path = tmp_path / "e.html"
    write_evaluation(found, {(f"a/{hostile}", 1): b"\xff\xd8\xffpicture"}, path)
    html = path.read_text("utf-8")
    read = _Read()
    read.feed(html)
    assert "script" not in read.tags
    assert read.tags.count("style") == 1
    assert not {name for name, _ in read.attributes if name.startswith("on") or name == "style"}
    sources = {value for name, value in read.attributes if name == "src"}
    assert sources == {"data:image/jpeg;base64,/9j/cGljdHVyZQ=="}
    assert "\u202e" not in html
    assert "default-src &#39;none&#39;; img-src data:; style-src &#39;sha256-" in html
    assert "<mark>ſ</mark>o" in html
    assert "<mark>f</mark>o" in html
    assert "1 page could not be read and does not count" in html


def test_the_stylesheet_is_the_one_that_the_policy_allows(tmp_path: Path) -> None:
    write_evaluation(evaluation(record("a/1", ("ab", "ab"))), {}, tmp_path / "e.html")
    html = (tmp_path / "e.html").read_bytes()
    style = html[html.index(b"<style>") + 7 : html.index(b"</style>")]
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert f"sha256-{digest}" in unescape(html.decode())
    assert "Nothing: no character is wrong." in html.decode()


def test_a_page_that_was_read_as_a_whole_is_shown_without_a_line(tmp_path: Path) -> None:
    whole = LineRecord(
        index=None, truth="ab cd", read="ab c", errors=1, characters=5, errors_s=1, word_errors=1, words=2
    )
    one = record("a/1").model_copy(update={"lines": (whole,)})
    found = evaluation(one)
    assert shown_places(found) == {("a/1", None)}
    write_evaluation(found, {}, tmp_path / "e.html")
    assert "<bdi>a/1</bdi>: 1 error in 5 characters" in (tmp_path / "e.html").read_text("utf-8")


def test_a_part_without_a_character_has_no_figures() -> None:
    found = evaluation(
        record("a/1", ("ab", "ax")), record("b/1", ("", "x"), script="none"), record("c/1", script="none")
    )
    assert list(found.documents) == ["a"]
    assert list(found.scripts) == ["Latin"]
