"""Which text is whose line: only where nothing speaks against it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.engines.line_matching import SLACK, TOLERANCE, fits
from archive_pipeline.page import Box


def stacked(widths: list[int], height: int = 30) -> list[Box]:
    return [(50, 40 * n, 50 + width, 40 * n + height) for n, width in enumerate(widths)]


@st.composite
def blocks(draw: st.DrawFn) -> tuple[list[str], list[Box], float]:
    """Lines of text with boxes as a typesetter makes them: lines come out longer or shorter by a tenth."""
    height = draw(st.integers(20, 80))
    advance = height * draw(st.floats(0.3, 0.8))
    lengths = draw(st.lists(st.integers(3, 90), min_size=1, max_size=40))
    texts, widths = [], []
    for length in lengths:
        texts.append(draw(st.sampled_from("etaoin")) * length)
        widths.append(max(1, round(advance * length * draw(st.floats(0.9, 1.1)))))
    return texts, [(9, 2 * height * n, 9 + w, 2 * height * n + height) for n, w in enumerate(widths)], advance


@given(blocks())
def test_lines_as_long_as_their_text_are_matched(block: tuple[list[str], list[Box], float]) -> None:
    texts, boxes, _ = block
    assert fits(texts, boxes)


@given(blocks(), st.data())
def test_a_line_too_few_or_too_many_is_never_matched(
    block: tuple[list[str], list[Box], float], data: st.DataObject
) -> None:
    texts, boxes, _ = block
    gone = data.draw(st.integers(0, len(texts) - 1))
    assert not fits(texts[:gone] + texts[gone + 1 :], boxes)
    assert not fits(texts, boxes[:gone] + boxes[gone + 1 :])


@given(blocks(), st.data())
def test_texts_in_another_order_are_matched_only_where_each_has_about_its_length(
    block: tuple[list[str], list[Box], float], data: st.DataObject
) -> None:
    texts, boxes, _ = block
    shuffled = data.draw(st.permutations(texts))
    if fits(shuffled, boxes):
        for text, box in zip(shuffled, boxes, strict=True):
            # Each line is within the tolerance of what the usual advance makes of its text, and that is one of theirs.
            advances = sorted((b[2] - b[0]) / len(t) for t, b in zip(shuffled, boxes, strict=True))
            width, length = box[2] - box[0], len(text)
            slack = max(TOLERANCE * length, SLACK)
            assert advances[0] * (length - slack) <= width <= advances[-1] * (length + slack)


def test_a_line_that_was_split_and_one_that_was_lost_do_not_pass_for_each_other() -> None:
    boxes = stacked([600, 600, 600])
    assert fits(["a" * 40, "b" * 41, "c" * 38], boxes)
    # The model put the first two together and broke the last in two: as many lines, but others.
    assert not fits(["a" * 81, "b" * 20, "c" * 18], boxes)


@pytest.mark.parametrize(
    ("texts", "boxes"),
    [
        ([], []),
        (["a" * 20, "b" * 20], [(0, 0, 300, 30), (400, 0, 700, 30)]),  # cells of a row
        (["a" * 20, "b" * 20], [(0, 0, 30, 300), (0, 310, 30, 600)]),  # text that runs upwards
        (["a" * 20, "b" * 20], [(0, 60, 300, 90), (0, 0, 300, 30)]),  # from below
        (["a" * 200], [(0, 0, 300, 30)]),  # letters of a twentieth of the height
        (["I"], [(0, 0, 900, 30)]),  # one letter as wide as the page
    ],
)
def test_what_leaves_a_doubt_is_not_matched(texts: list[str], boxes: list[Box]) -> None:
    assert not fits(texts, boxes)


def test_a_short_line_may_be_out_by_three_letters() -> None:
    assert fits(["a" * 40, "b" * 42, "fin"], stacked([600, 630, 85]))
    assert not fits(["a" * 40, "b" * 42, "fin"], stacked([600, 630, 160]))
