"""A hand is learnt, from pages to a promoted model, with the bundled model and trainings of a minute."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_hand import drawn_hand
from PIL import Image, ImageFilter

from archive_pipeline.durable import file_digest, read_json
from archive_pipeline.engines.kraken_recognition import KrakenRecognizer
from archive_pipeline.engines.versions import KRAKEN_LANGUAGE
from archive_pipeline.errors import BadGroundTruth, UsageError
from archive_pipeline.hand_names import hand_key
from archive_pipeline.models.hands import promoted_model
from archive_pipeline.models.language import LANGUAGE, language_from
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.promoting import promote, rollback
from archive_pipeline.models.trained import UsedPage, trained_record, write_record
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.promotion.proofs import kept
from archive_pipeline.store import Store
from archive_pipeline.training import line_learner
from archive_pipeline.training.candidates import install_candidate
from archive_pipeline.training.hand_learner import HandLearner
from archive_pipeline.training.learning import Candidate
from archive_pipeline.training.line_learner import prove_lines
from archive_pipeline.training.recognition import loop
from archive_pipeline.training.recognition.reading import character_error_rate
from archive_pipeline.training.recognition.recipe import Limits, Recipe
from archive_pipeline.training.recognition.training import ONNX, WEIGHTS, Training, train_recognition
from archive_pipeline.training.workshop import Workshop
from archive_pipeline.training_sets.frozen import FrozenStore, require_not_frozen
from archive_pipeline.training_sets.importing import import_truth
from archive_pipeline.training_sets.lines import TrainingPage, pages_of_set
from archive_pipeline.training_sets.reading import ReadOptions
from archive_pipeline.training_sets.splits import split_of_hand
from archive_pipeline.training_sets.splitting import Split
from archive_pipeline.training_sets.stored import TruthStore, truths_in

HAND = "Jean Dupont"
KEY = hand_key(HAND)
RUN = Path(__file__).with_name("training_run.py")


def _shop(root: Path, **more: object) -> Workshop:
    recipe = Recipe(steps=60, batch=4, learning_rate=2e-4, warm_up=20, evaluations=3, threads=1, augmentation=0.3)
    values = {"recipe": recipe, "limits": Limits(minutes=20, memory_mb=16_000)} | more
    return Workshop(
        training=root / "training",
        models=root / "models",
        store=root / "store",
        options=ProcessingOptions(models_dir=root / "models", workers=2),
        **values,  # type: ignore[arg-type]
    )


def _split(home: Path) -> Split:
    training = home / "training"
    return split_of_hand(FrozenStore(training / "splits"), truths_in(training), Store(home / "store"), HAND)


def _quiet(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with ten pages of a hand."""
    root = tmp_path_factory.mktemp("learning")
    import_truth(drawn_hand(root / "jean", 10), "jean", truths_in(root / "training"), ReadOptions(), work=root / "work")
    return root


@pytest.fixture(scope="module")
def candidate(home: Path) -> Candidate:
    return HandLearner(_shop(home)).train(KEY, _quiet)


def test_a_candidate_says_what_it_was_made_of_and_reads_nothing_yet(home: Path, candidate: Candidate) -> None:
    record = trained_record(home / "models", candidate.model)
    assert record is not None
    split = split_of_hand(
        FrozenStore(home / "training" / "splits"), truths_in(home / "training"), Store(home / "store"), HAND
    )
    seen = {page.image_sha256 for page in record.training}
    assert len(split.frozen) == 6
    assert seen == {page.image_sha256 for page in (*split.train, *split.validate)}
    assert not seen & {page.image_sha256 for page in split.frozen}
    assert record.digest == ModelLibrary(home / "models").installed(candidate.model).digest
    assert record.licence == "CC0-1.0"
    assert "jean: 4 pages, CC0-1.0" in candidate.card
    assert promoted_model(home / "models", HAND) is None


def test_a_candidate_reads_with_the_language_of_its_hand(home: Path, candidate: Candidate, tmp_path: Path) -> None:
    library = ModelLibrary(home / "models")
    model = library.installed(candidate.model)
    alone = model.model_copy(update={"files": tuple(file for file in model.files if file.path.name != LANGUAGE)})
    page = _split(home).frozen[0]
    # Out of focus, so that letters look alike.
    image = np.asarray(Image.open(page.image).convert("RGB").filter(ImageFilter.GaussianBlur(5)))
    regions = tuple(
        region.model_copy(
            update={"lines": tuple(line.model_copy(update={"text": "", "words": ()}) for line in region.lines)}
        )
        for region in page.page.regions
    )
    readers = KrakenRecognizer(model), KrakenRecognizer(alone)
    assert readers[0].step.parameters["language"] == f"6-grams, weight 0.5, bonus 0.8 ({KRAKEN_LANGUAGE})"
    assert "language" not in readers[1].step.parameters
    true = [line.text for region in page.page.regions for line in region.lines]
    read = [[line.text for region in reader.recognize(image, regions) for line in region.lines] for reader in readers]
    with_it, without = (character_error_rate(true, texts) for texts in read)
    assert with_it < 0.8 * without < 40
    # The same weights in another language are another model.
    (training,) = (home / "training" / "trainings").glob("*/result.json")
    made = Training.model_validate_json(training.read_bytes())
    for name in made.files:
        shutil.copy(training.with_name(name), tmp_path / name)
    language = language_from((tmp_path / LANGUAGE).read_bytes(), LANGUAGE)
    (tmp_path / LANGUAGE).write_text(language.model_copy(update={"weight": 0.1}).model_dump_json())
    split = _split(home)
    base = ModelLibrary(None).installed("ppocr-v6-latin")
    other, _ = install_candidate(tmp_path / "models", tmp_path, made, HAND, [*split.train, *split.validate], base)
    assert other.id != candidate.model
    assert other.files[0].sha256 == model.files[0].sha256


def test_the_same_training_again_gives_the_same_candidate_at_once(home: Path, candidate: Candidate) -> None:
    said: list[str] = []
    (result,) = (home / "training" / "trainings").glob("*/result.json")
    left = result.with_name(loop.CHECKPOINT)  # by a kill when all was done
    left.write_bytes(b"x")
    assert HandLearner(_shop(home)).train(KEY, said.append) == candidate
    assert not any(each.startswith("Step") for each in said)
    assert not left.exists()


def test_a_better_candidate_is_promoted_and_a_rollback_goes_back(home: Path, candidate: Candidate) -> None:
    learner = HandLearner(_shop(home))
    evaluated = learner.evaluate(KEY, candidate, _quiet)
    assert float(evaluated.figures["CER, %"]) < 0.7 * float(evaluated.figures["CER in use, %"])
    decided = learner.promote(KEY, candidate, _quiet)
    assert decided.promoted, decided.reason
    promoted = promoted_model(home / "models", HAND)
    assert promoted is not None
    assert promoted.model == candidate.model
    # Against itself nothing is decided.
    again = learner.promote(KEY, candidate, _quiet)
    assert not again.promoted
    assert again.reason == f"{candidate.model} reads this hand already."
    assert again.model == candidate.model
    rollback(home / "models", HAND)
    assert promoted_model(home / "models", HAND) is None
    assert [each.decision.verdict for each in kept(home / "models", HAND)].count("promoted") == 1


def test_lines_are_proved_by_what_the_promoted_model_reads_on_them(home: Path, candidate: Candidate) -> None:
    models = home / "models"
    reader = ModelLibrary(models).installed(candidate.model, "recognition")
    promote(models, HAND, reader, reason="for this test")
    decided = prove_lines(_shop(home), KEY, "kraken-blla", _quiet)
    decision = kept(models, HAND)[-1].decision
    promoted = promoted_model(models, HAND)
    rollback(models, HAND)
    if decided.promoted:
        rollback(models, HAND)
    assert promoted_model(models, HAND) is None
    assert promoted is not None
    assert (promoted.segmentation_model == "kraken-blla") == decided.promoted == decision.promoted
    assert decision.read_with is not None
    assert (decision.current.id, decision.read_with.digest) == ("ppocr-v6-detection", reader.digest)
    assert decision.frozen is not None
    assert decision.lines is not None
    assert len(decision.frozen.pages) == 6
    assert decision.lines.current.lines == decision.lines.candidate.lines == 48
    assert decision.lines.current.recall > 80
    # On typed lines that are found, the errors are about those of the lines that people drew.
    assert decision.frozen.current.value < 60
    print(decided.reason)


def _shuffled(page: TrainingPage) -> TrainingPage:
    """The page with the texts of other lines, backwards."""
    texts = [line.text[::-1] for line in page.page.lines()]
    regions = tuple(
        region.model_copy(
            update={"lines": tuple(line.model_copy(update={"text": texts.pop()}) for line in region.lines)}
        )
        for region in page.page.regions
    )
    return replace(page, page=page.page.model_copy(update={"regions": regions}))


def test_a_worse_candidate_is_kept_back_with_the_reason(home: Path, candidate: Candidate, tmp_path: Path) -> None:
    """Trained on text that stands on other lines, it knows nothing."""
    split = split_of_hand(
        FrozenStore(home / "training" / "splits"), truths_in(home / "training"), Store(home / "store"), HAND
    )
    pages = [_shuffled(page) for page in (*split.train, *split.validate)]
    base = ModelLibrary(None).installed("ppocr-v6-latin")
    made = train_recognition(
        pages, [], base, Recipe(steps=30, batch=4, learning_rate=3e-3, threads=1), tmp_path / "worse"
    )
    shop = _shop(home)
    model, _ = install_candidate(shop.models, tmp_path / "worse", made, HAND, pages, base)
    decided = HandLearner(shop).promote(KEY, Candidate(model.id, model.digest), _quiet)
    assert not decided.promoted
    assert "makes more errors" in decided.reason or "not shown" in decided.reason
    assert decided.model == "ppocr-v6-latin"


def test_a_frozen_page_is_not_trained_with_and_a_model_that_saw_one_is_not_judged(
    home: Path, candidate: Candidate
) -> None:
    frozen = FrozenStore(home / "training" / "splits")
    split = _split(home)
    with pytest.raises(BadGroundTruth):
        require_not_frozen(frozen, [*split.train, split.frozen[0]])
    path = home / "models" / "trained" / f"{candidate.model}.json"
    before = path.read_bytes()
    record = trained_record(home / "models", candidate.model)
    assert record is not None
    leak = record.training[0].model_copy(update={"image_sha256": split.frozen[0].image_sha256})
    try:
        path.write_text(record.model_copy(update={"training": (leak,)}).model_dump_json(), "utf-8")
        learner = HandLearner(_shop(home))
        why = rf"A leak: model {candidate.model} was trained with pages .*: {split.frozen[0].id} \(there as {leak.id}"
        assert re.match(why, str(learner.evaluate(KEY, candidate, _quiet).figures["note"]))
        before_it = len(kept(home / "models", HAND))
        decided = learner.promote(KEY, candidate, _quiet)
        assert not decided.promoted
        assert re.match(why, decided.reason)
        decision = kept(home / "models", HAND)[before_it].decision
        assert (decision.verdict, decision.reasons, decision.frozen) == ("kept", (decided.reason,), None)
    finally:
        path.write_bytes(before)


def test_lines_are_learnt_again_with_more_pages(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_learner, "score_segmentation", lambda *_: None)  # minutes, and tested elsewhere
    other = tmp_path / "home"
    shutil.copytree(home / "training", other / "training")
    shop = _shop(other)

    def learnt() -> tuple[str, int]:
        recipe = shop.for_lines(steps=2, height=160, validate_every=2)
        model = line_learner.learn_lines(shop, HAND, recipe, _quiet).model
        record = trained_record(shop.models, model)
        assert record is not None
        return model, len(record.training)

    first = learnt()
    assert learnt() == first
    more = drawn_hand(tmp_path / "more", 10, seed=9)
    import_truth(more, "more", shop.truths, ReadOptions(), work=tmp_path / "work")
    split = _split(other)
    assert len(split.frozen) > 6  # some of them are kept to judge by
    assert learnt()[1] == len(split.train) + len(split.validate) > first[1]


def test_what_a_base_has_seen_is_known_of_the_models_that_begin_with_it(
    home: Path, candidate: Candidate, tmp_path: Path
) -> None:
    other = tmp_path / "home"
    shutil.copytree(home, other)
    first = trained_record(other / "models", candidate.model)
    assert first is not None
    elsewhere = UsedPage(id="letters/1.xml", image_sha256="1" * 64)
    write_record(other / "models", first.model_copy(update={"training": (*first.training, elsewhere)}), candidate.card)
    shop = _shop(other, base=candidate.model, recipe=Recipe(steps=2, batch=4, threads=1))
    made = HandLearner(shop).train(KEY, _quiet)
    second = trained_record(other / "models", made.model)
    assert second is not None
    assert "- letters: 1 pages, no licence was told" in made.card
    assert second.base == candidate.model
    assert set(second.training) == {*first.training, elsewhere}

    frozen = _split(other).frozen[0]
    leak = UsedPage(id="old/7.xml", image_sha256=frozen.image_sha256)
    write_record(other / "models", first.model_copy(update={"training": (leak,)}), candidate.card)
    with pytest.raises(UsageError, match=rf"cannot begin with {candidate.model}: .*old/7.xml, by image"):
        HandLearner(shop).train(KEY, _quiet)


def test_a_hand_of_which_there_is_nothing_is_said_to_be_so(home: Path) -> None:
    with pytest.raises(UsageError, match="no ground truth of a hand 'nobody'"):
        HandLearner(_shop(home)).train("nobody", _quiet)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sets")
    import_truth(drawn_hand(root / "drawn", 3, 10, seed=3), "drawn", truths_in(root), ReadOptions(), work=root / "work")
    return truths_in(root).root


def _run(sets: Path, folder: Path, *kills: int) -> Iterator[str]:
    """Train in a process that is killed when it has told of a step, once for each, and then to the end."""
    for kill in (*kills, None):
        process = subprocess.Popen(
            [sys.executable, str(RUN), str(folder), str(sets)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        assert process.stdout is not None
        for line in process.stdout:
            yield line.strip()
            if kill is not None and int(line) >= kill:
                process.send_signal(signal.SIGKILL)
                break
        process.stdout.close()
        ended = process.wait()
        assert ended == (0 if kill is None else -signal.SIGKILL)


def test_a_training_that_is_killed_twice_ends_in_the_very_same_model(sets: Path, tmp_path: Path) -> None:
    straight = list(_run(sets, tmp_path / "straight"))
    assert straight == ["2", "4", "6", "8"]
    disturbed = list(_run(sets, tmp_path / "killed", 2, 6))
    # It goes on: what was told is not told again, but for what a kill came between.
    assert disturbed[-1] == "8"
    assert len(disturbed) <= len(straight) + 2
    for name in (WEIGHTS, ONNX, LANGUAGE):
        assert file_digest(tmp_path / "straight" / name) == file_digest(tmp_path / "killed" / name)
    before, after = (read_json(tmp_path / name / "result.json") for name in ("straight", "killed"))
    assert [each["cer"] for each in before["curve"]] == [each["cer"] for each in after["curve"]]
    assert before["key"] == after["key"]
    assert before["language"] == after["language"]


def test_a_training_beyond_its_memory_ends_and_keeps_its_checkpoint(sets: Path, tmp_path: Path) -> None:
    truths = TruthStore(sets)
    truth = truths.load("drawn")
    assert truth is not None
    pages = list(pages_of_set(truths, truth))
    base = ModelLibrary(None).installed("ppocr-v6-latin")
    recipe, limits = Recipe(steps=6, evaluations=3, threads=1), Limits(memory_mb=200)
    said: list[str] = []
    for _ in range(2):
        with pytest.raises(loop.TrainingEnded, match="MB of memory, and may take 200"):
            train_recognition(pages, [], base, recipe, tmp_path / "out", limits=limits, said=said.append)
        assert (tmp_path / "out" / loop.CHECKPOINT).is_file()
    cut, begun, again, goes_on = said
    assert cut == again == "Lines are cut out of 3 pages."
    assert begun.startswith("6 batches. These are few")
    assert goes_on == "A training of 6 batches was begun, and goes on."
    shutil.rmtree(tmp_path / "out")
