"""Processing without models: options, changed sources, the PDF's child, what a worker may say."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from archive_pipeline.demo.pages import jpeg
from archive_pipeline.durable import file_digest, write_bytes
from archive_pipeline.engines.factory import recognition_model, segmentation_model
from archive_pipeline.errors import ChildError, DocumentFailed, DocumentNotServed, PageFailed, UsageError
from archive_pipeline.exports.pdf_report import PdfMetadata
from archive_pipeline.exports.pdf_source import frames
from archive_pipeline.intake import discover
from archive_pipeline.keys import DocumentKey
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.page import Line, Page, Region, Step
from archive_pipeline.processing import pdf_worker
from archive_pipeline.processing.correction_layer import stored_corrections
from archive_pipeline.processing.document_exports import exports_key
from archive_pipeline.processing.inspection import Inspection, SourceFile
from archive_pipeline.processing.ledger import check_budget
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.page_job import DocumentWork, PageJob, do_page, plan_page, require_unchanged
from archive_pipeline.processing.results import PageOutcome
from archive_pipeline.processing.stage_results import stage_version
from archive_pipeline.processing.stored_pages import StoredPage, stored_image, write_model
from archive_pipeline.rendering.formats import TIFF
from archive_pipeline.rendering.images import count_pages
from archive_pipeline.rendering.model import PageImage, RenderOptions, SourceInfo
from archive_pipeline.store import Store
from assets.metadata import plain_markdown

BOX = ((5, 5), (60, 5), (60, 20), (5, 20))


@pytest.fixture
def work(tmp_path: Path) -> DocumentWork:
    """A one-page scan, inspected."""
    pixels = np.full((80, 100, 3), 255, np.uint8)
    path = tmp_path / "a.jpg"
    write_bytes(path, jpeg(pixels))
    status = path.stat()
    info = SourceInfo(kind="image", media_type="image/jpeg", pages=1)
    file = SourceFile(
        name="a.jpg", size=status.st_size, mtime_ns=status.st_mtime_ns, sha256=file_digest(path), info=info
    )
    return DocumentWork(
        Store(tmp_path / "store").document(DocumentKey("a.jpg")),
        discover(path, max_file_mb=1, max_pages=1),
        Inspection(kind="image", sha256=file.sha256, files=(file,)),
        ProcessingOptions(workers=1),
        segmentation_model(ModelLibrary(), "ppocr", None),
        recognition_model(ModelLibrary(), None),
    )


class FakeWorker:
    """A page worker that was taken over and says what its captor likes."""

    def __init__(self, scratch: Path, answer: dict[str, Any]) -> None:
        self.scratch, self.answer = scratch, answer
        self.cleared = False

    def call(self, _request: object, _files: object) -> dict[str, Any]:
        return self.answer

    def clear(self) -> None:
        self.cleared = True


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"seconds": "x"},
        {"seconds": {"rendering": "x"}},
        {"seconds": {}, "peak_memory_mb": []},
        {"seconds": {}, "image": {"number": 1}},
        {
            "seconds": {},
            "image": {"number": 2, "file": "a.jpg", "sha256": "", "width": 1, "height": 1, "method": "rendered"},
        },
        {
            "seconds": {},
            "image": {"number": 1, "file": "../a.jpg", "sha256": "", "width": 1, "height": 1, "method": "rendered"},
        },
        {
            "seconds": {},
            "image": {"number": 1, "file": "a.sh", "sha256": "", "width": 1, "height": 1, "method": "rendered"},
        },
    ],
)
def test_whatever_a_worker_says_is_at_worst_a_failed_page(
    work: DocumentWork, tmp_path: Path, answer: dict[str, Any]
) -> None:
    worker = FakeWorker(tmp_path, answer)
    job = PageJob(1, work.inspection.pages[0], render=True, segment=False, recognize=False)
    with pytest.raises(ChildError):
        do_page(work, worker, job)  # type: ignore[arg-type]
    assert worker.cleared
    assert not list(work.folder.root.rglob("*.jpg"))


def rendered(work: DocumentWork, scratch: Path, shade: int) -> PageImage:
    """Have a worker publish a page image."""
    image = scratch / "0001.png"
    Image.new("L", (100, 80), shade).save(image)
    made = PageImage(
        number=1, file=image.name, sha256=file_digest(image), width=100, height=80, method="image-file", source="x"
    )
    answer = {"seconds": {}, "image": made.model_dump(mode="json")}
    job = PageJob(1, work.inspection.pages[0], render=True, segment=False, recognize=False)
    do_page(work, FakeWorker(scratch, answer), job)  # type: ignore[arg-type]
    image_record = stored_image(work.folder, 1)
    assert image_record is not None
    return image_record


def test_a_page_image_that_is_replaced_leaves_a_note_for_corrections_by_hand(
    work: DocumentWork, tmp_path: Path
) -> None:
    first = rendered(work, tmp_path, 1)
    # What the worker says of its source is not believed.
    assert first.source == f"{work.inspection.files[0].sha256}:0"
    work.folder.correction(1).parent.mkdir()
    work.folder.correction(1).write_text('{"l1": "by hand"}', "utf-8")
    assert rendered(work, tmp_path, 1) == first
    assert stored_corrections(work.folder, 1).image == ""
    second = rendered(work, tmp_path, 2)
    assert second.sha256 != first.sha256
    layer = stored_corrections(work.folder, 1)
    assert (layer.image, layer.source) == (first.sha256, first.source)
    rendered(work, tmp_path, 3)
    assert stored_corrections(work.folder, 1).image == first.sha256
    assert work.folder.correction(1).read_text("utf-8") == '{"l1": "by hand"}'


def test_the_record_of_a_page_image_from_before_learns_its_scan_when_it_is_used_again(
    work: DocumentWork, tmp_path: Path
) -> None:
    known = rendered(work, tmp_path, 1)
    write_model(work.folder.image_record(1), known.model_copy(update={"source": ""}))
    plan_page(work, 1, work.inspection.pages[0], ["page_images"])
    assert stored_image(work.folder, 1) == known


def test_a_source_that_changes_while_it_is_read_fails_its_pages(work: DocumentWork, tmp_path: Path) -> None:
    require_unchanged(work)
    os.utime(tmp_path / "a.jpg", (1, 1))
    job = PageJob(1, work.inspection.pages[0], render=True, segment=False, recognize=False)
    with pytest.raises(PageFailed, match="changed while it was being read"):
        do_page(work, FakeWorker(tmp_path, {}), job)  # type: ignore[arg-type]
    with pytest.raises(PageFailed, match="changed while it was being read"):
        require_unchanged(work)


def test_a_scan_larger_than_pillows_own_limit_still_gets_its_pdf(
    work: DocumentWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # the scan has 8,000
    folder = work.folder
    write_bytes(folder.images / "0001.jpg", (tmp_path / "a.jpg").read_bytes())
    image = PageImage(
        number=1, file="0001.jpg", sha256="x", width=100, height=80, dpi=200, method="image-file", made_from="x"
    )
    write_model(folder.image_record(1), image)
    line = Line(id="l", boundary=BOX, baseline=((5, 18), (60, 18)), text="abc", confidence=1)
    page = Page(number=1, width=100, height=80, regions=(Region(id="r", boundary=BOX, lines=(line,)),))
    write_model(folder.transcription(1), StoredPage(made_from="x", page=page))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    report = pdf_worker.handle(
        {
            "folder": str(folder.root),
            "pages": 1,
            "selected": [1],
            "sources": [str(tmp_path / "a.jpg")],
            "kind": "image",
            "max_pixels": 200_000_000,
            "metadata": PdfMetadata(title="a", source_digest="x").model_dump(mode="json"),
        },
        [],
        scratch,
    )
    assert report["pdfa"]
    assert report["notes"] == []


def test_a_thumbnail_in_a_tiff_file_is_a_page_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    page, small = Image.new("L", (300, 200), 200), Image.new("L", (30, 20), 200)
    small.encoderinfo = {"tiffinfo": {254: 1}}
    page.save(path, save_all=True, append_images=[small])
    with path.open("rb") as file:
        assert count_pages(file, TIFF, RenderOptions()) == 1
        file.seek(0)
        assert len(list(frames(file))) == 1


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (("ServerFailed", "ServerFailed"), DocumentNotServed),
        (("ServerFailed", "PageTimeout"), DocumentFailed),
        (("PageTimeout", "PageTimeout"), DocumentFailed),
    ],
    ids=["server", "server-and-page", "pages"],
)
@pytest.mark.parametrize("pages", [2, 3], ids=["all", "too-many"])
def test_a_document_that_failed_for_its_server_alone_is_told_from_one_that_failed_by_itself(
    codes: tuple[str, ...], kind: type[DocumentFailed], pages: int
) -> None:
    failed = {number: PageOutcome(number, "failed", "why.", error=code) for number, code in enumerate(codes, start=1)}
    outcomes = failed | {3: PageOutcome(3, "done")}
    with pytest.raises(DocumentFailed, match=r"page 1: why\.") as error:
        check_budget(outcomes, range(1, pages + 1), 0.1)
    assert type(error.value) is kind


@pytest.mark.parametrize("wrong", [{"born_digital": "maybe"}, {"on_page_error": "panic"}])
def test_a_choice_that_is_none_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong.values()))):
        replace(ProcessingOptions(), **wrong)  # type: ignore[arg-type]


def test_a_files_name_in_an_error_is_inert_in_markdown() -> None:
    shown = plain_markdown("![x](javascript:alert(1)) <img src=x> `a`\n# b")
    for hostile in ("![", "](", " <img", "`a`", "\n"):
        assert hostile not in shown


def _stored(text: str, *steps: Step) -> StoredPage:
    page = Page(number=1, width=9, height=9, regions=(Region(id="r", boundary=BOX, text=text),), steps=steps)
    return StoredPage(made_from="same", page=page)


@pytest.mark.parametrize(
    "step",
    [
        Step(task="recognition", engine="surya", version="1", model="surya-ocr-2"),
        Step(
            task="segmentation",
            engine="surya",
            version="1",
            model="surya-detection",
            model_digest="x",
            parameters={"layout": "datalab-to/surya-ocr-2"},
        ),
    ],
)
def test_another_answer_of_a_server_is_another_version_and_makes_the_exports_stale(
    work: DocumentWork, step: Step
) -> None:
    versions = []
    for text in ("abc", "abc", "abd"):
        write_model(work.folder.layout(1), _stored(text, step))
        write_model(work.folder.transcription(1), _stored(text, step))
        versions.append(
            (
                exports_key(work, "a", frozenset({1})),
                *(
                    stage_version(work.folder, stage, [PageOutcome(1, "done")])
                    for stage in ("page_layouts", "page_transcriptions")
                ),
            )
        )
    assert versions[0] == versions[1]
    assert all(first != other for first, other in zip(versions[0], versions[2], strict=True))


def test_results_that_follow_from_their_input_keep_the_version_that_they_had() -> None:
    local = Step(task="recognition", engine="ppocr", version="1", model="m", model_digest="x")
    assert _stored("a", local).version == "same"
    assert _stored("a", Step(task="text-extraction", engine="pdfium", version="1")).version == "same"
