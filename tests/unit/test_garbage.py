"""What nothing refers to goes; what is somebody's stays."""

import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from filelock import FileLock

from archive_pipeline.cli.store import store as store_command
from archive_pipeline.durable import temporary_name, write_json
from archive_pipeline.keeping.garbage import Garbage, collect
from archive_pipeline.keys import DocumentKey
from archive_pipeline.store import DocumentFolder, Store

OLD = time.time() - 7200


def old(path: Path) -> Path:
    """As if it had lain there for two hours, with all that is in it."""
    for each in (*path.rglob("*"), path) if path.is_dir() else (path,):
        os.utime(each, (OLD, OLD))
    return path


def document(store: Store, name: str) -> DocumentFolder:
    folder = store.document(DocumentKey(name))
    write_json(folder.source, {"origin": f"/uploads/{name}", "key": name})
    folder.images.mkdir()
    (folder.images / "0001.jpg").write_bytes(b"named")
    write_json(folder.image_record(1), {"file": "0001.jpg"})
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def swept(store: Store, *, remove: bool = True) -> list[Garbage]:
    return list(collect(store, store.root.parent / "uploads", remove=remove))


def test_what_kills_have_left_goes_with_its_bytes_told_and_nothing_else_does(store: Store) -> None:
    folder = document(store, "a.pdf")
    (folder.images / "0002.png").write_bytes(b"orphan")
    torn = temporary_name(folder.ledger)
    torn.write_bytes(b"half a ledger")
    workers = store.root / "work" / "workers-abc"
    workers.mkdir(parents=True)
    (workers / "in-use").touch()
    (workers / "page.png").write_bytes(bytes(1000))
    uploads = store.root.parent / "uploads"
    uploads.mkdir()
    note = temporary_name(uploads / "x.pdf.refused.txt")
    note.write_bytes(b"half a note")
    theirs = uploads / ".theirs.tmp"
    theirs.write_bytes(b"not ours")
    for path in (folder.root, workers, note, theirs):
        old(path)
    expected = {
        ("image", folder.images / "0002.png", 6),
        ("temporary", torn, 13),
        ("work", workers, 1000),
        ("temporary", note, 11),
    }
    assert {(each.kind, each.path, each.size) for each in swept(store, remove=False)} == expected
    assert all(path.exists() for _, path, _ in expected)
    assert {(each.kind, each.path, each.size) for each in swept(store)} == expected
    assert not any(path.exists() for _, path, _ in expected)
    assert (folder.images / "0001.jpg").read_bytes() == b"named"
    assert theirs.exists()
    assert swept(store) == []


def test_what_a_run_holds_or_has_just_made_is_passed_over(store: Store) -> None:
    folder = document(store, "a.pdf")
    (folder.images / "0002.png").write_bytes(b"its record comes in a moment")
    workers = store.root / "work" / "workers-abc"
    workers.mkdir(parents=True)
    (workers / "page.png").write_bytes(b"x")
    with FileLock(workers / "in-use"):
        old(workers)
        assert swept(store) == []
    busy = document(store, "b.pdf")
    (busy.images / "0002.png").write_bytes(b"x")
    with busy.lock():
        old(busy.root)
        assert [each.kind for each in swept(store)] == ["work"]
    assert [each.path.name for each in swept(store)] == ["0002.png"]
    assert (folder.images / "0002.png").exists()


def test_a_folder_that_is_no_document_goes_unless_anything_is_stored_in_it(store: Store) -> None:
    with store.document(DocumentKey("nobody-registered-this")).lock():
        pass
    corrected = store.document(DocumentKey("restored-by-hand"))
    write_json(corrected.correction(1), {"r1l1": "what a person wrote"})
    damaged = document(store, "its-record-was-damaged-and-deleted")
    damaged.source.unlink()
    temporary_name(store.document(DocumentKey("nobody-registered-this")).source).write_bytes(b"half")
    for key in list(store.keys()):
        old(store.document(key).root)
    assert [(each.kind, each.path.name) for each in swept(store)] == [("empty document", "nobody-registered-this")]
    assert store.keys() == ["its-record-was-damaged-and-deleted", "restored-by-hand"]
    assert (damaged.images / "0001.jpg").read_bytes() == b"named"


def test_no_image_goes_where_a_record_is_damaged(store: Store) -> None:
    folder = document(store, "a.pdf")
    folder.image_record(1).write_bytes(b"{torn")
    old(folder.root)
    assert swept(store) == []
    assert (folder.images / "0001.jpg").exists()


def test_the_command_says_what_would_go_and_takes_it_only_when_it_is_not_a_rehearsal(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVE_STORE", str(store.root))
    folder = document(store, "a.pdf")
    orphan = folder.images / "0002.png"
    orphan.write_bytes(b"orphan")
    old(folder.root)
    told = CliRunner().invoke(store_command, ["gc", "--dry-run"], catch_exceptions=False).output
    assert told == f"{orphan} (image, 6 bytes): would go\n1 leftovers, 6 bytes, nothing was removed\n"
    assert orphan.exists()
    told = CliRunner().invoke(store_command, ["gc", "--json"], catch_exceptions=False).output
    assert json.loads(told)["garbage"] == [{"kind": "image", "path": str(orphan), "bytes": 6}]
    assert not orphan.exists()
