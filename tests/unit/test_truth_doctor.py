"""The doctor for ground truth: for each finding an input that has it and one, nearly the same, that has not."""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_pipeline.errors import BadTranscription
from archive_pipeline.ground_truth import shapes
from archive_pipeline.ground_truth.raw_lines import RawLine
from archive_pipeline.page import Line, Page, Point, Region
from archive_pipeline.rendering.model import PageImage
from archive_pipeline.training_sets.doctor.examination import Examination, TestPages, text_digest
from archive_pipeline.training_sets.doctor.findings import Finding
from archive_pipeline.training_sets.hand import Hand
from archive_pipeline.training_sets.reading import ReadPage

WIDTH, HEIGHT = 1000, 1400
LICENSED = Hand(writer="Jean", licence="CC-BY-4.0")
TEXT = "Audience du vingt deux mars mil huit cent"


def line(number: int, text: str = TEXT, **changes: Any) -> Line:
    """A line of 820 x 40 pixels, one below the other."""
    top = 100 + 60 * number
    fields: dict[str, Any] = {
        "id": f"l{number}",
        "boundary": ((90, top), (910, top), (910, top + 40), (90, top + 40)),
        "baseline": ((90, top + 30), (910, top + 30)),
        "text": text,
    }
    return Line(**(fields | changes))


def page(*lines: Line) -> Page:
    boundary = ((0, 0), (WIDTH - 1, 0), (WIDTH - 1, HEIGHT - 1), (0, HEIGHT - 1))
    return Page(number=1, width=WIDTH, height=HEIGHT, regions=(Region(id="r", boundary=boundary, lines=lines),))


def read(found: Page, file: str = "0001.xml", **changes: Any) -> ReadPage:
    image = PageImage(number=1, file="0001.jpg", sha256="a" * 64, width=WIDTH, height=HEIGHT, method="image-file")
    fields: dict[str, Any] = {
        "file": file,
        "sha256": "b" * 64,
        "page": found,
        "raw": tuple(RawLine(id=each.id, row=10 + n, text=each.text) for n, each in enumerate(found.lines())),
        "image": image,
        "image_name": "0001.jpg",
        "found_by": "name",
        "group": file,
    }
    return ReadPage(**(fields | changes))


def findings(*pages: ReadPage, hand: Hand = LICENSED, **options: Any) -> list[Finding]:
    doctor = Examination(hand=hand, **options)
    return [each for read in pages for each in doctor.look_at(read)] + doctor.finish()


def of_lines(*lines: Line) -> list[Finding]:
    return findings(read(page(*lines)))


def codes(found: list[Finding]) -> list[str]:
    return [each.code for each in found]


def five(last: Line) -> tuple[Line, ...]:
    """Four ordinary lines, so that something is usual, and one more."""
    return (*(line(number) for number in range(4)), last)


def test_good_ground_truth_has_no_finding() -> None:
    assert of_lines(*five(line(4))) == []


BOW_TIE: tuple[Point, ...] = ((90, 340), (910, 380), (910, 340), (90, 380))


@pytest.mark.parametrize(
    ("code", "bad", "good"),
    [
        pytest.param("no-place", line(4, boundary=(), baseline=()), line(4, boundary=()), id="nowhere"),
        pytest.param(
            "polygon-broken",
            line(4, boundary=((90, 370), (910, 370))),
            line(4, boundary=((90, 340), (910, 340), (500, 380))),
            id="two-points",
        ),
        pytest.param(
            "polygon-broken",
            line(4, boundary=((90, 370), (500, 370), (910, 370))),
            line(4, boundary=((90, 340), (500, 341), (910, 340), (910, 380), (90, 380))),
            id="on-a-line",
        ),
        pytest.param("polygon-broken", line(4, baseline=((90, 370),)), line(4), id="a-baseline-of-one-point"),
        pytest.param(
            "polygon-crossing",
            line(4, boundary=BOW_TIE),
            # A spike: the same point twice, as some tools write.
            line(4, boundary=((90, 340), (500, 340), (910, 340), (500, 340), (910, 340), (910, 380), (90, 380))),
            id="a-bow-tie",
        ),
        pytest.param(
            "polygon-outside",
            line(4, boundary=((90, 340), (WIDTH + 9, 340), (WIDTH + 9, 380), (90, 380))),
            line(4, boundary=((90, 340), (WIDTH + 1, 340), (WIDTH + 1, 380), (90, 380))),
            id="beyond-the-page",
        ),
        pytest.param(
            "baseline-outside-page",
            line(4, baseline=((90, 370), (WIDTH + 9, 370))),
            line(4, baseline=((90, 370), (WIDTH + 1, 370))),
            id="a-baseline-beyond-the-page",
        ),
        pytest.param(
            "baseline-outside-line",
            line(4, baseline=((90, 460), (910, 460))),
            # Just below the outline: cut there by the tool.
            line(4, baseline=((90, 384), (910, 384))),
            id="a-baseline-below-the-outline",
        ),
        pytest.param(
            "line-twice",
            line(4, boundary=line(3).boundary, text="another text of about the same length"),
            line(4),
            id="one-line-twice",
        ),
        pytest.param("id-twice", line(4, id="l3"), line(4), id="one-id-twice"),
        pytest.param("empty-text", line(4, ""), line(4), id="empty"),
        pytest.param("empty-text", line(4, "  "), line(4), id="blank"),
        pytest.param(
            "text-in-wrong-line",
            line(4, "ditto"),
            # As short, but so is the line.
            line(4, "ditto", boundary=((90, 340), (200, 340), (200, 380), (90, 380)), baseline=((90, 370), (200, 370))),
            id="a-short-text-in-a-long-line",
        ),
        pytest.param("line-too-long", line(4, "word " * 61 + "end"), line(4), id="four-hundred-characters"),
        pytest.param(
            "line-too-long",
            line(4, TEXT, boundary=((90, 340), (150, 340), (150, 380), (90, 380)), baseline=((90, 370), (150, 370))),
            line(4),
            id="more-than-fits",
        ),
        pytest.param(
            "wrong-direction",
            line(4, "שלום עולם שלום עולם שלום"),
            line(4, "שלום עולם שלום עולם שלום", direction="rtl"),
            id="hebrew-that-runs-right",
        ),
        pytest.param("wrong-direction", line(4, direction="rtl"), line(4), id="latin-that-runs-left"),
        pytest.param(
            "wrong-direction", line(4, baseline=((910, 370), (90, 370))), line(4), id="a-baseline-from-the-right"
        ),
        pytest.param(
            "unknown-character", line(4, "Audience \ufffdu vingt deux mars mil huit"), line(4), id="a-lost-character"
        ),
        pytest.param(
            "unknown-character", line(4, "Audience \ue000u vingt deux mars mil huit"), line(4), id="a-private-character"
        ),
        pytest.param(
            "mixed-scripts",
            line(4, "Audience du vingt deux m\u0430rs mil huit cent"),
            line(4, "Audience du vingt deux \u043c\u0430\u0440\u0442\u0430 mil huit cent"),
            id="a-cyrillic-letter-in-a-latin-word",
        ),
        pytest.param("blanks", line(4, f"{TEXT} "), line(4), id="a-blank-at-the-end"),
        pytest.param("blanks", line(4, TEXT.replace(" du ", "  du ")), line(4), id="two-blanks"),
    ],
)
def test_a_line_has_the_finding_and_its_neighbour_has_not(code: str, bad: Line, good: Line) -> None:
    found = [each for each in of_lines(*five(bad)) if each.code == code]
    assert found, codes(of_lines(*five(bad)))
    assert found[0].file == "0001.xml"
    assert found[0].line == bad.id
    assert found[0].remedy.endswith(".")
    if code != "id-twice":
        assert (found[0].index, found[0].row) == (4, 14)
    assert code not in codes(of_lines(*five(good)))


def test_what_crosses_is_not_also_said_to_be_broken() -> None:
    assert codes(of_lines(*five(line(4, boundary=BOW_TIE)))) == ["polygon-crossing"]


def test_on_a_page_of_few_lines_nothing_is_usual() -> None:
    assert of_lines(line(0), line(1), line(2, "ditto")) == []


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        pytest.param("unreadable", {"page": None, "problem": BadTranscription("line 3: bad")}, id="broken-xml"),
        pytest.param("no-image", {"image": None}, id="no-image"),
        pytest.param(
            "image-size",
            {"image": PageImage(number=1, file="0001.jpg", sha256="c" * 64, width=10, height=14, method="image-file")},
            id="a-smaller-image",
        ),
    ],
)
def test_a_page_that_cannot_be_used_is_an_error_of_the_page(code: str, changes: dict[str, Any]) -> None:
    (found,) = [each for each in findings(read(page(line(0)), **changes)) if each.code == code]
    assert (found.severity, found.file, found.index) == ("error", "0001.xml", None)
    assert code not in codes(findings(read(page(line(0)))))


def other(image: str, text: str = "", file: str = "0002.xml") -> ReadPage:
    """Another page with another image and, by default, other text."""
    lines = [line(number, f"{number} {text or 'Item pour le quartier de la rue neuve'}") for number in range(5)]
    made = read(page(*lines), file)
    assert made.image is not None
    return dataclasses.replace(made, image=made.image.model_copy(update={"sha256": image}))


def test_a_page_that_is_there_twice_is_known_by_its_image() -> None:
    first, second = read(page(*five(line(4)))), other("a" * 64)
    assert [(each.code, each.file) for each in findings(first, second)] == [("page-twice", "0002.xml")]
    assert findings(first, other("d" * 64)) == []


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (read(page(line(0, " "))), "no-text"),
        (read(page(line(0)).model_copy(update={"width": WIDTH + 1})), "image-size"),
    ],
    ids=["without-text", "of-another-size"],
)
def test_what_is_left_out_itself_leaves_no_other_out(first: ReadPage, code: str) -> None:
    found = findings(dataclasses.replace(first, file="alto/1.xml"), read(page(*five(line(4))), "page/1.xml"))
    assert [(each.file, each.code) for each in found if each.index is None] == [("alto/1.xml", code)]


def test_the_other_form_of_a_page_is_passed_over_without_an_error() -> None:
    broken = line(4, boundary=((0, 0),), baseline=())
    found = findings(read(page(*five(line(4))), "alto/1.xml"), read(page(*five(broken)), "page/1.xml"))
    assert [(each.file, each.code, each.severity, each.leaves_out) for each in found] == [
        ("page/1.xml", "page-twice", "warning", True)
    ]
    # Another file that says its image is this one is a mistake that somebody has to mend.
    (other_name,) = findings(read(page(*five(line(4))), "alto/1.xml"), other("a" * 64, file="alto/2.xml"))
    assert (other_name.code, other_name.severity) == ("page-twice", "error")


def test_a_page_whose_image_was_saved_anew_is_known_by_its_text() -> None:
    one, again = other("d" * 64, file="0001.xml"), other("e" * 64)
    assert [(each.code, each.severity) for each in findings(one, again)] == [("text-twice", "warning")]
    assert findings(one, other("e" * 64, "Autre chose que la page qui precede")) == []


def test_two_forms_with_little_text_may_say_the_same() -> None:
    first, second = read(page(line(0, "Page 1"))), read(page(line(0, "Page 1")), "0002.xml")
    assert second.image is not None
    second = dataclasses.replace(second, image=second.image.model_copy(update={"sha256": "d" * 64}))
    assert findings(first, second) == []


def test_a_page_of_the_test_set_is_an_error_by_image_and_by_text() -> None:
    shown = other("d" * 64)
    assert shown.page is not None
    by_image = findings(shown, test=TestPages(images=frozenset({"d" * 64})))
    by_text = findings(shown, test=TestPages(texts=frozenset({text_digest(shown.page)})))
    assert [(each.code, each.severity) for each in by_image + by_text] == [("in-test-set", "error")] * 2
    assert findings(shown, test=TestPages(frozenset({"e" * 64}), frozenset({"f" * 64}))) == []


def test_two_normal_forms_in_one_set_are_told_with_the_rarer_one() -> None:
    composed, parted = "été passé", unicodedata.normalize("NFD", "été passé")
    lines = [line(number, f"{composed} au moulin de la riviere") for number in range(4)]
    mixed = read(page(*lines, line(4, f"{composed} au moulin de la riviere")))
    raw = (*mixed.raw[:4], RawLine(id="l4", row=99, text=f"{parted} au moulin de la riviere"))
    (found,) = findings(dataclasses.replace(mixed, raw=raw))
    assert (found.code, found.row, found.line) == ("normal-form", 99, "l4")
    assert found.what == "1 lines are in NFD (first this one), 4 are not"
    assert findings(mixed) == []


def test_two_habits_are_told_with_the_rarer_one() -> None:
    lines = [line(number, f"l'an mil huit cent trente {number} du mois") for number in range(4)]
    (found,) = of_lines(*lines, line(4, "l’an mil huit cent trente 4 du mois"))
    assert (found.code, found.line) == ("mixed-characters", "l4")
    assert found.what == "’ (U+2019) is used 1 times in the set, ' (U+0027) 4 times"
    assert of_lines(*lines) == []


def test_a_set_without_a_writer_a_licence_or_text_is_told() -> None:
    assert codes(findings(read(page(line(0))), hand=Hand())) == ["no-writer", "no-licence"]
    assert codes(findings(read(page(line(0, ""))))) == ["no-text", "empty-text", "nothing"]


def test_lines_are_found_in_the_file_by_their_names_whatever_their_order() -> None:
    made = read(page(line(0), line(1, "")))
    turned = dataclasses.replace(made, raw=made.raw[::-1])
    (found,) = findings(turned)
    assert (found.line, found.row) == ("l1", 11)


def test_a_finding_says_file_row_line_and_remedy_and_nothing_that_moves_a_terminal() -> None:
    (found,) = [
        each for each in findings(read(page(line(0, "", id="l\x1b[2J")), file="a\n.xml")) if each.code == "empty-text"
    ]
    assert str(found) == (
        r"warning: a\n.xml:10, line l\x1b[2J: it has no text [empty-text]. "
        "Transcribe it, or delete the line if nothing is there."
    )


POINTS = st.lists(st.tuples(st.integers(-50, 1100), st.integers(-50, 1500)), max_size=12)


@given(POINTS, POINTS, st.text(max_size=30), st.sampled_from(["ltr", "rtl", "ttb"]))
@settings(max_examples=80)
def test_the_doctor_survives_any_line(boundary: list[Point], baseline: list[Point], text: str, direction: str) -> None:
    odd = line(4, text, boundary=tuple(boundary), baseline=tuple(baseline), direction=direction)
    for found in of_lines(*five(odd)):
        assert found.what
        assert found.remedy.endswith(".")


@given(POINTS, POINTS)
@settings(max_examples=80)
def test_shares_of_any_two_shapes_are_shares(one: list[Point], other: list[Point]) -> None:
    first, second = line(0, boundary=tuple(one)), line(0, boundary=tuple(other))
    assert 0 <= shapes.shared(shapes.polygon(one), shapes.polygon(other)) <= 1 + 1e-9
    assert shapes.same_place(first, second) == pytest.approx(shapes.same_place(second, first))
    assert shapes.same_place(first, first) >= 1 - 1e-6
    assert shapes.height(first) >= 1
    assert -1e-9 <= shapes.inside_share(other, one, 2) <= 1 + 1e-9
