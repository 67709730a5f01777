"""Delivering exports, and what killed processes leave behind."""

from pathlib import Path

from filelock import FileLock
from tests_support import files_below

from archive_pipeline.cli.outputs import deliver
from archive_pipeline.keys import DocumentKey
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.pool import WorkerPool
from archive_pipeline.store import Store, write_bytes, write_json


def _manifest(*names: str) -> dict[str, object]:
    return {"formats": {"text": [{"path": name} for name in names]}}


def test_pages_that_a_document_no_longer_has_go_and_foreign_files_stay(tmp_path: Path) -> None:
    folder = Store(tmp_path / "store").document(DocumentKey("a.pdf"))
    out = tmp_path / "out"
    for name in ("text/0001.txt", "text/0002.txt"):
        write_bytes(folder.exports / name, b"x")
    write_json(folder.exports / "manifest.json", _manifest("text/0001.txt", "text/0002.txt"))
    target = deliver(folder, out)
    write_bytes(target / "notes.txt", b"mine")
    write_bytes(target / "text" / ".0001.txt.1.tmp", b"torn")
    (folder.exports / "text" / "0002.txt").unlink()
    write_json(folder.exports / "manifest.json", _manifest("text/0001.txt"))
    deliver(folder, out)
    assert files_below(target) == ["manifest.json", "notes.txt", "text/0001.txt"]


def test_a_manifest_that_names_files_elsewhere_removes_nothing_there(tmp_path: Path) -> None:
    folder = Store(tmp_path / "store").document(DocumentKey("a.pdf"))
    write_json(folder.exports / "manifest.json", _manifest())
    write_bytes(tmp_path / "precious", b"x")
    write_json(tmp_path / "out" / "a.pdf" / "manifest.json", _manifest("../../precious", str(tmp_path / "precious")))
    deliver(folder, tmp_path / "out")
    assert (tmp_path / "precious").is_file()


def test_scratch_folders_of_killed_pools_are_cleared_and_those_in_use_stay(tmp_path: Path) -> None:
    write_bytes(tmp_path / "workers-killed" / "1" / "page.png", b"x")
    write_bytes(tmp_path / "workers-alive" / "1" / "page.png", b"x")
    with FileLock(tmp_path / "workers-alive" / "in-use"), WorkerPool(tmp_path, ProcessingOptions(workers=1)):
        assert not (tmp_path / "workers-killed").exists()
        assert (tmp_path / "workers-alive" / "1" / "page.png").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["workers-alive"]


def test_folders_of_a_killed_run_are_cleared_with_its_files(tmp_path: Path) -> None:
    folder = Store(tmp_path).document(DocumentKey("a.pdf"))
    write_bytes(folder.root / ".pdf-x.tmp" / "document.pdf", b"x")
    with folder.lock():
        assert not (folder.root / ".pdf-x.tmp").exists()
