"""Choosing: who goes before whom, and what a changed choice makes stale."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archive_pipeline.durable import read_json, write_bytes, write_json
from archive_pipeline.engines.crops import mirrored
from archive_pipeline.engines.reading_order import order_blocks
from archive_pipeline.errors import ArchiveError, BadSettings, ChildError, ModelError, UsageError
from archive_pipeline.intake import discover
from archive_pipeline.keys import DocumentKey
from archive_pipeline.models.entry import Imported, ModelEntry, ModelFile
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.kept import entry_path
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.page import Line, Page, Region, Step
from archive_pipeline.processing import page_worker
from archive_pipeline.processing import processor as processor_module
from archive_pipeline.processing.choice import Choices, Said, decide, said_by_options, wishes_of_run
from archive_pipeline.processing.document_exports import exports_key
from archive_pipeline.processing.document_settings import FileSettings, Wishes, parse_settings
from archive_pipeline.processing.inspection import Inspection, SourceFile
from archive_pipeline.processing.ledger import outcome_of
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.page_job import KnownDocument
from archive_pipeline.processing.processor import Processor
from archive_pipeline.processing.settings_reader import (
    SettingsReader,
    parse_sealed,
    store_choices,
    stored_choices,
)
from archive_pipeline.processing.stored_pages import StoredPage, layout_key, page_to_export, write_model
from archive_pipeline.rendering.model import PageImage, SourceInfo
from archive_pipeline.settings import read_settings
from archive_pipeline.store import DocumentFolder, Store
from resources.archive import ArchiveResource

LIBRARY = ModelLibrary()
IMAGE = PageImage(number=1, file="0001.jpg", sha256="x", width=9, height=9, method="image-file")
BUILT_IN = {"engine": "ppocr", "segmentation_model": "ppocr-v6-detection", "model": "ppocr-v6-latin"}


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    for name in ("letter.pdf", "box/a.pdf", "box/b/1.tif", "box/b/2.tif"):
        path = tmp_path / "uploads" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path / "uploads"


def put(folder: Path, *names: str, text: str = "language: de\n") -> None:
    for name in names:
        (folder / name).write_text(text)


def said(where: str, **wishes: Any) -> Said:
    return Said(where, Wishes(**wishes), dict.fromkeys(wishes, 3), is_file=where.endswith(".yaml"))


@pytest.mark.parametrize(
    ("places", "expected", "origins"),
    [
        ([], BUILT_IN, {"engine": "built in", "segmentation_model": "built in", "model": "built in"}),
        (
            [said("run", language="fr"), said("a.yaml", language="de", hand="M")],
            BUILT_IN | {"language": "fr", "hand": "M"},
            {"language": "run", "hand": "a.yaml"},
        ),
        (
            [said("run"), said("b/a.yaml", hand="N"), said("a.yaml", hand="M", direction="rtl"), said("set")],
            BUILT_IN | {"hand": "N", "direction": "rtl"},
            {"hand": "b/a.yaml", "direction": "a.yaml"},
        ),
        # A segmentation model brings its engine.
        (
            [said("run"), said("a.yaml", segmentation_model="kraken-blla"), said("set", engine="ppocr")],
            {"engine": "kraken", "segmentation_model": "kraken-blla"},
            {"engine": "a.yaml", "segmentation_model": "a.yaml"},
        ),
        # An engine that is nearer passes over a model of another.
        (
            [said("run", engine="ppocr"), said("a.yaml", segmentation_model="kraken-blla")],
            {"engine": "ppocr", "segmentation_model": "ppocr-v6-detection"},
            {"engine": "run", "segmentation_model": "built in"},
        ),
        # It keeps one of its own.
        (
            [said("run", engine="kraken"), said("a.yaml", segmentation_model="kraken-blla", engine="kraken")],
            {"engine": "kraken", "segmentation_model": "kraken-blla"},
            {"engine": "run", "segmentation_model": "a.yaml"},
        ),
        ([said("set", engine="kraken")], {"segmentation_model": "kraken-blla"}, {"engine": "set"}),
        ([said("a.yaml", model="ppocr-v6-latin")], {"model": "ppocr-v6-latin"}, {"model": "a.yaml"}),
    ],
)
def test_the_nearest_place_decides_each_field(
    places: list[Said], expected: dict[str, str], origins: dict[str, str]
) -> None:
    decision = decide(places, LIBRARY)
    told = decision.choices.told()
    assert expected.items() <= {name: each["value"] for name, each in told.items()}.items()
    assert origins.items() <= {name: each["from"] for name, each in told.items()}.items()
    assert decision.segmentation.engine == decision.choices.engine
    assert decision.segmentation.id == decision.choices.segmentation_model
    assert decision.recognition.id == decision.choices.model


@pytest.mark.parametrize(
    ("wishes", "what", "remedy"),
    [
        ({"model": "nope"}, "there is no recognition model 'nope'", "Choose one of: ppocr-v6-latin"),
        ({"segmentation_model": "nope"}, "there is no segmentation model 'nope'", "kraken-blla"),
        ({"engine": "nope"}, "there is no engine 'nope'", "ppocr"),
        ({"engine": "ppocr", "segmentation_model": "kraken-blla"}, "belongs to engine 'kraken'", "kraken"),
        # Of no use here, but wrong all the same: an id is not believed because an engine passes it over.
        ({"model": "ppocr-v6-detection"}, "there is no recognition model", "ppocr-v6-latin"),
    ],
)
def test_a_wrong_choice_is_the_documents_error_in_a_file_and_the_commands_elsewhere(
    wishes: dict[str, str], what: str, remedy: str
) -> None:
    with pytest.raises(BadSettings) as caught:
        decide([said("box/archive.yaml", **wishes)], LIBRARY)
    assert caught.value.what.startswith("box/archive.yaml, line 3: ")
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    with pytest.raises((UsageError, ModelError), match=what.replace("(", r"\(")):
        decide([said("run", **wishes)], LIBRARY)


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"engine": "surya"}, "engine"),
        ({"segmentation_model": "surya-detection"}, "segmentation_model"),
        ({"engine": "surya", "segmentation_model": "surya-detection"}, "engine"),
        ({"model": "surya-ocr-2", "engine": "ppocr"}, "model"),
    ],
)
def test_a_default_model_that_needs_a_server_is_blamed_on_the_file_that_chose_its_engine(
    wishes: dict[str, str], field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive_pipeline.models.library.ModelLibrary.install_state", _as_if_fetched)
    lines = {name: line for line, name in enumerate(wishes, start=3)}
    place = Said("box/archive.yaml", Wishes(**wishes), lines, is_file=True)
    for further in ([], [Said("set", Wishes(engine="kraken", segmentation_model="kraken-blla"))]):
        with pytest.raises(BadSettings, match=rf"^box/archive\.yaml, line {lines[field]}: model 'surya-ocr-2' is read"):
            decide([said("run"), place, *further], LIBRARY)
    # Of a place that is no file it is wrong usage; and with a server it is none at all.
    with pytest.raises(UsageError):
        decide([Said("run", Wishes(**wishes)), said("archive.yaml", language="de")], LIBRARY)
    assert decide([place], LIBRARY, served=True).choices.model == "surya-ocr-2"


def _as_if_fetched(self: ModelLibrary, entry: ModelEntry) -> InstalledModel:
    """A model of which the weights are not there: whether they would load is of no matter here."""
    return InstalledModel(
        id=entry.id, task=entry.task, engine=entry.engine, licence="x", served=getattr(entry.source, "model", "")
    )


def test_an_unknown_model_is_found_out_even_where_a_nearer_engine_would_pass_it_over() -> None:
    with pytest.raises(BadSettings, match="nope"):
        decide([said("run", engine="ppocr"), said("archive.yaml", segmentation_model="nope")], LIBRARY)


def test_options_of_a_run_go_before_the_settings_and_a_wrong_one_is_wrong_usage() -> None:
    options = ProcessingOptions(engine="kraken", asked=wishes_of_run(engine="ppocr", language="deu", model=None))
    choices = decide(said_by_options(options), LIBRARY).choices
    assert (choices.engine, choices.language) == ("ppocr", "de")
    assert choices.origins["engine"] == "options of the run"
    assert decide(said_by_options(replace(options, asked=Wishes())), LIBRARY).choices.origins["engine"] == (
        "settings of the installation"
    )
    with pytest.raises(UsageError, match="language cannot be 'xx'"):
        wishes_of_run(language="xx")


class Parser:
    """Counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def __call__(self, data: bytes) -> dict[str, Any]:
        self.asked.append(data)
        return parse_settings(data).model_dump(mode="json")


@pytest.fixture
def folder(tmp_path: Path) -> DocumentFolder:
    return Store(tmp_path / "store").document(DocumentKey("a.pdf"))


def test_a_settings_file_is_parsed_once_in_a_run_and_anew_in_the_next(uploads: Path, folder: DocumentFolder) -> None:
    put(uploads, "archive.yaml", "box/a.pdf.archive.yaml")
    parser = Parser()
    reader = SettingsReader(uploads, parser)
    places, files = reader.read(uploads / "box/a.pdf")
    assert [place.where for place in places] == ["box/a.pdf.archive.yaml", "archive.yaml"]
    assert reader.read(uploads / "letter.pdf")[1] == files
    assert len(parser.asked) == len(files) == 1  # they are equal
    # What was stored is for people: a worker that was taken over may once have written it.
    lies = {digest: FileSettings(wishes=Wishes(language="fr"), lines={}) for digest in files}
    store_choices(folder, decide(places, LIBRARY).choices, lies)
    later = Parser()
    assert SettingsReader(uploads, later).read(uploads / "box/a.pdf") == (places, files)
    assert later.asked == [b"language: de\n"]


def test_a_broken_settings_file_is_parsed_once_for_all_documents_below_it(uploads: Path) -> None:
    put(uploads, "archive.yaml", text="langauge: de\n")
    parser = Parser()
    reader = SettingsReader(uploads, parser)
    for name in ("letter.pdf", "box/a.pdf", "box/b"):
        with pytest.raises(BadSettings, match=r"^archive\.yaml, line 1: there is no field 'langauge'\. Did you"):
            reader.read(uploads / name)
    assert len(parser.asked) == 1


def test_a_settings_file_is_parsed_in_a_child_of_its_own() -> None:
    assert parse_sealed("hand: Müller\n".encode())["wishes"]["hand"] == "Müller"
    with pytest.raises(BadSettings, match="line 2: there is no field 'x'"):
        parse_sealed(b"hand: M\nx: y\n")


def test_that_child_imports_neither_models_nor_images() -> None:
    """What it does not hold cannot be turned against a settings file, and does not cost its start."""
    code = "import sys, archive_pipeline.processing.settings_child; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"numpy", "cv2", "PIL", "torch", "kraken", "onnxruntime", "pypdfium2", "requests"} & set(loaded)


def test_whatever_the_child_says_of_a_settings_file_is_at_worst_a_refused_document(uploads: Path) -> None:
    put(uploads, "archive.yaml")

    def dies(_data: bytes) -> dict[str, Any]:
        raise ChildError("it was killed")

    for parse, why in [(dies, "it was killed"), (lambda _: {"wishes": 1}, "none"), (lambda _: {"x": []}, "none")]:
        with pytest.raises(BadSettings, match=rf"archive\.yaml: it could not be read: .*{why}"):
            SettingsReader(uploads, parse).read(uploads / "letter.pdf")


def read_page(**models: str) -> Page:
    steps = (
        Step(task="segmentation", engine=models["engine"], version="1", model=models["segmentation_model"]),
        Step(task="recognition", engine="any", version="1", model=models["model"]),
    )
    return Page(number=1, width=9, height=9, steps=steps)


@pytest.mark.parametrize(
    ("other", "left_out"),
    [
        ({}, set()),
        ({"model": "B"}, {"model"}),
        ({"segmentation_model": "C"}, {"segmentation_model"}),
        ({"engine": "kraken", "segmentation_model": "kraken-blla"}, {"engine", "segmentation_model"}),
    ],
)
def test_what_a_page_of_another_run_contradicts_is_not_said_of_the_document(
    other: dict[str, str], left_out: set[str]
) -> None:
    chosen = choices(language="de", hand="M")
    told = chosen.told_of([read_page(**BUILT_IN), Page(number=2, width=9, height=9), read_page(**(BUILT_IN | other))])
    assert told == {name: each for name, each in chosen.told().items() if name not in left_out}
    assert "direction" not in choices(direction="rtl").told_of([read_page(**BUILT_IN)])


@pytest.mark.parametrize(
    ("stages", "stopped", "model"),
    [
        ({"page_images"}, False, "ppocr-v6-latin"),
        ({"page_transcriptions"}, True, "ppocr-v6-latin"),
        ({"page_transcriptions"}, False, "surya-ocr-2"),
        ({"page_layouts"}, False, "surya-ocr-2"),
    ],
)
def test_choices_are_stored_once_the_pages_are_read(
    uploads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stages: set[Any], stopped: bool, model: str
) -> None:
    def do_pages(_self: Processor, work: Any, selected: Any, _stages: Any, outcomes: Any, _reports: Any) -> None:
        if stopped:
            raise KeyboardInterrupt
        outcomes |= {number: outcome_of(work.folder, number) for number in selected}

    monkeypatch.setattr(Processor, "_do_pages", do_pages)
    info = SourceInfo(kind="image", media_type="image/tiff", pages=1)
    monkeypatch.setattr(processor_module, "inspector", lambda *_: lambda *_: info)
    store = Store(tmp_path / "store")
    key = store.register(uploads / "box" / "b" / "1.tif", uploads)
    store_choices(store.document(key), choices(), {})
    asked = wishes_of_run(model="surya-ocr-2")
    options = ProcessingOptions(workers=1, asked=asked, surya_url="http://surya/v1", uploads_dir=uploads)
    with Processor(store, options) as processor, pytest.raises(KeyboardInterrupt) if stopped else nullcontext():
        list(processor.process(key, stages))
    record = stored_choices(store.document(key))
    assert record is not None
    assert record.choices.model == model


def test_an_unreadable_record_of_choices_is_made_again(folder: DocumentFolder) -> None:
    write_json(folder.choices, {"version": "0", "choices": {"engine": 1}})
    assert stored_choices(folder) is None


def test_direction_makes_a_layout_stale_only_where_it_is_not_the_usual_one() -> None:
    model = decide([], LIBRARY).segmentation
    usual = layout_key(IMAGE, model)
    assert layout_key(IMAGE, model, "ltr") == usual
    assert len({usual, layout_key(IMAGE, model, "rtl"), layout_key(IMAGE, model, "ttb")}) == 3


def choices(**values: Any) -> Choices:
    return decide([said("archive.yaml", **values)], LIBRARY).choices


def test_language_and_hand_make_the_exports_stale_and_no_page(folder: DocumentFolder, uploads: Path) -> None:
    info = SourceInfo(kind="image", media_type="image/jpeg", pages=1)
    file = SourceFile(name="a", size=1, mtime_ns=1, sha256="x", info=info)
    known = KnownDocument(
        folder,
        discover(uploads / "letter.pdf", max_file_mb=1, max_pages=1),
        Inspection(kind="image", sha256="x", files=(file,)),
        ProcessingOptions(),
    )
    keys = [
        exports_key(replace(known, choices=each), "a", frozenset({1}))
        for each in (choices(), choices(language="de"), choices(language="deu"), choices(hand="M"))
    ]
    assert keys[1] == keys[2]
    assert len(set(keys)) == 3


def test_the_language_is_laid_over_a_stored_page_and_not_written_into_it(folder: DocumentFolder) -> None:
    write_model(folder.transcription(1), StoredPage(made_from="x", page=Page(number=1, width=9, height=9)))
    assert page_to_export(folder, 1).language is None
    assert page_to_export(folder, 1, language="de").language == "de"
    assert page_to_export(folder, 2, language="de").language == "de"  # a page that failed says so in it, too
    assert read_json(folder.transcription(1))["page"]["language"] is None


class FakeSegmenter:
    """Finds two lines, and notes the direction."""

    def __init__(self) -> None:
        self.step = Step(task="segmentation", engine="fake", version="1")
        lines = tuple(Line(id=f"l{n}", boundary=((0, 0), (9, 0), (9, 9))) for n in range(2))
        self.regions = (Region(id="r", boundary=((0, 0), (9, 0), (9, 9)), lines=lines),)
        self.asked: list[str] = []

    def segment(self, _image: object, direction: str = "ltr") -> Any:
        self.asked.append(direction)
        return self.regions


@pytest.mark.parametrize("direction", ["ltr", "rtl", "ttb"])
def test_direction_goes_to_the_segmenter_the_page_and_its_lines(direction: Any) -> None:
    segmenter = FakeSegmenter()
    page = page_worker._segment(np.zeros((9, 9, 3), np.uint8), IMAGE, segmenter, direction)  # type: ignore[arg-type]
    assert segmenter.asked == [direction]
    assert page.direction == direction
    assert {line.direction for line in page.lines()} == {direction}


def test_columns_are_ordered_from_right_to_left_in_the_mirror() -> None:
    quads = [
        np.array([[x, y], [x + 300, y], [x + 300, y + 20], [x, y + 20]], dtype=np.float32)
        for x in (0, 400)
        for y in range(0, 200, 30)
    ]
    left_first = [index for block in order_blocks(quads) for index in block.lines]
    right_first = [index for block in order_blocks([mirrored(quad) for quad in quads]) for index in block.lines]
    assert left_first == list(range(14))
    assert right_first == [*range(7, 14), *range(7)]
    assert (mirrored(mirrored(quads[3])) == quads[3]).all()


def test_a_worker_keeps_no_more_than_two_models_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(page_worker, "make_recognizer", lambda model, _: loaded.append(model.id) or model.id)
    page_worker._recognizer.cache_clear()
    base = decide([], LIBRARY).recognition
    for name in ("a", "b", "a", "b", "c", "a"):
        page_worker._recognizer(base.model_copy(update={"id": name}), None)
    page_worker._recognizer.cache_clear()
    assert loaded == ["a", "b", "c", "a"]


def test_bad_settings_refuse_a_document_with_its_own_exit_code() -> None:
    error: ArchiveError = BadSettings("archive.yaml, line 1: x")
    assert error.exit_code == 3
    assert str(error.at(document="box")) == "box: archive.yaml, line 1: x. Mend the file or delete it; see choosing.md."


def test_a_damaged_model_stops_a_run_before_its_first_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path))
    entry = ModelEntry(
        id="torn",
        task="segmentation",
        engine="kraken",
        licence="CC0-1.0",
        source=Imported(kind="imported", name="torn"),
        files=(ModelFile(name="torn.mlmodel", sha256="0" * 64, size=3),),
        good_for="tests",
    )
    models = tmp_path / "models"
    write_bytes(entry_path(models, "torn"), entry.model_dump_json().encode())
    write_bytes(models / ("0" * 64) / "torn.mlmodel", b"abc")
    archive = ArchiveResource.from_settings(read_settings())
    with pytest.raises(ModelError, match="model torn is damaged"):
        archive.check({"segmentation_model": "torn"})
    key = archive.store.register(_scan(tmp_path), tmp_path)
    with archive.processor({"segmentation_model": "torn"}) as processor, pytest.raises(ModelError, match="damaged"):
        processor.decide(key)


def _scan(folder: Path) -> Path:
    path = folder / "scan.jpg"
    path.write_bytes(b"x")
    return path
