"""Fine-tuning of the bundled blla on drawn pages: it learns, survives a kill to the bit, and the engine loads it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from segmentation_networks import training_page

from archive_pipeline.engines.factory import make_segmenter
from archive_pipeline.evaluation.leaks import leaks_of
from archive_pipeline.evaluation.segmentation import segmentation_metrics
from archive_pipeline.models.installed import InstalledFile
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.trained import card_path, trained_record
from archive_pipeline.page import Page
from archive_pipeline.rendering.decoding import page_pixels
from archive_pipeline.training.candidates import install_segmentation
from archive_pipeline.training.segmentation.recipe import SegmentationRecipe
from archive_pipeline.training.segmentation.train import MODEL, TrainedSegmentation, train_segmentation
from archive_pipeline.training_sets.frozen import FrozenStore

RECIPE = SegmentationRecipe(
    height=160, steps=6, validate_every=3, checkpoint_every=2, learning_rate=2e-4, warmup=2, threads=1, patience=20
)


def train(images: Path, folder: Path, told=lambda _: None) -> TrainedSegmentation:
    images.mkdir(exist_ok=True)
    pages = [training_page(images, number) for number in (1, 2, 3)]
    return train_segmentation(pages[:2], pages[2:], ModelLibrary().installed("kraken-blla"), RECIPE, folder, told)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[TrainedSegmentation, Path]:
    folder = tmp_path_factory.mktemp("undisturbed")
    return train(folder / "images", folder / "training"), folder / "training"


def test_it_learns_drawn_pages(undisturbed):
    made, _ = undisturbed
    before, after = made.looks[0], made.looks[-1]
    assert after.loss < 0.95 * before.loss
    assert (made.base, made.base_licence, made.end) == ("kraken-blla", "Apache-2.0", "steps")


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_segmentation_training import train
def told(progress):
    if progress.step == 5:
        os.kill(os.getpid(), signal.SIGKILL)
train(Path(sys.argv[2]), Path(sys.argv[3]), told)
"""


def test_killed_and_started_again_it_ends_with_the_same_bits(undisturbed, tmp_path):
    here = Path(__file__).parent
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(here), str(tmp_path / "images"), str(tmp_path / "training")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(here.parent), str(here.parents[1])])},
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    steps: list[int] = []
    made = train(tmp_path / "images", tmp_path / "training", lambda progress: steps.append(progress.step))
    assert steps == [5, 6]
    assert (made.sha256, made.weights_digest) == (undisturbed[0].sha256, undisturbed[0].weights_digest)


def test_the_engine_finds_lines_with_what_was_trained(undisturbed, tmp_path):
    made, folder = undisturbed
    base = ModelLibrary().installed("kraken-blla")
    file = InstalledFile(path=folder / MODEL, sha256=made.sha256, size=made.size)
    segmenter = make_segmenter(base.model_copy(update={"id": "trained", "files": (file,), "digest": made.sha256}))
    page = training_page(tmp_path, 4)
    with page.image.open("rb") as image:
        regions = segmenter.segment(page_pixels(image))
    found = Page(number=1, width=page.page.width, height=page.page.height, regions=regions)
    score = segmentation_metrics(page.page, found)
    assert (score.lines, segmenter.step.model_digest) == (20, made.sha256)
    assert score.baseline_f1 > 0.9


def test_it_is_noted_what_it_learnt_from_so_that_it_is_not_judged_by_that(undisturbed, tmp_path):
    made, folder = undisturbed
    pages = [training_page(tmp_path, number) for number in (1, 2, 3)]
    models, frozen = tmp_path / "models", FrozenStore(tmp_path / "splits")
    base = ModelLibrary().installed("kraken-blla")
    model = install_segmentation(models, folder, made, "Jean Dupont", pages, base)
    record = trained_record(models, model.id)
    assert (record.task, record.digest, record.base) == ("segmentation", model.digest, "kraken-blla")
    assert "set: 3 pages, CC-BY-4.0" in card_path(models, model.id).read_text("utf-8")
    leaks = leaks_of(models, model, [pages[2], training_page(tmp_path, 4)], frozen)
    assert [(each.page, each.used) for each in leaks.found] == [("set/3", "set/3")]
