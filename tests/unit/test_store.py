"""The store: atomic files, one writer, keys of registered documents."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.durable import atomic_write, digest_of, read_json, to_json, write_bytes, write_json
from archive_pipeline.errors import DocumentBusy, NoSpaceLeft, NotReadable, StorageError
from archive_pipeline.keys import DocumentKey
from archive_pipeline.store import Store


def test_a_write_that_is_interrupted_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_bytes(path, b"old")
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as file:
        file.write(b"new")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_full_disk_is_an_error_of_its_own_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoSpaceLeft, match="no space left"), atomic_write(tmp_path / "a"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"")
    with pytest.raises(StorageError):
        write_bytes(tmp_path / "a" / "b", b"")


def test_damaged_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{")
    with pytest.raises(StorageError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_json_comes_back_the_same(data: object) -> None:
    assert json.loads(to_json(data)) == data


def test_a_file_name_that_is_not_utf8_survives_json(tmp_path: Path) -> None:
    name = os.fsdecode(b"a\xff.pdf")
    write_json(tmp_path / "a.json", {"origin": name})
    assert read_json(tmp_path / "a.json") == {"origin": name}


def test_digests_tell_values_apart_that_look_alike_when_joined() -> None:
    assert len({digest_of("ab", "c"), digest_of("a", "bc"), digest_of("abc"), digest_of("ab", ["c"])}) == 4


def test_only_one_process_writes_a_document_and_a_kill_sets_it_free(tmp_path: Path) -> None:
    folder = Store(tmp_path).document(DocumentKey("a.pdf"))
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\nfrom pathlib import Path\nfrom archive_pipeline.store import Store\n"
            "from archive_pipeline.keys import DocumentKey\n"
            "with Store(Path(sys.argv[1])).document(DocumentKey('a.pdf')).lock():\n print('held', flush=True)\n"
            " time.sleep(60)",
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(DocumentBusy, match=r"a\.pdf"), folder.lock():
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    with folder.lock(timeout=5):
        pass


def test_temporary_files_of_a_killed_run_are_cleared_away(tmp_path: Path) -> None:
    folder = Store(tmp_path).document(DocumentKey("a.pdf"))
    leftover = folder.root / "exports" / ".x.1.tmp"
    write_bytes(leftover, b"")
    with folder.lock():
        assert not leftover.exists()


def test_two_documents_of_one_name_have_two_keys_that_never_change(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    for name in ("elsewhere", "other"):
        write_bytes(tmp_path / name / "a.pdf", b"x")
    one = store.register(tmp_path / "elsewhere" / "a.pdf", tmp_path / "uploads")
    other = store.register(tmp_path / "other" / "a.pdf", tmp_path / "uploads")
    assert one == "a.pdf"
    assert other.startswith("a.pdf-")
    for _ in range(2):
        assert store.register(tmp_path / "other" / "a.pdf", tmp_path / "uploads") == other
        assert store.register(tmp_path / "elsewhere" / "a.pdf", tmp_path / "uploads") == one
    assert store.keys() == sorted([one, other])


def test_a_document_below_the_uploads_has_the_key_of_its_path(tmp_path: Path) -> None:
    uploads = tmp_path / "uploads"
    write_bytes(uploads / "box 1" / "a.pdf", b"x")
    key = Store(tmp_path).register(uploads / "box 1" / "a.pdf", uploads)
    assert key == DocumentKey.from_path("box 1/a.pdf")


def test_a_new_file_in_the_old_place_of_a_moved_document_that_is_gone_is_another_document(tmp_path: Path) -> None:
    store, uploads = Store(tmp_path / "store"), tmp_path / "uploads"
    write_bytes(uploads / "a.pdf", b"x")
    key = store.register(uploads / "a.pdf", uploads)
    (uploads / "a.pdf").rename(uploads / "b.pdf")
    store.move(key, uploads / "b.pdf", uploads)
    (uploads / "b.pdf").unlink()
    write_bytes(uploads / "a.pdf", b"another")
    other = store.register(uploads / "a.pdf", uploads)
    assert other.startswith("a.pdf-")
    assert store.register(uploads / "a.pdf", uploads) == other
    assert read_json(store.document(key).source)["origin"] == str(uploads / "b.pdf")


def test_a_document_keeps_its_key_when_the_upload_folder_is_mounted_elsewhere(tmp_path: Path) -> None:
    store, uploads = Store(tmp_path / "store"), tmp_path / "uploads"
    write_bytes(uploads / "in" / "a.pdf", b"x")
    key = store.register(uploads / "in" / "a.pdf", uploads)
    uploads.rename(tmp_path / "elsewhere")
    moved = tmp_path / "elsewhere" / "in" / "a.pdf"
    assert store.register(moved, tmp_path / "elsewhere") == key
    assert read_json(store.document(key).source)["origin"] == str(moved)


def test_documents_of_one_name_that_are_registered_at_once_all_get_keys_of_their_own(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}" / "a.pdf" for number in range(12)]
    for path in paths:
        write_bytes(path, b"x")
    with ThreadPoolExecutor(12) as threads:
        keys = list(threads.map(lambda path: Store(tmp_path / "store").register(path, tmp_path / "uploads"), paths))
    assert len(set(keys)) == 12
    assert keys.count(DocumentKey("a.pdf")) == 1


def test_a_document_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    write_bytes(tmp_path / "documents", b"a file where a folder should be")
    with pytest.raises(StorageError), Store(tmp_path).document(DocumentKey("a.pdf")).lock():
        pass


def test_registering_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotReadable):
        Store(tmp_path).register(tmp_path / "gone.pdf", tmp_path)


def test_waiting_for_a_writer_ends(tmp_path: Path) -> None:
    folder = Store(tmp_path).document(DocumentKey("a.pdf"))
    with folder.lock():
        began = time.monotonic()
        with pytest.raises(DocumentBusy), Store(tmp_path).document(DocumentKey("a.pdf")).lock(timeout=0.2):
            pass
        assert time.monotonic() - began < 5


def test_only_what_is_registered_is_given_of_names_that_anybody_may_have_made(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    (tmp_path / "a.pdf").write_bytes(b"x")
    store.register(tmp_path / "a.pdf", tmp_path)
    found = list(store.registered(["../../etc/passwd", "nobody.pdf", "a.pdf"]))
    assert [folder.key for folder in found] == ["a.pdf"]
    assert store.keys() == ["a.pdf"], "nothing is made by asking"
