"""Reading order and line boxes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.engines.line_boxes import full_height, join_fragments, size, upright
from archive_pipeline.engines.reading_order import order_blocks

H = 30


def _box(left: float, top: float, width: float, height: float = H) -> np.ndarray:
    return np.array(
        [[left, top], [left + width, top], [left + width, top + height], [left, top + height]], dtype=np.float32
    )


def _turn(quad: np.ndarray, degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (quad @ matrix).astype(np.float32)


def _order(quads: list[np.ndarray]) -> list[int]:
    return [index for block in order_blocks(quads) for index in block.lines]


def test_one_column_is_read_from_top_to_bottom() -> None:
    assert _order([_box(100, 60 * row, 800) for row in (3, 1, 0, 2)]) == [2, 1, 3, 0]


def test_two_columns_are_read_one_after_the_other() -> None:
    quads = [_box(left, 300 + 45 * row, 600 - 7 * (row % 3)) for row in range(12) for left in (100, 760)]
    assert _order(quads) == [*range(0, 24, 2), *range(1, 24, 2)]


def test_skewed_columns_are_read_like_straight_ones() -> None:
    quads = [_turn(_box(left, 300 + 45 * row, 600), 2) for row in range(12) for left in (100, 760)]
    assert _order(quads) == [*range(0, 24, 2), *range(1, 24, 2)]


def test_a_heading_over_two_columns_comes_first_and_one_between_parts_them() -> None:
    upper = [_box(left, 200 + 45 * row, 600) for row in range(6) for left in (100, 760)]
    lower = [_box(left, 700 + 45 * row, 600) for row in range(6) for left in (100, 760)]
    quads = [_box(200, 100, 1000), *upper, _box(200, 600, 1000), *lower]
    first, second = list(range(1, 13)), list(range(14, 26))
    assert _order(quads) == [0, *first[::2], *first[1::2], 13, *second[::2], *second[1::2]]


def test_a_table_is_read_row_by_row_and_is_one_block() -> None:
    widths = (90, 260, 160, 60)
    quads = [
        _box(left, 200 + 70 * row, width)
        for row in range(8)
        for left, width in zip((100, 400, 900, 1300), widths, strict=True)
    ]
    (block,) = order_blocks(quads)
    assert block.is_table
    assert list(block.lines) == list(range(32))


def test_columns_of_a_play_on_one_grid_are_no_table() -> None:
    widths = [520, 90, 480, 300, 110, 540, 100, 430]
    quads = [
        _box(left, 200 + 40 * row, widths[(row + shift) % 8])
        for row in range(24)
        for left, shift in ((100, 0), (760, 3))
    ]
    assert _order(quads) == [*range(0, 48, 2), *range(1, 48, 2)]


def test_long_entries_that_nearly_reach_the_next_column_do_not_break_a_table() -> None:
    quads = []
    for row in range(16):
        entry = 470 if row % 5 == 2 else 250
        quads += [_box(100, 200 + 70 * row, 20), _box(400, 200 + 70 * row, entry), _box(900, 200 + 70 * row, 20)]
    (block,) = order_blocks(quads)
    assert block.is_table
    assert list(block.lines) == list(range(48))


def test_the_second_line_of_a_cell_follows_its_first() -> None:
    quads, expected = [], []
    for row in range(8):
        top = 200 + 120 * row
        quads += [_box(100, top, 90), _box(400, top, 260), _box(400, top + 36, 120), _box(900, top, 60)]
        expected += [4 * row, 4 * row + 1, 4 * row + 2, 4 * row + 3]
    assert _order(quads) == expected


@given(
    st.lists(
        st.tuples(st.integers(0, 2000), st.integers(0, 3000), st.integers(5, 900), st.integers(5, 80)), max_size=40
    )
)
def test_every_line_is_read_exactly_once(boxes: list[tuple[int, int, int, int]]) -> None:
    quads = [_box(*box) for box in boxes]
    assert sorted(_order(quads)) == list(range(len(quads)))


def test_fragments_of_a_line_are_joined_and_cells_are_not() -> None:
    joined = join_fragments([_box(100, 10, 200), _box(305, 12, 150), _box(600, 10, 100)])
    assert sorted(round(size(quad)[0]) for quad in joined) == [100, 355]


def test_a_ditto_mark_gets_the_height_and_place_of_its_row() -> None:
    lines = [_box(100, 100 * row, 500, 40) for row in range(1, 5)]
    mark = _box(800, 205, 18, 16)
    raised = full_height([*lines, mark])[-1]
    assert abs(raised[:, 1].min() - 200) <= 2
    assert abs(raised[:, 1].max() - 240) <= 2


def test_a_tall_box_is_read_from_its_foot() -> None:
    assert upright(_box(10, 10, 40, 400))[0].tolist() == [10, 410]
    assert upright(_box(10, 10, 30, 40))[0].tolist() == [10, 10]
