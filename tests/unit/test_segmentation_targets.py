"""What a segmentation network is shown of a page: targets as kraken draws them, and what is not drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kraken.lib.dataset import ImageInputTransforms
from PIL import Image as PillowImage
from segmentation_networks import MAPPING

from archive_pipeline.engines.kraken_input import not_too_wide, scaled
from archive_pipeline.engines.tiny_weights import drop_tiny_weights
from archive_pipeline.errors import BadGroundTruth
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.training.segmentation.augment import changed
from archive_pipeline.training.segmentation.losses import SegmentationLoss
from archive_pipeline.training.segmentation.prepared import PreparedPage
from archive_pipeline.training.segmentation.shapes import Classes, Shapes, shapes_of
from archive_pipeline.training.segmentation.targets import TargetPainter
from archive_pipeline.training.segmentation.tensors import as_input

CLASSES = Classes.of(MAPPING, 4)
START, END, LINE, TEXT = range(4)
BOX = ((10, 10), (190, 10), (190, 90), (10, 90))


def page(
    *baselines: tuple[tuple[int, int], ...], kind: str = "text", boundary: tuple[tuple[int, int], ...] = ()
) -> Page:
    lines = tuple(Line(id=f"l{n}", boundary=(), baseline=points) for n, points in enumerate(baselines))
    region = Region(id="r", type=kind, boundary=boundary, lines=lines)  # type: ignore[arg-type]
    return Page(number=1, width=200, height=100, regions=(region,))


def drawn(found: Shapes, width: int = 200, height: int = 100) -> torch.Tensor:
    return TargetPainter(CLASSES, line_width=8).draw(found, width, height)


def test_a_baseline_is_a_stroke_of_the_given_width_with_a_separator_at_each_end():
    target = drawn(shapes_of(page(((40, 50), (160, 50))), CLASSES))
    rows = target[LINE, :, 100].nonzero().flatten().tolist()
    assert (rows[0], rows[-1]) == (46, 54)
    assert target[LINE].any(0).nonzero().flatten().tolist() == list(range(40, 161))
    assert target[START].any(0).nonzero().flatten().max() < 60
    assert target[END].any(0).nonzero().flatten().min() > 140
    assert not (target[START].bool() & target[LINE].bool()).any()
    assert not target[TEXT].any()


def test_a_region_is_drawn_into_the_channel_of_its_type_or_of_text():
    classes = Classes.of({**MAPPING, "regions": {"text": 3, "table": 4}}, 5)
    for kind, channel in (("text", 3), ("marginalia", 3), ("table", 4)):
        target = TargetPainter(classes, 8).draw(
            shapes_of(page(((40, 50), (160, 50)), kind=kind, boundary=BOX), classes), 200, 100
        )
        assert target[channel, 20, 20] == 1
        assert target[channel, 5, 5] == 0
        assert not target[7 - channel].any()
    assert shapes_of(page(((40, 50), (160, 50)), kind="graphic", boundary=BOX), classes).regions == {}


@pytest.mark.parametrize(
    "boundary", [(), ((0, 0), (199, 0), (199, 99), (0, 99))], ids=["without a polygon", "as large as the page"]
)
def test_a_page_that_does_not_say_where_its_regions_are_teaches_nothing_of_regions(boundary):
    found = shapes_of(page(((40, 50), (160, 50)), boundary=boundary), CLASSES)
    assert not found.regions_known
    loss, target = SegmentationLoss(CLASSES, 0.5), drawn(found)[None]
    draw = torch.Generator().manual_seed(1)
    logits = torch.randn(target.shape, generator=draw)
    other = logits.clone()
    other[:, TEXT] = 9
    assert loss(logits, target, found) == loss(other, target, found)
    told = Shapes(found.baselines, regions_known=True)
    assert loss(logits, target, told) != loss(other, target, told)


def test_lines_without_a_drawable_baseline_are_left_out_and_too_many_of_them_refuse_the_page():
    good = [((40, y), (160, y)) for y in range(5, 65, 3)]
    ring = ((40, 80), (60, 80), (60, 90), (40, 90), (40, 80))
    assert shapes_of(page(*good, ring), CLASSES).left_out == 1
    assert shapes_of(page(*good, ((40, 80), (40, 80))), CLASSES).left_out == 1
    with pytest.raises(BadGroundTruth, match="2 of its 22 lines have no baseline"):
        shapes_of(page(*good, ring, ()), CLASSES)
    with pytest.raises(BadGroundTruth, match="no line of it has a baseline"):
        shapes_of(page(), CLASSES)


@settings(max_examples=60)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(-300, 500), st.integers(-300, 400)), min_size=2, max_size=6),
        min_size=1,
        max_size=5,
    ),
    st.lists(st.tuples(st.integers(-300, 500), st.integers(-300, 400)), min_size=3, max_size=6),
)
def test_whatever_points_a_page_has_the_target_is_drawn_or_the_page_is_refused(baselines, boundary):
    try:
        found = shapes_of(page(*map(tuple, baselines), boundary=tuple(boundary)), CLASSES)
    except BadGroundTruth:
        return
    target = drawn(found)
    assert target.shape == (4, 100, 200)
    assert set(target.unique().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("seed", range(5))
def test_a_changed_page_has_its_ink_where_its_points_are(seed):
    pixels = np.full((400, 300, 3), 255, np.uint8)
    spots = [(60, 100), (220, 90), (150, 300)]
    for x, y in spots:
        pixels[y - 2 : y + 3, x - 2 : x + 3] = 0
    points = np.array(spots, np.float64)
    lit, moved = changed(PreparedPage("p", pixels, Shapes([points])), np.random.default_rng(seed))
    assert not np.array_equal(moved.baselines[0], points)
    for x, y in moved.baselines[0]:
        left, top = round(x) - 8, round(y) - 8
        around = 255.0 - lit[top : top + 17, left : left + 17, 0]
        ink = np.where(around > 100, around, 0)
        ys, xs = np.indices(ink.shape)
        assert (ink * xs).sum() / ink.sum() + left == pytest.approx(x, abs=1)
        assert (ink * ys).sum() / ink.sum() + top == pytest.approx(y, abs=1)


def test_a_changed_page_is_the_same_for_the_same_draw():
    pixels = np.random.default_rng(1).integers(0, 255, (60, 50, 3)).astype(np.uint8)
    prepared = PreparedPage("p", pixels, Shapes([np.array([[1.0, 2.0], [30.0, 2.0]])]))
    first, again = (changed(prepared, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1].baselines[0], again[1].baselines[0])
    assert not np.array_equal(first[0], changed(prepared, np.random.default_rng(4))[0])


def test_the_input_is_dark_on_light_turned_to_one_on_zero_as_kraken_does():
    pixels = np.array([[[255, 255, 255], [0, 0, 0]], [[128, 128, 128], [255, 0, 255]]], np.uint8)
    found = as_input(pixels)
    assert found.shape == (1, 3, 2, 2)
    assert found[0, :, 0, 0].tolist() == [0, 0, 0]
    assert found[0, :, 0, 1].tolist() == [1, 1, 1]
    assert found[0, 1, 1, 0].item() == pytest.approx(127 / 255)


@pytest.mark.parametrize(("width", "channels"), [(300, 3), (777, 3), (50, 1)], ids=str)
def test_a_page_is_scaled_as_krakens_own_transforms_scale_it(width, channels):
    pixels = np.random.default_rng(width).integers(0, 255, (400, width, 3)).astype(np.uint8)
    ours = as_input(scaled(pixels, 160, channels))
    krakens = ImageInputTransforms(1, 160, 0, channels, 0, valid_norm=False)(PillowImage.fromarray(pixels))[None]
    assert torch.equal(ours, krakens)


def test_a_very_wide_page_goes_on_below_so_that_the_network_gets_two_heights_at_most():
    pixels = np.zeros((10, 100, 3), np.uint8)
    pixels[-1] = 7
    padded = not_too_wide(pixels)
    assert padded.shape == (50, 100, 3)
    assert (padded[10:] == 7).all()
    assert not_too_wide(padded) is padded


def test_weights_that_are_denormal_numbers_become_zero_and_no_others():
    layer = torch.nn.Linear(4, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1e-39, -1e-45, 1.3e-38, -2.0]]))
    drop_tiny_weights(layer)
    assert layer.weight.tolist()[0] == [0, 0, pytest.approx(1.3e-38), -2]
