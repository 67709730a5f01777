"""What every engine promises, whatever its model: a class of tests for each protocol, for each engine to inherit.

A subclass gives the engine by a fixture; see ``tests/integration/test_engine_contract.py``. Pages are drawn here, so
that it is known what is on them.
"""

from __future__ import annotations

import gc
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import psutil
import pytest
from PIL import Image as PillowImage
from PIL import ImageDraw
from rapidfuzz.distance import Levenshtein

from archive_pipeline.demo.typing import font
from archive_pipeline.engines.base import Image, Recognizer, Segmenter
from archive_pipeline.page import Line, Point, Region, clean_text

SENTENCE = "the harbour register of the winter"


def paper(width: int, height: int, tone: int = 255) -> Image:
    return np.full((height, width, 3), tone, np.uint8)


def noise(width: int, height: int) -> Image:
    return np.random.default_rng(1914).integers(0, 256, (height, width, 3), dtype=np.uint8)


def written(width: int, height: int, texts: Sequence[tuple[str, int, int]], size: int = 36) -> Image:
    """A white page with texts: each with the left end of its baseline."""
    image = PillowImage.fromarray(paper(width, height))
    pen = ImageDraw.Draw(image)
    for text, left, baseline in texts:
        pen.text((left, baseline), text, font=font(size), fill=(0, 0, 0), anchor="ls")
    return np.asarray(image)


def box(left: int, top: int, right: int, bottom: int) -> tuple[Point, ...]:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def line_of(text: str, left: int, baseline: int, size: int = 36, name: str = "l1") -> Line:
    """The line that :func:`written` draws, as a segmenter would give it."""
    right = left + round(font(size).getlength(text))
    boundary = box(left - 4, baseline - size, right + 4, baseline + size // 3)
    return Line(id=name, boundary=boundary, baseline=((left, baseline), (right, baseline)))


def region_of(*lines: Line) -> Region:
    return Region(id="r1", boundary=box(0, 0, 9, 9), lines=lines)


MANY = 3_000
_ROWS, _COLUMNS = 100, 30


def many_words() -> tuple[Image, Region]:
    """A page of 3,000 short words, each a line for itself."""
    places = [(30 + 80 * column, 40 + 34 * row) for row in range(_ROWS) for column in range(_COLUMNS)]
    texts = [("no" if number % 2 else "if", left, top) for number, (left, top) in enumerate(places)]
    lines = [line_of(text, left, top, 24, f"l{number}") for number, (text, left, top) in enumerate(texts)]
    return written(30 + 80 * _COLUMNS, 60 + 34 * _ROWS, texts, 24), region_of(*lines)


STRANGE = {
    "one pixel": paper(1, 1),
    "one row": paper(400, 1),
    "one column": paper(1, 400),
    "100 pixels wide": written(100, 800, [("if", 20, 100), ("no", 20, 200)]),
    "black": paper(900, 1200, 0),
    "noise": noise(700, 900),
    "very wide": written(14_000, 120, [(SENTENCE, 60 + 1_300 * place, 70) for place in range(10)]),
    "very high": written(120, 9_000, [("if", 20, 100 + 400 * place) for place in range(20)]),
}
"""Pages that nobody should have to read."""


def check_page(regions: Sequence[Region], image: Image) -> None:
    """What holds of every page that an engine gives."""
    height, width = image.shape[:2]
    ids = [each.id for region in regions for each in (region, *region.lines)]
    assert len(ids) == len(set(ids))
    for region in regions:
        # An update that was not validated comes out here: its text may be neither NFC nor printable.
        assert Region.model_validate(region.model_dump()) == region
        for points in (
            region.boundary,
            *(points for line in region.lines for points in (line.boundary, line.baseline)),
        ):
            assert all(0 <= x < width and 0 <= y < height for x, y in points)
        for line in region.lines:
            check_text(line, width, height)


def check_text(line: Line, width: int, height: int) -> None:
    for text in (line.text, *(word.text for word in line.words)):
        assert text == unicodedata.normalize("NFC", text) == clean_text(text)
    if line.words:
        assert line.text == " ".join(word.text for word in line.words)
    for word in line.words:
        left, top, right, bottom = word.box
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert word.text
        assert not any(character.isspace() for character in word.text)


def memory_mb() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss) / (1 << 20)


class SegmenterContract:
    """For each segmenter. A subclass overrides :meth:`segmenter`, with a scope of its class."""

    many_found = 1_000
    """Of 3,000 words; what cannot be told apart at the engine's scale may be joined."""

    @pytest.fixture(scope="class")
    def segmenter(self) -> Segmenter:
        raise NotImplementedError

    def test_a_blank_page_has_no_lines(self, segmenter: Segmenter) -> None:
        assert segmenter.segment(paper(1000, 1400)) == ()

    def test_one_line_is_found_where_it_is(self, segmenter: Segmenter) -> None:
        image = written(1200, 800, [(SENTENCE, 200, 300)])
        regions = segmenter.segment(image)
        check_page(regions, image)
        (line,) = [line for region in regions for line in region.lines]
        left, top, right, bottom = line.box
        end = 200 + font(36).getlength(SENTENCE)
        assert abs(left - 200) < 30
        assert abs(right - end) < 30
        assert top < 285 < 300 < bottom
        (x0, y0), (x1, y1) = line.baseline[0], line.baseline[-1]
        assert x0 < x1
        assert abs(y0 - 300) < 12
        assert abs(y1 - 300) < 12

    def test_lines_come_without_text_and_in_order(self, segmenter: Segmenter) -> None:
        image = written(1200, 1000, [(SENTENCE, 200, 200 + 90 * row) for row in range(6)])
        lines = [line for region in segmenter.segment(image) for line in region.lines]
        assert len(lines) == 6
        assert all(before.box[1] < after.box[1] for before, after in pairwise(lines))
        assert all(not line.text and not line.words and line.confidence is None for line in lines)

    @pytest.mark.parametrize("name", STRANGE)
    def test_a_strange_page_is_a_page(self, segmenter: Segmenter, name: str) -> None:
        check_page(segmenter.segment(STRANGE[name]), STRANGE[name])

    def test_3000_words_on_a_page_are_segmented(self, segmenter: Segmenter) -> None:
        image, _ = many_words()
        regions = segmenter.segment(image)
        check_page(regions, image)
        assert sum(len(region.lines) for region in regions) >= self.many_found

    def test_the_same_page_gives_the_same_lines_and_stays_as_it_is(self, segmenter: Segmenter) -> None:
        image = written(1200, 800, [(SENTENCE, 200, 300), (SENTENCE, 200, 400)])
        before = image.copy()
        image.flags.writeable = False
        assert segmenter.segment(image) == segmenter.segment(image)
        assert (image == before).all()

    def test_memory_does_not_grow_with_the_pages(self, segmenter: Segmenter) -> None:
        image = written(1200, 800, [(SENTENCE, 200, 300)])
        sizes = []
        for _ in range(6):
            segmenter.segment(image)
            sizes.append(memory_mb())
        assert sizes[-1] < sizes[2] + 60

    def test_it_says_what_it_is(self, segmenter: Segmenter) -> None:
        assert segmenter.step.task == "segmentation"
        assert segmenter.step.version
        assert segmenter.step.model


class RecognizerContract:
    """For each recogniser of lines. A subclass overrides :meth:`recognizer`, with a scope of its class."""

    most_errors = 2
    """Wrong characters that a clean line of 34 may have."""
    many = MANY
    """Lines of the page of 3,000 that are read."""

    @pytest.fixture(scope="class")
    def recognizer(self) -> Recognizer:
        raise NotImplementedError

    def read(self, recognizer: Recognizer, image: Image, *lines: Line) -> tuple[Line, ...]:
        """Read lines, and check that they are the same ones."""
        (region,) = recognizer.recognize(image, (region_of(*lines),))
        assert [line.id for line in region.lines] == [line.id for line in lines]
        for before, after in zip(lines, region.lines, strict=True):
            assert after.boundary == before.boundary
            assert after.confidence is not None
            assert after.correction == before.correction
            check_text(after, image.shape[1], image.shape[0])
        assert Region.model_validate(region.model_dump()) == region
        return region.lines

    def test_a_page_without_lines_stays_one(self, recognizer: Recognizer) -> None:
        assert recognizer.recognize(paper(500, 700), ()) == ()
        assert recognizer.recognize(paper(500, 700), (region_of(),)) == (region_of(),)

    def test_nothing_is_read_where_nothing_is(self, recognizer: Recognizer) -> None:
        (line,) = self.read(recognizer, paper(800, 300), line_of(SENTENCE, 50, 150))
        assert (line.text, line.words) == ("", ())

    def test_one_line_is_read_with_its_words_where_they_are(self, recognizer: Recognizer) -> None:
        (line,) = self.read(recognizer, written(900, 300, [(SENTENCE, 60, 150)]), line_of(SENTENCE, 60, 150))
        assert Levenshtein.distance(line.text, SENTENCE) <= self.most_errors
        assert line.confidence is not None
        assert line.confidence > 0.8
        assert len(line.words) == 6
        at = 0
        for word, text in zip(line.words, SENTENCE.split(), strict=True):
            start = 60 + font(36).getlength(SENTENCE[:at])
            end = start + font(36).getlength(text)
            at += len(text) + 1
            assert abs(word.box[0] - start) < 14, (word, start)
            assert abs(word.box[2] - end) < 14, (word, end)

    def test_order_ids_and_corrections_are_kept(self, recognizer: Recognizer) -> None:
        texts = ["no", "winter", "if", "harbour"]
        image = written(700, 600, [(text, 60, 100 + 90 * row) for row, text in enumerate(texts)])
        lines = [line_of(text, 60, 100 + 90 * row, name=f"x{3 - row}") for row, text in enumerate(texts)]
        lines[1] = lines[1].model_copy(update={"correction": "summer"})
        read = self.read(recognizer, image, *lines)
        assert [line.text for line in read if len(line.text) > 3] == ["winter", "harbour"]
        assert read[1].correction == "summer"

    def test_lines_of_any_shape_are_read(self, recognizer: Recognizer) -> None:
        image = written(900, 300, [(SENTENCE, 60, 150)])
        whole = line_of(SENTENCE, 60, 150)
        around = (
            (50, 118), (200, 112), (400, 112), (600, 112), (690, 116), (690, 158), (600, 163), (300, 163), (50, 160),
        )  # fmt: skip
        bent = ((60, 150), (200, 150), (400, 151), (682, 150))
        shapes = [
            whole.model_copy(update={"baseline": ()}),
            whole.model_copy(update={"boundary": around}),
            whole.model_copy(update={"boundary": around, "baseline": ()}),
            whole.model_copy(update={"boundary": around, "baseline": bent}),
        ]
        lines = [line.model_copy(update={"id": f"l{number}"}) for number, line in enumerate(shapes)]
        for line in self.read(recognizer, image, *lines):
            assert Levenshtein.distance(line.text, SENTENCE) <= self.most_errors + 2, line.id

    @pytest.mark.parametrize(
        ("boundary", "baseline"),
        [
            (box(2_000, 2_000, 2_400, 2_050), ((2_000, 2_040), (2_400, 2_040))),
            (box(-400, -90, -10, -20), ((-400, -40), (-10, -40))),
            (box(880, 100, 1_400, 160), ((880, 150), (1_400, 150))),
            (box(100, 100, 100, 100), ((100, 100), (100, 100))),
            (box(100, 100, 600, 100), ((100, 100), (600, 100))),
            (box(100, 100, 101, 101), ()),
            (((100, 100), (600, 160)), ((100, 150), (600, 150))),
            (((100, 100),), ()),
            ((), ((100, 150), (600, 150))),
            (((100, 100), (600, 160), (600, 100), (100, 160)), ((100, 150), (600, 150))),
            (box(100, 100, 600, 160), ((100, 150), (100, 150), (100, 150))),
            (box(100, 100, 600, 160), ((600, 150), (100, 150))),
            (box(100, 100, 600, 160), ((100, 150), (600, 150), (100, 140), (600, 130))),
            (box(100, 100, 600, 160), ((700, 10), (890, 20))),
            (box(0, 0, 899, 299), ((0, 0), (899, 299))),
        ],
    )
    def test_a_line_that_is_none_is_no_error(
        self, recognizer: Recognizer, boundary: tuple[Point, ...], baseline: tuple[Point, ...]
    ) -> None:
        image = written(900, 300, [(SENTENCE, 60, 150)])
        good = line_of(SENTENCE, 60, 150, name="good")
        bad = Line(id="bad", boundary=boundary, baseline=baseline)
        _, read = self.read(recognizer, image, bad, good)
        assert Levenshtein.distance(read.text, SENTENCE) <= self.most_errors

    @pytest.mark.parametrize("name", STRANGE)
    def test_a_strange_page_is_read(self, recognizer: Recognizer, name: str) -> None:
        image = STRANGE[name]
        height, width = image.shape[:2]
        whole = Line(id="whole", boundary=box(0, 0, width - 1, height - 1))
        based = whole.model_copy(update={"id": "based", "baseline": ((0, height // 2), (width - 1, height // 2))})
        leftwards = based.model_copy(update={"id": "leftwards", "direction": "rtl"})
        downwards = whole.model_copy(
            update={"id": "down", "baseline": ((width // 2, 0), (width // 2, height - 1)), "direction": "ttb"}
        )
        self.read(recognizer, image, whole, based, leftwards, downwards)

    def test_3000_lines_on_a_page_are_read_in_order(self, recognizer: Recognizer) -> None:
        image, region = many_words()
        lines = self.read(recognizer, image, *region.lines[: self.many])
        assert len(lines) == self.many
        right = sum(line.text == ("no" if number % 2 else "if") for number, line in enumerate(lines))
        wrong = sum(line.text == ("if" if number % 2 else "no") for number, line in enumerate(lines))
        assert right > 0.5 * self.many
        assert wrong == 0

    def test_the_same_page_gives_the_same_text_and_stays_as_it_is(self, recognizer: Recognizer) -> None:
        image = written(900, 300, [(SENTENCE, 60, 150)])
        before, regions = image.copy(), (region_of(line_of(SENTENCE, 60, 150)),)
        image.flags.writeable = False
        assert recognizer.recognize(image, regions) == recognizer.recognize(image, regions)
        assert (image == before).all()
        assert regions == (region_of(line_of(SENTENCE, 60, 150)),)

    def test_memory_does_not_grow_with_the_lines(self, recognizer: Recognizer) -> None:
        image = written(900, 300, [(SENTENCE, 60, 150)])
        lines = [line_of(SENTENCE, 60, 150, name=f"l{number}") for number in range(20)]
        sizes = []
        for _ in range(5):
            self.read(recognizer, image, *lines)
            sizes.append(memory_mb())
        assert sizes[-1] < sizes[1] + 60

    def test_a_line_as_long_as_a_roll_takes_bounded_memory(self, recognizer: Recognizer) -> None:
        image = noise(30_000, 40)
        before = memory_mb()
        self.read(recognizer, image, Line(id="l1", boundary=box(0, 10, 29_999, 30), baseline=((0, 25), (29_999, 25))))
        assert memory_mb() < before + 700

    def test_it_says_what_it_is(self, recognizer: Recognizer) -> None:
        assert recognizer.step.task == "recognition"
        assert recognizer.step.version
        assert recognizer.step.model


Said = Sequence[tuple[tuple[int, int, int, int], Sequence[str]]]
"""Blocks as a page's server says them: left, top, right, bottom in pixels, and lines of text."""


class BlockRecognizerContract:
    """For each recogniser of whole pages. A subclass gives :meth:`recognizer`, and plays its server by :meth:`say`."""

    @pytest.fixture(scope="class")
    def recognizer(self) -> Recognizer:
        raise NotImplementedError

    def say(self, image: Image, blocks: Said) -> None:
        """Have the server answer this when it is asked about an image."""
        raise NotImplementedError

    def test_a_blank_page_without_lines_has_no_regions(self, recognizer: Recognizer) -> None:
        image = paper(500, 700)
        self.say(image, [])
        assert recognizer.recognize(image, ()) == ()

    def test_one_line_gets_its_text(self, recognizer: Recognizer) -> None:
        image, line = written(900, 300, [(SENTENCE, 60, 150)]), line_of(SENTENCE, 60, 150)
        self.say(image, [((40, 100, 860, 180), [SENTENCE])])
        regions = recognizer.recognize(image, (region_of(line),))
        check_page(regions, image)
        assert [(read.text, read.box) for region in regions for read in region.lines] == [(SENTENCE, line.box)]

    def test_text_without_lines_is_the_text_of_its_region(self, recognizer: Recognizer) -> None:
        image = written(900, 300, [(SENTENCE, 60, 150)])
        self.say(image, [((40, 100, 860, 180), [SENTENCE])])
        (region,) = recognizer.recognize(image, ())
        assert (region.text, region.lines) == (SENTENCE, ())

    @pytest.mark.parametrize("name", STRANGE)
    def test_a_strange_page_is_read(self, recognizer: Recognizer, name: str) -> None:
        image = STRANGE[name]
        height, width = image.shape[:2]
        self.say(image, [((0, 0, width, height), ["if"])])
        whole = Line(id="whole", boundary=box(0, 0, width - 1, height - 1), baseline=((0, 0), (width - 1, 0)))
        check_page(recognizer.recognize(image, (region_of(whole),)), image)

    def test_3000_lines_on_a_page_are_read_in_order(self, recognizer: Recognizer) -> None:
        image, region = many_words()
        height, width = image.shape[:2]
        # Not what is drawn: an answer that repeats itself is refused.
        texts = [str(number) for number in range(MANY)]
        self.say(image, [((0, 0, width, height), texts)])
        regions = recognizer.recognize(image, (region,))
        check_page(regions, image)
        read = [line.text for each in regions for line in each.lines] or regions[0].text.split("\n")
        assert read == texts

    def test_the_same_page_gives_the_same_text_and_stays_as_it_is(self, recognizer: Recognizer) -> None:
        image = written(900, 300, [(SENTENCE, 60, 150)])
        self.say(image, [((40, 100, 860, 180), [SENTENCE])])
        before, regions = image.copy(), (region_of(line_of(SENTENCE, 60, 150)),)
        image.flags.writeable = False
        assert recognizer.recognize(image, regions) == recognizer.recognize(image, regions)
        assert (image == before).all()
        assert regions == (region_of(line_of(SENTENCE, 60, 150)),)

    def test_it_says_what_it_is(self, recognizer: Recognizer) -> None:
        assert recognizer.step.task == "recognition"
        assert recognizer.step.version
        assert recognizer.step.model
