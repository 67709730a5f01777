"""Whether damage of what is stored is found, wherever it is, and nothing else is called damaged."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive_pipeline.cli.store import store as command
from archive_pipeline.durable import file_digest, write_bytes, write_json
from archive_pipeline.keys import DocumentKey
from archive_pipeline.page import Page
from archive_pipeline.processing.fixity import verify_document
from archive_pipeline.processing.inspection import Inspection, SourceFile
from archive_pipeline.processing.stored_pages import StoredPage, write_model
from archive_pipeline.rendering.model import PageImage, SourceInfo
from archive_pipeline.store import DocumentFolder, Store


@pytest.fixture
def folder(tmp_path: Path) -> DocumentFolder:
    """A document of one page with all that can be stored of it."""
    scan = tmp_path / "a.jpg"
    scan.write_bytes(b"a scan")
    folder = Store(tmp_path / "store").document(DocumentKey("a.jpg"))
    write_json(folder.source, {"origin": str(scan), "key": "a.jpg"})
    info = SourceInfo(kind="image", media_type="image/jpeg", pages=1)
    status = scan.stat()
    file = SourceFile(
        name="a.jpg", size=status.st_size, mtime_ns=status.st_mtime_ns, sha256=file_digest(scan), info=info
    )
    write_model(folder.inspection, Inspection(kind="image", sha256=file.sha256, files=(file,)))
    write_bytes(folder.images / "0001.jpg", b"a page image")
    image = PageImage(
        number=1,
        file="0001.jpg",
        width=10,
        height=10,
        dpi=300,
        sha256=file_digest(folder.images / "0001.jpg"),
        method="image-file",
        made_from="x",
    )
    write_model(folder.image_record(1), image)
    page = StoredPage(made_from="x", page=Page(number=1, width=10, height=10))
    write_model(folder.layout(1), page)
    write_model(folder.transcription(1), page)
    write_json(folder.correction(1), {"r1l1": "what a person wrote"})
    write_bytes(folder.exports / "document.txt", b"text")
    listed = [{"path": "document.txt", "sha256": file_digest(folder.exports / "document.txt"), "bytes": 4}]
    write_json(folder.exports / "manifest.json", {"formats": {"text": listed}})
    write_json(folder.exports_record, {"made_from": "x"})
    return folder


def _found(folder: DocumentFolder) -> list[str]:
    return [
        str(damage.path.relative_to(folder.root.parents[2]))
        for damage in verify_document(folder, sources=True, max_file_mb=1, max_pages=1)
    ]


def test_what_is_whole_is_not_called_damaged(folder: DocumentFolder) -> None:
    assert _found(folder) == []


def _flip(path: Path) -> None:
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.unlink()  # exports may share their bytes with the store by a second name
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_flip, Path.unlink], ids=["a flipped bit", "gone"])
@pytest.mark.parametrize("name", ["images/0001.jpg", "exports/document.txt"])
def test_a_file_with_another_digest_is_found(folder: DocumentFolder, name: str, damage: Callable[[Path], None]) -> None:
    damage(folder.root / name)
    (found,) = _found(folder)
    assert found.startswith(f"store/documents/a.jpg/{name.split('.')[0]}")


@pytest.mark.parametrize(
    "name",
    [
        "images/0001.json",
        "layouts/0001.json",
        "transcriptions/0001.json",
        "corrections/0001.json",
        "exports/manifest.json",
    ],
)
def test_a_record_that_cannot_be_read_is_found(folder: DocumentFolder, name: str) -> None:
    _empty(folder.root / name)
    assert _found(folder) == [f"store/documents/a.jpg/{name}"]


def test_a_scan_whose_bytes_changed_in_silence_is_found(folder: DocumentFolder, tmp_path: Path) -> None:
    _flip(tmp_path / "a.jpg")
    assert _found(folder) == ["a.jpg"]


def test_a_scan_that_was_replaced_in_the_open_is_no_damage(folder: DocumentFolder, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"another scan")
    assert _found(folder) == []


def test_repair_removes_what_can_be_made_again_and_never_a_correction(folder: DocumentFolder) -> None:
    _flip(folder.images / "0001.jpg")
    _empty(folder.transcription(1))
    _empty(folder.correction(1))
    assert len(verify_document(folder, repair=True, max_file_mb=1, max_pages=1)) == 3
    assert not folder.image_record(1).exists()
    assert not folder.transcription(1).exists()
    assert folder.correction(1).exists()


def test_the_command_names_what_is_damaged_and_ends_with_a_code_of_its_own(
    folder: DocumentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVE_STORE", str(folder.root.parents[1]))
    whole = CliRunner().invoke(command, ["verify"])
    assert (whole.exit_code, whole.output) == (0, "1 documents verified, 0 files damaged\n")
    _flip(folder.images / "0001.jpg")
    damaged = CliRunner().invoke(command, ["verify"])
    assert damaged.exit_code == 5
    assert "0001.jpg: it does not have the digest that was stored. Run the document again" in damaged.output


def test_a_document_that_is_being_written_is_passed_over_and_said(
    folder: DocumentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVE_STORE", str(folder.root.parents[1]))
    with folder.lock():
        said = CliRunner().invoke(command, ["verify"]).output
    assert "1 are being written and were passed over: a.jpg" in said
