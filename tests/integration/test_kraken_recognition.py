"""kraken's recognition, with networks of kraken that read: see :mod:`kraken_models`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kraken_models import bars_network, draw_bars, installed, ppocr_network, write

from archive_pipeline.demo import texts
from archive_pipeline.demo.pages import typed_page
from archive_pipeline.engines.base import Recognizer
from archive_pipeline.engines.factory import make_recognizer, signature
from archive_pipeline.engines.kraken_lines import line_patch
from archive_pipeline.errors import ModelError
from archive_pipeline.evaluation.scoring import score_page
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.page import Line, Region

ROWS = [0, 1, 2, 4, 5, 3, 0]  # "ab" and the third letter, a blank, the last, the fourth, the first
LATIN = ["a", "b", "e\u0301", "d", " ", "f"]
HEBREW = ["א", "ב", "ג", "1", " ", "2"]


def read(recognizer: Recognizer, page: np.ndarray, line: Line) -> Line:
    (region,) = recognizer.recognize(page, (Region(id="r1", boundary=line.boundary, lines=(line,)),))
    return region.lines[0]


@pytest.fixture(scope="module")
def ppocr(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    network = ppocr_network(ModelLibrary().installed("ppocr-v6-latin").read())
    return make_recognizer(write(network, tmp_path_factory.mktemp("kraken") / "ppocr.safetensors"))


@pytest.mark.parametrize("suffix", ["mlmodel", "safetensors"])
def test_both_formats_give_composed_text_and_words_where_they_are(tmp_path: Path, suffix: str) -> None:
    recognizer = make_recognizer(write(bars_network(LATIN), tmp_path / f"bars.{suffix}"))
    page, line, boxes = draw_bars(ROWS, 100, 50, 400, 150)
    found = read(recognizer, page, line)
    assert found.text == "abé fda"
    assert found.confidence == pytest.approx(1, abs=0.01)
    assert found.direction == "ltr"
    assert [word.text for word in found.words] == ["abé", "fda"]
    for word, inked in zip(found.words, (boxes[:3], boxes[4:]), strict=True):
        assert abs(word.box[0] - inked[0][0]) <= 6
        assert abs(word.box[2] - inked[-1][2]) <= 6
        assert word.box[1] <= inked[0][1]
        assert word.box[3] >= max(box[3] for box in inked)


def test_text_that_runs_to_the_left_comes_in_logical_order_with_numbers_to_the_right(tmp_path: Path) -> None:
    recognizer = make_recognizer(write(bars_network(HEBREW), tmp_path / "bars.safetensors"))
    page, line, boxes = draw_bars(ROWS, 100, 50, 400, 150)
    found = read(recognizer, page, line)
    assert found.text == "א21 גבא"
    assert found.direction == "rtl"
    # The word that is read first stands on the right.
    assert [word.text for word in found.words] == ["א21", "גבא"]
    assert abs(found.words[0].box[2] - boxes[-1][2]) <= 6
    assert abs(found.words[1].box[0] - boxes[0][0]) <= 6
    known = line.model_copy(update={"direction": "rtl", "baseline": line.baseline[::-1]})
    assert read(recognizer, page, known).text == "א21 גבא"


def test_a_line_of_another_direction_is_not_turned_by_a_few_letters(tmp_path: Path) -> None:
    recognizer = make_recognizer(write(bars_network(["א", "b", "c", "d", " ", "f"]), tmp_path / "bars.safetensors"))
    page, line, _ = draw_bars(ROWS[:-1], 100, 50, 400, 150)
    found = read(recognizer, page, line)
    assert (found.text, found.direction) == ("אbc fd", "ltr")
    assert read(recognizer, page, line.model_copy(update={"direction": "rtl"})).text == "bc fdא"


@pytest.mark.parametrize("turn", [1, 3])
def test_text_that_runs_up_or_down_is_read_whichever_way(tmp_path: Path, turn: int) -> None:
    network = bars_network(["a", "b", "c", "d", "e", "f"])
    network.nn[-1].lin.weight.data[4:] *= 0.47  # what the text is upside down, the network reads with doubt
    recognizer = make_recognizer(write(network, tmp_path / "bars.safetensors"))
    page, line, _ = draw_bars([0, 1, 1, 2, 0], 60, 50, 300, 150)
    turned = np.ascontiguousarray(np.rot90(page, turn))

    def rotate(x: int, y: int) -> tuple[int, int]:
        return (y, 299 - x) if turn == 1 else (149 - y, x)

    boundary = tuple(rotate(x, y) for x, y in line.boundary)
    baseline = tuple(rotate(x, y) for x, y in line.baseline)
    along = line.model_copy(update={"boundary": boundary, "baseline": baseline})
    for lies in (along, along.model_copy(update={"baseline": baseline[::-1]})):
        found = read(recognizer, turned, lies)
        assert found.text == "abbca"
        assert found.baseline == baseline


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("bent", [True, False])
def test_models_of_old_get_their_lines_as_they_were_trained_on_them(tmp_path: Path, legacy: bool, bent: bool) -> None:
    network = bars_network(LATIN)
    network.use_legacy_polygons = legacy
    recognizer = make_recognizer(write(network, tmp_path / "bars.mlmodel"))
    page, line, _ = draw_bars(ROWS, 100, 50, 400, 150)
    (x0, y), (x1, _) = line.baseline
    if bent:
        line = line.model_copy(update={"baseline": ((x0, y), (x0 + 60, y), (x1, y))})
    assert read(recognizer, page, line).text == "abé fda"
    assert recognizer.step.parameters["legacy_polygons"] is legacy


def test_a_model_for_black_and_white_pages_gets_them(tmp_path: Path) -> None:
    network = bars_network(LATIN)
    network.one_channel_mode = "1"
    recognizer = make_recognizer(write(network, tmp_path / "bars.mlmodel"))
    page, line, _ = draw_bars(ROWS, 100, 50, 400, 150)
    grey = np.where(page == 0, 120, 215).astype(np.uint8)  # too faint for the network as it is
    assert read(recognizer, grey, line).text == "abé fda"
    assert read(recognizer, np.full_like(page, 90), line).text == ""


def test_a_line_that_is_read_with_doubt_gets_no_text(tmp_path: Path) -> None:
    network = bars_network(LATIN)
    network.nn[-1].lin.weight.data *= 0.42  # a bar is as likely as none
    recognizer = make_recognizer(write(network, tmp_path / "bars.mlmodel"))
    page, line, _ = draw_bars(ROWS, 100, 50, 400, 150)
    found = read(recognizer, page, line.model_copy(update={"text": "old"}))
    assert (found.text, found.words) == ("", ())
    assert found.confidence is not None
    assert found.confidence < 0.7


def test_typescript_is_read_as_well_as_by_the_same_network_elsewhere(ppocr: Recognizer) -> None:
    other = make_recognizer(ModelLibrary().installed("ppocr-v6-latin"))
    pixels, truth = typed_page(1, texts.LETTER[0], 1915)
    errors = []
    for recognizer in (other, ppocr):
        regions = recognizer.recognize(pixels, truth.regions)
        score = score_page(
            [line.text for line in truth.lines()], [line.text for region in regions for line in region.lines]
        )
        errors.append(score.errors)
    assert score.characters > 600
    assert errors[1] <= errors[0] + 3
    assert errors[1] < 0.01 * score.characters


def test_a_very_long_line_is_squeezed_and_a_large_one_shrunk() -> None:
    page = np.full((2_000, 30_000, 3), 200, np.uint8)
    long = line_patch(page, Line(id="l", boundary=((0, 100), (29_999, 100), (29_999, 120), (0, 120))))
    assert long is not None
    assert long.image.shape[1] <= 101 * 20
    assert long.on_page([(long.image.shape[1], 0)])[0][0] == pytest.approx(29_999, abs=20)
    large = line_patch(page, Line(id="l", boundary=((0, 0), (29_999, 0), (29_999, 1_999), (0, 1_999))))
    assert large is not None
    assert large.image.shape[0] * large.image.shape[1] < 8_100_000


def test_a_segmentation_model_and_other_files_are_refused_with_a_reason(tmp_path: Path) -> None:
    blla = ModelLibrary().installed("kraken-blla").model_copy(update={"task": "recognition"})
    with pytest.raises(ModelError, match="no network that reads lines"):
        make_recognizer(blla)
    for name in ("bad.mlmodel", "bad.safetensors"):
        (tmp_path / name).write_bytes(b"\x08\x01 no model at all")
        with pytest.raises(ModelError, match="cannot be loaded by kraken"):
            make_recognizer(installed(tmp_path / name))


def test_a_model_with_other_bytes_than_it_must_have_is_never_loaded(tmp_path: Path) -> None:
    model = write(bars_network(LATIN), tmp_path / "bars.mlmodel")
    data = bytearray(model.path.read_bytes())
    data[len(data) // 2] ^= 1
    model.path.write_bytes(data)
    with pytest.raises(ModelError, match="SHA-256"):
        make_recognizer(model)


def test_results_of_kraken_depend_on_its_version_and_the_task(tmp_path: Path) -> None:
    model = write(bars_network(LATIN), tmp_path / "bars.mlmodel")
    assert signature(model)[:3] == ["kraken", "bars", model.digest]
    assert "7.1" in signature(model)[3]
    assert len(signature(model)) == 5
