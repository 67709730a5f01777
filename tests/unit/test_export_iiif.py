"""The IIIF manifest: read back by the field's library, with every address where it should be."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from iiif_prezi3 import AnnotationPage, Manifest

from archive_pipeline.exports import iiif
from archive_pipeline.exports.base import ExportDocument, ExportOptions
from archive_pipeline.page import Line, Page, Region, Step
from archive_pipeline.rendering.model import PageImage

BASE = "https://archive.example/files"
STEP = Step(task="recognition", engine="ppocr", version="3", model="m", model_digest="ab")
BOX = ((10, 20), (60, 20), (60, 30), (10, 30))


def make(*pages: Page, images: bool = True) -> ExportDocument:
    return ExportDocument(
        key="a b-%.pdf",
        title="Letter & <1>\x01 ]]>",
        source_digest="0" * 64,
        source_date="2020-05-17T10:11:12+02:00",
        pages=pages,
        images=[
            PageImage(number=p.number, file=f"{p.number:04d}.jpg", sha256="", width=100, height=80, method="image-file")
            if images
            else None
            for p in pages
        ],
        image_folder=Path("images"),
        notes=("A note.",),
        options=ExportOptions(base_url=BASE + "/"),
    )


def read_page() -> Page:
    lines = (
        Line(id="1 é", boundary=BOX, text="olde", correction="old 😀"),
        Line(id="1 é", boundary=((-5, -5),), text="שלום", direction="rtl"),
        Line(id="x", boundary=(), text="]]>\x00"),
        Line(id="empty", boundary=BOX),
    )
    block = Region(id="block", type="table", boundary=BOX, text="a block")
    region = Region(id="r", boundary=BOX, lines=lines)
    return Page(number=1, width=100, height=80, language="fr", regions=(region, block), steps=(STEP,))


def write(document: ExportDocument, folder: Path, files: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """The manifest, which the library accepts with all of its annotation pages."""
    paths = {kind: [folder / name for name in names] for kind, names in (files or {}).items()}
    *annotations, manifest = iiif.write(document, folder, paths)
    Manifest.model_validate_json(manifest.read_bytes())
    for path in annotations:
        AnnotationPage.model_validate_json(path.read_bytes())
    found: dict[str, Any] = json.loads(manifest.read_bytes())
    return found


def test_a_canvas_shows_the_page_image_and_points_to_its_lines(tmp_path: Path) -> None:
    manifest = write(make(read_page()), tmp_path)
    root = f"{BASE}/a%20b-%25.pdf"
    assert manifest["@context"] == iiif.CONTEXT
    assert manifest["id"] == f"{root}/iiif/manifest.json"
    assert manifest["label"] == {"none": ["Letter & <1> ]]>"]}
    (canvas,) = manifest["items"]
    assert (canvas["width"], canvas["height"]) == (100, 80)
    painting = canvas["items"][0]["items"][0]
    assert painting["target"] == canvas["id"]
    assert painting["body"]["id"] == f"{root}/images/0001.jpg"
    # Without items: a viewer that finds some, even none, does not load the page.
    assert canvas["annotations"] == [{"id": f"{root}/iiif/annotations/0001.json", "type": "AnnotationPage"}]
    path = unquote(canvas["annotations"][0]["id"].removeprefix(root + "/"))
    page = json.loads((tmp_path / path).read_bytes())
    assert page["id"] == canvas["annotations"][0]["id"]
    assert [item["body"]["value"] for item in page["items"]] == ["old 😀", "שלום", "]]>", "a block"]
    assert {item["body"]["language"] for item in page["items"]} == {"fr"}
    assert [item["target"].removeprefix(canvas["id"]) for item in page["items"]] == [
        "#xywh=10,20,51,11",
        "#xywh=0,0,2,2",
        "#xywh=0,0,100,80",
        "#xywh=10,20,51,11",
    ]
    ids = [item["id"] for item in page["items"]]
    assert len(set(ids)) == 4
    assert {item["motivation"] for item in page["items"]} == {"supplementing"}


def test_the_manifest_says_what_it_was_made_from(tmp_path: Path) -> None:
    manifest = write(make(read_page()), tmp_path)
    metadata = {entry["label"]["en"][0]: entry["value"]["none"] for entry in manifest["metadata"]}
    assert metadata["Source (SHA-256)"] == ["0" * 64]
    assert metadata["Date of the source file"] == ["2020-05-17T08:11:12Z"]
    assert metadata["Recognition"] == ["ppocr 3, m (SHA-256 ab)"]
    assert manifest["summary"] == {"en": ["A note."]}


def test_other_formats_are_linked_only_where_they_were_made(tmp_path: Path) -> None:
    document = make(read_page(), Page(number=2, width=100, height=80, status="blank"))
    assert "rendering" not in write(document, tmp_path)
    files = {"pdf": ["document.pdf"], "alto": ["alto/0001.xml"], "text": ["text/0001.txt", "document.txt"]}
    manifest = write(document, tmp_path, files)
    assert [link["id"].rpartition("/")[2] for link in manifest["rendering"]] == ["document.pdf", "document.txt"]
    first, second = manifest["items"]
    assert first["seeAlso"][0]["id"].endswith("/alto/0001.xml")
    # The words by which Mirador's text overlay knows ALTO; it fails on a link that has no profile.
    assert first["seeAlso"][0]["format"] == "application/xml+alto"
    assert first["seeAlso"][0]["profile"].startswith("http://www.loc.gov/standards/alto/")
    assert "seeAlso" not in second
    assert "annotations" not in second


def test_a_page_that_failed_has_a_canvas_that_says_so(tmp_path: Path) -> None:
    failed = Page(number=1, width=1, height=1, status="failed", reason="too large")
    (canvas,) = write(make(failed, images=False), tmp_path)["items"]
    assert canvas["summary"] == {"none": ["This page was not read (failed): too large"]}
    assert (canvas["width"], canvas["height"]) == (1240, 1754)
    assert canvas["items"] == []


@pytest.mark.parametrize(
    ("directions", "expected"),
    [(("rtl", "rtl", "ltr"), "right-to-left"), (("rtl", "ltr"), "left-to-right"), ((), "left-to-right")],
)
def test_viewers_turn_pages_as_most_of_them_are_written(
    directions: tuple[Any, ...], expected: str, tmp_path: Path
) -> None:
    pages = [
        read_page().model_copy(update={"number": number, "direction": direction})
        for number, direction in enumerate(directions, 1)
    ]
    assert write(make(*pages), tmp_path)["viewingDirection"] == expected


def test_two_thousand_lines_and_a_long_one_are_all_there() -> None:
    lines = tuple(Line(id="l", boundary=BOX, text="x" * (10_000 if n == 0 else 1)) for n in range(2000))
    page = Page(number=1, width=100, height=80, regions=(Region(id="r", boundary=BOX, lines=lines),))
    items = iiif.annotation_page(make(page), page)["items"]
    assert len({item["id"] for item in items}) == 2000
    assert len(items[0]["body"]["value"]) == 10_000


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    document = make(read_page())
    first, second = (
        {path.name: path.read_bytes() for path in iiif.write(document, tmp_path / name, {})} for name in "ab"
    )
    assert first == second
    elsewhere = dataclasses.replace(document, options=ExportOptions(base_url="https://other.example"))
    assert all(b"archive.example" not in p.read_bytes() for p in iiif.write(elsewhere, tmp_path / "c", {}))
