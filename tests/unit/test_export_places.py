"""Where words are drawn: for any line, however odd, every word in reading order, and text that is where the ink is."""

from __future__ import annotations

import itertools

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_pipeline.exports.pdf_font import PdfFont
from archive_pipeline.exports.pdf_text_layer import text_layer
from archive_pipeline.exports.tracks import track_of
from archive_pipeline.exports.word_places import Place, places
from archive_pipeline.page import Line, Page, Region, Word

PAGE = (0, 0, 200, 200)

points = st.tuples(st.integers(-20, 220), st.integers(-20, 220))
texts = st.sampled_from(["", "a", "two words", "שלום עולם", "  ", "ein zwei drei", "漢字", "\u0301", "a 1914 שלום"])
boxes = st.tuples(points, points).map(lambda ab: (*ab[0], *ab[1]))
lines = st.builds(
    Line,
    id=st.just("l"),
    boundary=st.lists(points, max_size=5).map(tuple),
    baseline=st.lists(points, max_size=4).map(tuple),
    text=texts,
    words=st.lists(st.builds(Word, text=st.sampled_from(["a", "two", "words", "x"]), box=boxes), max_size=3).map(tuple),
    correction=st.none() | texts,
    direction=st.sampled_from(["ltr", "rtl", "ttb"]),
)
regions = st.builds(
    Region,
    id=st.just("r"),
    boundary=st.lists(points, max_size=4).map(tuple),
    lines=st.lists(lines, max_size=3).map(tuple),
    text=texts,
)


@settings(max_examples=80)
@given(lines)
def test_every_word_has_a_place_in_reading_order(line: Line) -> None:
    track = track_of(line, PAGE)
    found = places(line, track, len)
    assert [place.text for place in found] == line.best_text.split()
    assert all(place.end - place.start > 0 for place in found)
    turn = -1 if line.direction == "rtl" else 1
    assert all(a.start * turn < b.start * turn for a, b in itertools.pairwise(found))


@settings(max_examples=30)
@given(st.lists(regions, max_size=2).map(tuple))
def test_every_character_of_any_page_is_drawn(regions: tuple[Region, ...]) -> None:
    page = Page(number=1, width=200, height=200, regions=regions)
    with pikepdf.new() as pdf:
        font = PdfFont(pdf)
        form = text_layer(pdf, font, page, (0.5, 0, 0, -0.5, 0, 100))
        characters = {char for char in page.text if not char.isspace()}
        if form is None:
            assert not characters
            return
        numbers = [
            float(operand)
            for instruction in pikepdf.parse_content_stream(form)
            if str(instruction.operator) in {"Tm", "Tz"}
            for operand in instruction.operands
        ]
        assert all(abs(value) < 1e7 for value in numbers)
        assert characters <= font._codes.keys()


def place(line: Line) -> list[tuple[str, int, int]]:
    return [(p.text, round(p.start), round(p.end)) for p in places(line, track_of(line, PAGE), len)]


WORDS = tuple(Word(text=t, box=(x, 10, x + 30, 30)) for t, x in (("alpha", 10), ("beta", 60), ("gamma", 110)))
LEVEL = {
    "id": "l",
    "boundary": ((10, 10), (140, 10), (140, 30), (10, 30)),
    "baseline": ((10, 25), (140, 25)),
    "words": WORDS,
}


@pytest.mark.parametrize(
    ("correction", "expected"),
    [
        pytest.param(None, [("alpha", 10, 40), ("beta", 60, 90), ("gamma", 110, 140)], id="as the machine saw them"),
        pytest.param("alpha Beta gamma", [("alpha", 10, 40), ("Beta", 60, 90), ("gamma", 110, 140)], id="spelt anew"),
        pytest.param("alpha gamma", [("alpha", 10, 40), ("gamma", 110, 140)], id="one less"),
        pytest.param(
            "alpha be ta gamma", [("alpha", 10, 40), ("be", 50, 70), ("ta", 80, 100), ("gamma", 110, 140)], id="split"
        ),
    ],
)
def test_corrected_words_stay_where_they_can(correction: str | None, expected: list[tuple[str, int, int]]) -> None:
    assert place(Line.model_validate(LEVEL | {"text": "alpha beta gamma", "correction": correction})) == expected


def test_words_follow_a_curve() -> None:
    line = Line(id="l", boundary=((0, 80), (200, 80), (200, 120)), baseline=((0, 100), (100, 80), (200, 100)), text="x")
    track = track_of(line, PAGE)
    assert track.point(50) == (50, 90)
    assert track.point(150) == (150, 90)
    assert track.point(250) == (250, 110)


@pytest.mark.parametrize(
    ("baseline", "direction", "drawn"),
    [
        (((0, 50), (100, 50)), "ltr", (0, 1)),
        (((100, 50), (0, 50)), "ltr", (0, -1)),  # upside down
        (((100, 50), (0, 50)), "rtl", (0, 1)),
        (((0, 50), (100, 50)), "rtl", (0, 1)),  # kraken's way
        (((50, 100), (50, 0)), "ltr", (1, -1)),
        (((50, 0), (50, 100)), "ttb", (1, 1)),
    ],
)
def test_glyphs_run_as_the_script_does(
    baseline: tuple[tuple[int, int], ...], direction: str, drawn: tuple[int, int]
) -> None:
    line = Line.model_validate({"id": "l", "boundary": (), "baseline": baseline, "text": "ab", "direction": direction})
    track = track_of(line, PAGE)
    assert (track.axis, track.sign) == drawn


def test_words_decide_against_a_baseline_that_runs_backwards() -> None:
    backwards = Line.model_validate(LEVEL | {"baseline": ((140, 25), (10, 25)), "text": "alpha beta gamma"})
    assert track_of(backwards, PAGE).sign == 1
    assert places(backwards, track_of(backwards, PAGE), len)[0] == Place("alpha", 10, 40)
