"""A hand that nobody knows: when it is tried, what is taken, and what is left to the general model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from promoted import add_model

from archive_pipeline.document_states import DocumentState
from archive_pipeline.errors import PageFailed, UsageError
from archive_pipeline.intake import Source
from archive_pipeline.keys import DocumentKey
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.promoting import promote, rollback
from archive_pipeline.nights.plan import why_of
from archive_pipeline.nights.today import Today
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.processing import unknown_hand
from archive_pipeline.processing.choice import RUN, Decision, Said, decide
from archive_pipeline.processing.document_settings import Wishes
from archive_pipeline.processing.hand_choice import Found, asks_for_a_hand
from archive_pipeline.processing.hand_trial import HandTrial, Tried, judge, promoted_digest, promoted_now, stored_trial
from archive_pipeline.processing.inspection import Inspection, SourceFile
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.page_job import DocumentWork, PageJob
from archive_pipeline.processing.stored_pages import write_model
from archive_pipeline.processing.unknown_hand import _some_lines, find_hand
from archive_pipeline.rendering.model import PageImage, SourceInfo
from archive_pipeline.store import Store


def said(where: str, **wishes: Any) -> Said:
    return Said(where, Wishes(**wishes), is_file=where.endswith(".yaml"))


@pytest.mark.parametrize(
    ("places", "asks"),
    [
        ([said("a.yaml", hand="auto")], True),
        ([said("a.yaml", hand=" Auto ")], True),
        ([said("a.yaml", hand="Jean"), said("above.yaml", hand="auto")], False),
        ([said("a.yaml"), said("above.yaml", hand="auto", language="fr")], True),
        ([said("a.yaml", hand="auto", model="own")], False),
        ([said(RUN, model="own"), said("a.yaml", hand="auto")], False),
        ([said("a.yaml", hand="auto"), said("above.yaml", model="own")], True),
        ([], False),
    ],
    ids=["auto", "folded", "named-nearer", "above", "model-beside", "model-of-run", "model-above", "nothing"],
)
def test_models_are_tried_where_the_nearest_hand_is_unknown_and_nobody_nearer_names_a_model(
    places: list[Said], asks: bool
) -> None:
    assert asks_for_a_hand(places) == asks


def tried(hand: str, confidence: float | None, lines: int = 20, *, failed: bool = False) -> Tried:
    return Tried(hand=hand, model=f"of-{hand or 'all'}", lines=lines, confidence=confidence, failed=failed)


@pytest.mark.parametrize(
    ("general", "hands", "hand", "margin", "why"),
    [
        (0.80, {"Jean": 0.93, "Meier": 0.90}, "Jean", 0.03, "Jean fits best, 93.0% sure against 80.0% of the general"),
        (0.90, {"Jean": 0.93, "Meier": 0.2}, "", -0.03, "none is surer than the general model by 5%"),
        (0.90, {"Jean": 0.2}, "", 0.7, "none is surer"),
        (None, {"Jean": 0.6}, "Jean", None, "Jean fits best, 60.0% sure against 0.0%"),
        (None, {"Jean": None}, "", None, "no hand's model could be tried"),
        (0.9, {}, "", None, "no hand's model could be tried"),
    ],
    ids=["best", "margin", "worse", "general-reads-nothing", "no-lines", "no-hands"],
)
def test_the_model_that_is_surest_of_its_lines_is_taken_if_it_is_so_by_a_margin(
    general: float | None, hands: dict[str, float | None], hand: str, margin: float | None, why: str
) -> None:
    trial = judge("key", tried("", general), [tried(name, sure) for name, sure in hands.items()])
    assert (trial.hand, trial.margin) == (hand, margin)
    assert trial.found.hand == hand
    assert why in trial.found.why


def test_no_hand_wins_against_a_general_model_that_could_not_be_tried() -> None:
    trial = judge("key", tried("", None, 0, failed=True), [tried("Jean", 0.2)])
    assert (trial.hand, trial.margin, trial.found.hand) == ("", None, "")
    assert trial.found.why.startswith("the general model could not be tried")


def test_a_few_long_lines_are_taken_from_all_over_the_page() -> None:
    def line(number: int, width: int) -> Line:
        top = number * 50
        return Line(id=f"l{number}", boundary=((0, top), (width, top), (width, top + 30), (0, top + 30)))

    place = ((0, 0), (9, 0), (9, 9))
    first = Region(id="r1", boundary=place, lines=tuple(line(number, 400) for number in range(10)))
    second = Region(id="r2", boundary=place, lines=tuple(line(number, 40) for number in range(10, 20)))
    page = Page(number=1, width=900, height=900, regions=(first, second))
    assert [each.id for each in _some_lines(page, 4).lines()] == ["l0", "l2", "l5", "l7"]
    assert len(_some_lines(page, 99).regions) == 1
    only_short = page.model_copy(update={"regions": (second,)})
    assert [each.id for each in _some_lines(only_short, 2).lines()] == ["l10", "l15"]
    assert list(_some_lines(page, 0).lines()) == []


def test_what_was_found_is_chosen_and_told_and_the_hand_stays_unknown(tmp_path: Path) -> None:
    models = tmp_path / "models"
    promote(models, "Jean", add_model(models, "of-jean"))
    places = [said("a.yaml", hand="auto"), said("above.yaml", model="own")]
    told = decide(places, ModelLibrary(models), found_hand=Found("Jean", "Jean fits best")).choices.told()
    assert told["model"] == {"value": "of-jean", "from": "promoted for the hand Jean, which was found"}
    # Nobody's ground truth: a guess is no name.
    assert told["hand"] == {"value": "auto", "from": "a.yaml; Jean fits best"}
    choices = decide(places[:1], ModelLibrary(models), found_hand=Found("", "none is surer")).choices
    assert (choices.model, choices.origins["hand"]) == ("ppocr-v6-latin", "a.yaml; none is surer")
    assert decide(places[:1], ModelLibrary(models)).choices.model == "ppocr-v6-latin"


def test_no_model_is_promoted_for_unknown_hands(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="stands for a hand that nobody knows"):
        promote(tmp_path, "Auto", add_model(tmp_path, "one"))


def test_the_night_has_unknown_hands_tried_again_when_another_model_is_promoted(tmp_path: Path) -> None:
    models, uploads, store = tmp_path / "models", tmp_path / "uploads", Store(tmp_path / "store")
    uploads.mkdir()
    (uploads / "a.pdf").write_bytes(b"x")
    key = store.register(uploads / "a.pdf", uploads)
    options = ProcessingOptions(uploads_dir=uploads, models_dir=models)
    promote(models, "Jean", add_model(models, "of-jean"))

    def why(state: DocumentState) -> str | None:
        return why_of(state, Today(store, options)(key, state))

    digest = promoted_digest(promoted_now(ModelLibrary(models)))
    state = DocumentState(
        key, "done", "", "", 0.0, chosen_by="document", hand="auto", said='[{"hand": "Jean"}]', tried=digest
    )
    wanted = Today(store, options)(key, state)
    assert wanted.models == ("ppocr-v6-detection", "of-jean")
    state = replace(state, fingerprint=wanted.fingerprint, made_with=wanted.made_with)
    state = replace(state, segmentation=wanted.models[0], recognition=wanted.models[1])
    assert why(state) is None
    promote(models, "Meier", add_model(models, "of-meier"))
    assert why(state) == "model"
    rollback(models, "Meier")
    assert why(state) is None
    rollback(models, "Jean")
    assert why(state) == "model"
    (models / "hands" / "meier.json").write_text("{")
    assert why(replace(state, said="[]", segmentation="ppocr-v6-detection", recognition="ppocr-v6-latin")) == "made"


class Worker:
    """Finds ten lines on a page, and is as sure of them as its model's id says."""

    def __init__(self, sure: dict[str, float]) -> None:
        self._sure = sure
        self.read: list[tuple[str, int]] = []

    def call(self, request: dict[str, Any], files: list[Any]) -> dict[str, Any]:
        if request["segment"] is not None:
            lines = tuple(
                Line(id=f"l{n}", boundary=((0, n * 50), (400, n * 50), (400, n * 50 + 30), (0, n * 50 + 30)))
                for n in range(10)
            )
            regions = (Region(id="r1", boundary=((0, 0), (900, 0), (900, 900)), lines=lines),)
            layout = Page(number=request["number"], width=900, height=900, regions=regions)
            return {"layout": layout.model_dump(mode="json")}
        model, page = request["recognize"]["id"], Page.model_validate(request["layout"])
        if model not in self._sure:
            raise PageFailed("it cannot be loaded")
        read = tuple(line.model_copy(update={"confidence": self._sure[model]}) for line in page.lines())
        self.read.append((model, len(read)))
        regions = (page.regions[0].model_copy(update={"lines": read}),)
        return {"transcription": page.model_copy(update={"regions": regions}).model_dump(mode="json")}

    def clear(self) -> None: ...


class Pool:
    """One worker."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    def call(self, work: Any) -> Any:
        return work(self.worker)


@dataclass
class Trial:
    """A document of nine pages in an unknown hand, whose first page cannot be rendered."""

    work: DocumentWork
    library: ModelLibrary
    rendered: list[int]
    unrendered: set[int]

    def find(self, worker: Worker) -> HandTrial:
        def decide_as(hand: str) -> Decision:
            return decide([said("a", hand=hand)], self.library)

        return find_hand(self.work, Pool(worker), promoted_now(self.library), decide_as)  # type: ignore[arg-type]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def trial(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    folder = Store(tmp_path / "store").document(DocumentKey("a.pdf"))
    rendered: list[int] = []
    unrendered = {1}

    def render(work: DocumentWork, worker: Worker, job: PageJob) -> None:
        rendered.append(job.number)
        if job.number in unrendered:
            raise PageFailed("it cannot be rendered")
        folder.images.mkdir(parents=True, exist_ok=True)
        (folder.images / f"{job.number:04d}.png").write_bytes(b"x")
        told = {"number": job.number, "file": f"{job.number:04d}.png", "sha256": "x", "width": 900, "height": 900}
        write_model(folder.image_record(job.number), PageImage(method="image-file", made_from="now", **told))

    monkeypatch.setattr(unknown_hand, "do_page", render)
    info = SourceInfo(kind="pdf", media_type="application/pdf", pages=9)
    file = SourceFile(name="a.pdf", size=1, mtime_ns=1, sha256="s", info=info)
    inspection = Inspection(kind="pdf", sha256="s", files=(file,))
    models.mkdir()
    library = ModelLibrary(models)
    general = decide([], library)
    source = Source(tmp_path / "a.pdf", "file", (), 0)
    work = DocumentWork(folder, source, inspection, ProcessingOptions(), general.segmentation, general.recognition)
    return Trial(work, library, rendered, unrendered)


def test_each_candidate_reads_a_few_lines_of_a_few_pages_once(trial: Trial, models: Path) -> None:
    for name in ("jean", "meier", "gone"):
        promote(models, name.title(), add_model(models, f"of-{name}"))
    (models / "entries" / "of-gone.json").unlink()
    trial.library = ModelLibrary(models)
    worker = Worker({"ppocr-v6-latin": 0.7, "of-jean": 0.9, "of-meier": 0.8})
    found = trial.find(worker)
    assert trial.rendered == [1, 2, 3, 4, 5, 6]
    assert (found.hand, found.margin) == ("Jean", 0.1)
    assert {each.hand: (each.lines, each.confidence) for each in found.tried} == {
        "": (20, 0.7),
        "Jean": (20, 0.9),
        "Meier": (20, 0.8),
    }
    assert [lines for model, lines in worker.read if model == "of-jean"] == [7, 7, 6]
    asked = len(worker.read)
    assert trial.find(worker) == found == stored_trial(trial.work.folder)
    assert len(worker.read) == asked
    rollback(models, "Jean")
    assert trial.find(worker).hand == "Meier"
    assert len(worker.read) > asked


@pytest.mark.parametrize(
    ("sure", "hand"),
    [({"of-jean": 0.2}, ""), ({"ppocr-v6-latin": 0.7, "of-meier": 0.8}, "Meier")],
    ids=["general", "a-hand"],
)
def test_a_trial_in_which_a_model_failed_on_every_page_is_not_kept(
    trial: Trial, models: Path, sure: dict[str, float], hand: str
) -> None:
    for name in ("jean", "meier"):
        promote(models, name.title(), add_model(models, f"of-{name}"))
    trial.library = ModelLibrary(models)
    assert trial.find(Worker(sure)).hand == hand
    assert stored_trial(trial.work.folder) is None
    whole = Worker({"ppocr-v6-latin": 0.5, "of-jean": 0.9, "of-meier": 0.8})
    assert trial.find(whole).hand == "Jean"
    assert stored_trial(trial.work.folder) is not None


def test_a_trial_for_which_no_page_could_be_rendered_chooses_nothing_and_is_made_again(
    trial: Trial, models: Path
) -> None:
    promote(models, "Jean", add_model(models, "of-jean"))
    trial.library = ModelLibrary(models)
    trial.unrendered |= set(range(1, 7))
    worker = Worker({"ppocr-v6-latin": 0.5, "of-jean": 0.9})
    found = trial.find(worker)
    assert (found.hand, worker.read) == ("", [])
    assert all(each.failed for each in found.tried)
    assert "could not be tried" in found.found.why
    assert stored_trial(trial.work.folder) is None
    trial.unrendered.clear()
    assert trial.find(worker).hand == "Jean"
    assert stored_trial(trial.work.folder) is not None


def test_against_a_general_model_at_a_server_nothing_is_tried(trial: Trial, models: Path) -> None:
    promote(models, "Jean", add_model(models, "of-jean"))
    trial.library = ModelLibrary(models)
    trial.work = replace(
        trial.work, recognition=InstalledModel(id="s", task="recognition", engine="surya", licence="", served="s")
    )
    worker = Worker({"of-jean": 0.9})
    found = trial.find(worker)
    assert (found.hand, found.found.hand, worker.read, trial.rendered) == ("", "", [], [])
    assert "could not be tried" in found.found.why
    assert stored_trial(trial.work.folder) is None
