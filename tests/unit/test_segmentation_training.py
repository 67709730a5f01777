"""Training of segmentation, with a network a thousandth of blla: same seed same bits, kills, limits, refusals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from kraken.models import load_models
from pydantic import ValidationError
from segmentation_networks import small_network, training_page

from archive_pipeline.engines.factory import make_segmenter
from archive_pipeline.errors import BadGroundTruth, DocumentBusy, ModelError, StorageError, TooLarge, UsageError
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Page
from archive_pipeline.training.alone import alone_in
from archive_pipeline.training.segmentation import checkpoints, train
from archive_pipeline.training.segmentation.loop import Progress
from archive_pipeline.training.segmentation.recipe import SegmentationRecipe
from archive_pipeline.training.segmentation.train import MODEL, TrainedSegmentation, train_segmentation
from archive_pipeline.training_sets.lines import TrainingPage

RECIPE = SegmentationRecipe(
    height=96, steps=9, validate_every=4, checkpoint_every=3, learning_rate=1e-2, warmup=2, threads=1, patience=20
)
Pages = tuple[list[TrainingPage], list[TrainingPage], InstalledModel]


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Pages:
    folder = tmp_path_factory.mktemp("pages")
    made = [training_page(folder, number) for number in (1, 2, 3)]
    return made[:2], made[2:], small_network(folder / "small.safetensors")


@pytest.fixture(scope="module")
def undisturbed(pages, tmp_path_factory) -> TrainedSegmentation:
    return run(pages, tmp_path_factory.mktemp("undisturbed"))


def run(pages: Pages, folder: Path, recipe: SegmentationRecipe = RECIPE, told=lambda _: None) -> TrainedSegmentation:
    return train_segmentation(*pages, recipe, folder, told)


def test_the_loss_falls_and_every_step_is_told(pages, tmp_path):
    seen: list[Progress] = []
    made = run(pages, tmp_path, told=seen.append)
    assert [progress.step for progress in seen] == list(range(10))
    assert [look.step for look in made.looks] == [0, 4, 8, 9]
    assert made.looks[-1].loss < made.looks[0].loss
    assert (made.steps, made.end) == (9, "steps")


def test_the_same_seed_gives_the_same_file_and_another_seed_another(pages, undisturbed, tmp_path):
    again = run(pages, tmp_path / "again")
    assert (again.sha256, again.looks) == (undisturbed.sha256, undisturbed.looks)
    assert run(pages, tmp_path / "other", RECIPE.model_copy(update={"seed": 2})).looks != undisturbed.looks


KILLED = """
import os, pickle, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_segmentation_training import *
arguments, folder, at = pickle.loads(Path(sys.argv[2]).read_bytes())
def told(progress):
    if progress.step == at:
        os.kill(os.getpid(), signal.SIGKILL)
run(arguments, folder, told=told)
"""


def test_a_training_that_is_killed_twice_ends_with_the_bits_of_an_undisturbed_one(pages, undisturbed, tmp_path):
    import pickle  # ours, for the test's own arguments

    folder, arguments = tmp_path / "killed", tmp_path / "arguments"
    for at, kept in ((5, 4), (8, 6)):
        arguments.write_bytes(pickle.dumps((pages, folder, at)))
        tests = Path(__file__).parent
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(tests), str(arguments)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests.parents[1])])},
            capture_output=True,
            timeout=300,
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
        assert json.loads((folder / "checkpoint.json").read_text())["standing"]["step"] == kept
    seen: list[Progress] = []
    made = run(pages, folder, told=seen.append)
    assert [progress.step for progress in seen] == [7, 8, 9]
    assert (made.sha256, made.weights_digest) == (undisturbed.sha256, undisturbed.weights_digest)
    assert made.looks == undisturbed.looks


def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before(pages, undisturbed, tmp_path, monkeypatch):
    real = checkpoints.write_bytes

    class Killed(BaseException):
        pass

    def dies(path: Path, data: bytes) -> None:
        if path.name == "checkpoint.json" and b'"step": 6' in data:
            raise Killed
        real(path, data)

    monkeypatch.setattr(checkpoints, "write_bytes", dies)
    with pytest.raises(Killed):
        run(pages, tmp_path)
    monkeypatch.undo()
    assert len(list(tmp_path.glob("state-*.safetensors"))) == 2
    assert run(pages, tmp_path).sha256 == undisturbed.sha256
    assert len(list(tmp_path.glob("state-*.safetensors"))) == 1


def test_there_are_no_pickles_and_no_leftovers_in_the_folder(pages, tmp_path):
    made = run(pages, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "checkpoint.json",
        "state-0000009.safetensors",
        f"best-{made.best_step:07}.safetensors",
        "model.safetensors",
        "trained.json",
    }


def test_two_trainings_are_not_made_in_one_folder(tmp_path):
    with (
        alone_in(tmp_path),
        pytest.raises(DocumentBusy, match="is training in this folder"),
        alone_in(tmp_path),
    ):
        pass


def test_a_damaged_checkpoint_is_said_and_not_trained_from(pages, tmp_path):
    run(pages, tmp_path)
    (state,) = tmp_path.glob("state-*.safetensors")
    data = bytearray(state.read_bytes())
    data[-1] ^= 1
    state.write_bytes(data)
    with pytest.raises(StorageError, match=r"state-0000009\.safetensors is damaged"):
        run(pages, tmp_path)


@pytest.mark.parametrize("other", ["recipe", "pages"])
def test_with_another_recipe_or_other_pages_it_begins_anew(pages, tmp_path, other):
    recipe = RECIPE.model_copy(update={"learning_rate": 1e-3}) if other == "recipe" else RECIPE
    given = (pages[0][:1], *pages[1:]) if other == "pages" else pages
    alone = run(given, tmp_path / "alone", recipe)
    run(pages, tmp_path / "after")
    assert run(given, tmp_path / "after", recipe).sha256 == alone.sha256


def test_more_steps_go_on_where_a_training_ended(pages, undisturbed, tmp_path):
    run(pages, tmp_path, RECIPE.model_copy(update={"steps": 4}))
    assert run(pages, tmp_path).sha256 == undisturbed.sha256


def test_the_time_limit_ends_it_with_a_look_and_a_model(pages, tmp_path):
    made = run(pages, tmp_path, RECIPE.model_copy(update={"seconds": 1e-6}))
    # The first look, at the base, takes all of the time.
    assert (made.end, made.steps, [look.step for look in made.looks]) == ("seconds", 0, [0])
    assert not made.improved


def test_too_much_memory_ends_it_with_the_way_out(pages, tmp_path, monkeypatch):
    class Fat:
        def memory_info(self):
            return type("info", (), {"rss": 9 << 30})

    monkeypatch.setattr("archive_pipeline.training.segmentation.loop.psutil.Process", Fat)
    with pytest.raises(TooLarge, match=r"takes 9216 MB of memory, and may take 8192.*ARCHIVE_TRAINING_MEMORY_MB"):
        run(pages, tmp_path)


def test_no_gain_on_the_pages_to_validate_by_gives_the_base_back(pages, tmp_path):
    # Steps so small that no bit of the first look's result changes for the better are ruled out; these do harm.
    recipe = RECIPE.model_copy(update={"learning_rate": 50.0, "patience": 1})
    made = run(pages, tmp_path, recipe)
    (base,) = load_models(pages[2].path)
    (found,) = load_models(tmp_path / MODEL)
    assert (made.improved, made.best_step, made.end) == (False, 0, "patience")
    for name, tensor in base.state_dict().items():
        assert torch.equal(tensor, found.state_dict()[name]), name


def test_only_the_last_layers_change_when_only_they_are_trained(pages, tmp_path):
    made = run(pages, tmp_path, RECIPE.model_copy(update={"layers": "last"}))
    assert made.improved
    (base,) = load_models(pages[2].path)
    (found,) = load_models(tmp_path / MODEL)
    same = {name: torch.equal(t, found.state_dict()[name]) for name, t in base.state_dict().items()}
    assert same["nn.C_0.co.weight"]
    assert not same["nn.L_3.layer.weight_ih_l0"]


def test_the_engine_loads_what_was_trained(pages, undisturbed, tmp_path):
    made = run(pages, tmp_path)
    file = pages[2].files[0].model_copy(update={"path": tmp_path / MODEL, "sha256": made.sha256, "size": made.size})
    segmenter = make_segmenter(pages[2].model_copy(update={"files": (file,), "digest": made.sha256}))
    assert segmenter.step.model_digest == made.sha256


def test_the_record_says_what_a_model_was_made_from(pages, undisturbed):
    assert [(page.id, page.use, page.licence, page.lines) for page in undisturbed.pages] == [
        ("set/1", "train", "CC-BY-4.0", 20),
        ("set/2", "train", "CC-BY-4.0", 20),
        ("set/3", "validate", "CC-BY-4.0", 20),
    ]
    assert undisturbed.base_digest == pages[2].digest
    assert undisturbed.recipe == RECIPE
    assert undisturbed.versions["kraken"]


def test_a_page_in_both_parts_is_refused_by_its_image_and_by_its_group(pages, tmp_path):
    learn, judge, base = pages
    copy = training_page(tmp_path, 1, id="copy", group="copy")
    for also in (copy, training_page(tmp_path, 9, group=learn[0].group)):
        with pytest.raises(UsageError, match="among those to learn from and among those to validate by"):
            train_segmentation(learn, [*judge, also], base, RECIPE, tmp_path / "folder")


def test_a_page_that_cannot_be_used_is_left_out_with_the_reason(pages, tmp_path):
    learn, judge, base = pages
    torn = training_page(tmp_path, 11)
    torn.image.write_bytes(b"not the image that was stored")
    other = training_page(tmp_path, 12, page=Page(**{**learn[0].page.model_dump(), "width": 1000}))
    made = train_segmentation([*learn, torn, other], judge, base, RECIPE, tmp_path / "folder")
    assert "is not the one that was stored" in made.left_out["set/11"]
    assert "of an image of 1000 x 2339 pixels" in made.left_out["set/12"]
    assert [page.id for page in made.pages] == ["set/1", "set/2", "set/3"]
    with pytest.raises(BadGroundTruth, match=r"there is no page to learn from .*is not the one that was stored"):
        train_segmentation([torn], judge, base, RECIPE, tmp_path / "nothing")


def test_a_model_of_another_task_or_engine_is_no_base(pages, tmp_path):
    for changes in ({"task": "recognition"}, {"engine": "ppocr"}):
        with pytest.raises(ModelError, match="is no segmentation model of kraken"):
            train_segmentation(*pages[:2], pages[2].model_copy(update=changes), RECIPE, tmp_path)


def test_a_recipe_with_an_unknown_setting_is_refused():
    with pytest.raises(ValidationError, match="lerning_rate"):
        SegmentationRecipe.model_validate({"lerning_rate": 1})
    assert "seconds" not in RECIPE.decides()
    assert train.VERSION
