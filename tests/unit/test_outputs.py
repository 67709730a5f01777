"""Delivering exports, and what killed processes leave behind."""

from pathlib import Path

import pytest
from filelock import FileLock
from tests_support import files_below

from archive_pipeline.durable import write_bytes, write_json
from archive_pipeline.keys import DocumentKey
from archive_pipeline.processing.delivery import deliver
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.pool import Worker, WorkerPool
from archive_pipeline.store import Store


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


def test_a_signal_between_two_instructions_neither_loses_nor_waits_for_a_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    told: list[int] = []

    def work(_: Worker, task: int) -> int:
        begun.append(task)
        return task

    with WorkerPool(tmp_path, ProcessingOptions(workers=2)) as pool:
        threads = pool._threads
        submit = threads.submit

        def interrupted(*args: object) -> object:
            if args[-1] == 3:
                raise KeyboardInterrupt
            return submit(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(threads, "submit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pool.run(range(9), work, lambda task, _: told.append(task))
    # What a thread has begun is told; the third may not have been begun.
    assert sorted(told) == sorted(begun)
    assert {0, 1} <= set(begun) <= {0, 1, 2}


def test_folders_of_a_killed_run_are_cleared_with_its_files(tmp_path: Path) -> None:
    folder = Store(tmp_path).document(DocumentKey("a.pdf"))
    write_bytes(folder.root / ".pdf-x.tmp" / "document.pdf", b"x")
    with folder.lock():
        assert not (folder.root / ".pdf-x.tmp").exists()
