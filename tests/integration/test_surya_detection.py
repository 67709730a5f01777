"""surya's line detection: its own network and code with small weights, and layout by a server that plays its model."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from surya_server import (
    MODEL,
    Bar,
    Blocks,
    FakeSurya,
    Said,
    draw,
    fake_surya,
    layout_json,
    thousandths,
    write_detector,
)

from archive_pipeline.engines.surya_detection import SuryaSegmenter
from archive_pipeline.errors import ModelError, ServerFailed
from archive_pipeline.models.installed import InstalledFile, InstalledModel
from archive_pipeline.page import Box, Region

LEFT = [Bar.of("Acte de naissance", 60, 300 + 60 * n, letter=24, height=20) for n in range(5)]
RIGHT = [Bar.of("le quatre mars 19", 540, 330 + 60 * n, letter=24, height=20) for n in range(5)]
TITLE = [Bar.of("Registre des actes de 1914", 200, 100, letter=24)]


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> InstalledModel:
    return write_detector(tmp_path_factory.mktemp("detector"))


@pytest.fixture(scope="module")
def segmenter(detector: InstalledModel) -> SuryaSegmenter:
    return SuryaSegmenter(detector)


def boxes(regions: tuple[Region, ...]) -> list[Box]:
    return [line.box for region in regions for line in region.lines]


def assert_near(found: Box, bar: Bar, scale: int = 1) -> None:
    """surya makes boxes higher by a tenth, and these weights smear by up to 24 pixels."""
    for value, expected in zip(found, bar.box, strict=True):
        assert abs(value - expected * scale) <= 26 * scale, (found, bar)


def test_lines_come_in_our_reading_order_with_places_on_the_page(segmenter: SuryaSegmenter) -> None:
    regions = segmenter.segment(draw(TITLE + LEFT + RIGHT))
    assert [len(region.lines) for region in regions] == [1, 5, 5]
    for found, bar in zip(boxes(regions), TITLE + LEFT + RIGHT, strict=True):
        assert_near(found, bar)
    ids = [line.id for region in regions for line in region.lines]
    assert len(set(ids)) == len(ids)
    for region in regions:
        for line in region.lines:
            (x0, y0), (x1, y1) = line.baseline
            assert x0 < x1
            # A bar's ink ends at its lower edge.
            assert 0.5 <= (y0 - line.box[1]) / (line.box[3] - line.box[1]) <= 1
            assert abs(y0 - y1) <= 1


def test_a_large_scan_gives_the_same_lines_at_its_own_scale(segmenter: SuryaSegmenter) -> None:
    page = draw(TITLE + LEFT)
    large = np.ascontiguousarray(np.repeat(np.repeat(page, 3, axis=0), 3, axis=1))
    for found, bar in zip(boxes(segmenter.segment(large)), TITLE + LEFT, strict=True):
        assert_near(found, bar, scale=3)


def test_a_long_page_is_looked_at_in_pieces(segmenter: SuryaSegmenter) -> None:
    bars = [Bar.of("une ligne", 100, 100 + 175 * n) for n in range(20)]
    found = boxes(segmenter.segment(draw(bars, height=3600)))
    assert len(found) == 20
    for box, bar in zip(found, bars, strict=True):
        assert_near(box, bar)


@pytest.mark.parametrize(("height", "width"), [(5, 400), (400, 5), (8, 8), (3000, 100), (100, 3000), (40_000, 60)])
@pytest.mark.parametrize("paper", [0, 255])
def test_pages_of_any_shape_end(segmenter: SuryaSegmenter, height: int, width: int, paper: int) -> None:
    page = np.full((height, width, 3), paper, np.uint8)
    regions = segmenter.segment(page)
    if paper == 255 or min(height, width) < 8:
        assert regions == ()
    for left, top, right, bottom in boxes(regions):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


def test_the_weights_are_those_of_the_file(tmp_path: Path) -> None:
    model = write_detector(tmp_path, finds_ink=False, seed=7)
    loaded = SuryaSegmenter(model)._detector.model.state_dict()
    stored = load_file(model.path)
    assert stored.keys() <= loaded.keys()
    assert all(np.array_equal(loaded[name].numpy(), value.numpy()) for name, value in stored.items())
    assert float(stored["decode_head.classifier.weight"].abs().max()) > 0


def damage(folder: Path) -> None:
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-5] ^= 1
    (folder / "model.safetensors").write_bytes(data)


def drop_weights(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["decode_head.classifier.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def add_pickle(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")


def other_shape(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(path.read_text("utf-8").replace('"head_dim": 8', '"head_dim": 4'), "utf-8")


def no_configuration(folder: Path) -> None:
    (folder / "config.json").write_text("[]", "utf-8")


@pytest.mark.parametrize(
    ("harm", "verified", "reason"),
    [
        (damage, True, "is damaged"),
        (lambda folder: (folder / "config.json").unlink(), True, "cannot be read"),
        (add_pickle, True, "are others: pytorch_model.bin"),
        (drop_weights, False, "lacks 1 of its weights, such as decode_head.classifier.weight"),
        (other_shape, False, "cannot be loaded by surya"),
        (no_configuration, False, "cannot be loaded by surya"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"no weights"), False, "cannot be loaded by surya"),
    ],
)
def test_files_that_are_not_the_model_are_refused(
    detector: InstalledModel, tmp_path: Path, harm: Callable[[Path], None], verified: bool, reason: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(detector.folder, folder)
    harm(folder)
    files = tuple(file.model_copy(update={"path": folder / file.path.name}) for file in detector.files)
    if not verified:  # a maker may also publish such files, with the right digest
        import hashlib

        files = tuple(
            InstalledFile(
                path=file.path, sha256=hashlib.sha256(file.path.read_bytes()).hexdigest(), size=file.path.stat().st_size
            )
            for file in files
        )
    with pytest.raises(ModelError, match=reason):
        SuryaSegmenter(detector.model_copy(update={"files": files}))


def with_layout(detector: InstalledModel, surya: FakeSurya) -> SuryaSegmenter:
    return SuryaSegmenter(detector.model_copy(update={"served": MODEL}), surya.server())


def test_with_a_server_regions_and_their_order_are_the_servers(detector: InstalledModel) -> None:
    note = [Bar.of("en marge", 700, 1250)]
    blocks: Blocks = [
        ("Text", thousandths(RIGHT), ""),
        ("Section-Header", thousandths(TITLE), ""),
        ("Table", thousandths(LEFT), ""),
        ("Image", (100, 750, 300, 850), ""),
        ("Something-New", (400, 750, 600, 850), ""),
    ]
    page = draw(TITLE + LEFT + RIGHT + note)
    page[1050:1190, 99:594] = np.arange(495, dtype=np.uint8)[None, :, None] // 2 + 120  # something that is not blank
    with fake_surya(layout=Said(layout_json(blocks))) as surya:
        segmenter = with_layout(detector, surya)
        regions = segmenter.segment(page)
    types = [region.type for region in regions]
    assert types[:5] == ["text", "heading", "table", "graphic", "other"]
    assert [len(region.lines) for region in regions[:3]] == [5, 1, 5]
    for found, bar in zip(boxes(regions[:3]), RIGHT + TITLE + LEFT, strict=True):
        assert_near(found, bar)
    # What lies in no block is kept, after the blocks.
    assert_near(boxes(regions)[-1], note[0])
    assert segmenter.step.parameters["layout"] == MODEL
    assert_near(regions[0].box, Bar((540, 330, 948, 590), ""))


def test_a_blank_page_is_not_asked_about(detector: InstalledModel) -> None:
    with fake_surya() as surya:
        assert with_layout(detector, surya).segment(draw([])) == ()
        assert surya.connections == 0


def test_a_layout_that_is_none_fails_the_page(detector: InstalledModel) -> None:
    with fake_surya(layout=Said("no JSON")) as surya, pytest.raises(ServerFailed, match="no list of blocks"):
        with_layout(detector, surya).segment(draw(LEFT))


def test_a_layout_by_a_server_needs_one(detector: InstalledModel) -> None:
    with pytest.raises(ModelError, match="needs a server"):
        SuryaSegmenter(detector.model_copy(update={"served": MODEL}))
