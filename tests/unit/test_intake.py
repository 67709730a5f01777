"""What enters, what is refused, and what counts as one document."""

from __future__ import annotations

import hashlib
import inspect
import os
import socket
import sys
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline import errors
from archive_pipeline.intake import content_digest, discover, documents_below, expand, fingerprint, open_file
from archive_pipeline.intake.names import DOCUMENT_SUFFIXES, is_document, natural_order, set_aside

LIMITS = {"max_file_mb": 1, "max_pages": 20}


def make(root: Path, *names: str, content: bytes = b"x") -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_bytes(content)
        else:
            path.mkdir(exist_ok=True)
    return root


def relative(paths, root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in paths]


class TestDiscover:
    def test_a_file(self, tmp_path):
        make(tmp_path, "a.pdf")
        source = discover(tmp_path / "a.pdf", **LIMITS)
        assert (source.kind, source.files, source.size, source.ignored) == ("file", (tmp_path / "a.pdf",), 1, ())

    def test_a_file_without_suffix_is_for_the_child_to_judge(self, tmp_path):
        assert discover(make(tmp_path, "scan") / "scan", **LIMITS).kind == "file"

    def test_a_folder_in_natural_order_with_what_it_ignores(self, tmp_path):
        make(
            tmp_path, "page10.jpg", "page2.JPG", "Page1.tif", ".hidden.jpg", "page3.jpg.part", "notes.txt", "Thumbs.db"
        )
        make(tmp_path, "sub/page4.jpg")
        (tmp_path / "page5.jpg").symlink_to("/etc/passwd")
        os.mkfifo(tmp_path / "page6.jpg")
        source = discover(tmp_path, **LIMITS)
        assert relative(source.files, tmp_path) == ["Page1.tif", "page2.JPG", "page10.jpg"]
        assert source.size == 3
        reasons = dict(item.split(": ", 1) for item in source.ignored)
        assert reasons == {
            ".hidden.jpg": "hidden",
            "Thumbs.db": "made by the operating system",
            "notes.txt": "not an image file by its name",
            "page3.jpg.part": "still being written, or left over",
            "page5.jpg": "a link; put the file itself here",
            "page6.jpg": "not a regular file",
            "sub": "a folder; it is a document of its own if it has pages",
        }

    def test_a_linked_document_is_taken(self, tmp_path):
        make(tmp_path, "a.pdf", "folder/1.png")
        (tmp_path / "link.pdf").symlink_to("a.pdf")
        (tmp_path / "link").symlink_to("folder")
        assert discover(tmp_path / "link.pdf", **LIMITS).kind == "file"
        assert discover(tmp_path / "link", **LIMITS).files == (tmp_path / "link/1.png",)

    def test_refusals(self, tmp_path):
        make(tmp_path, "empty.pdf", content=b"")
        make(tmp_path, "large.pdf", "pages/large.png", content=bytes((1 << 20) + 1))
        make(tmp_path, "folder/", "many/1.png", "many/2.png", "many/3.png")
        (tmp_path / "broken").symlink_to("nowhere")
        os.mkfifo(tmp_path / "fifo.pdf")
        for name, error, message in (
            ("empty.pdf", errors.EmptyFile, "empty"),
            ("large.pdf", errors.TooLarge, r"the file has 1\.0 MB, the limit is 1 MB"),
            ("pages", errors.TooLarge, r"large\.png"),
            ("folder", errors.NoPages, "no image files"),
            ("broken", errors.NotReadable, "leads nowhere"),
            ("gone.pdf", errors.NotReadable, "no such"),
            ("fifo.pdf", errors.UnsupportedType, "named pipe"),
            ("a\0b", errors.NotReadable, "null"),
        ):
            with pytest.raises(error, match=message) as caught:
                discover(tmp_path / name, **LIMITS)
            assert caught.value.document == str(tmp_path / name)
        with pytest.raises(errors.TooLarge, match="3 image files, the limit is 2"):
            discover(tmp_path / "many", max_file_mb=1, max_pages=2)

    def test_sockets_and_devices(self, tmp_path):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "s.pdf"))
            with pytest.raises(errors.UnsupportedType, match="a socket"):
                discover(tmp_path / "s.pdf", **LIMITS)
        with pytest.raises(errors.UnsupportedType, match="a character device"):
            discover(Path("/dev/null"), **LIMITS)

    @pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not stop root")
    def test_no_permission(self, tmp_path):
        (make(tmp_path, "a.pdf") / "a.pdf").chmod(0)
        with pytest.raises(errors.NotReadable, match="may not read"):
            discover(tmp_path / "a.pdf", **LIMITS)

    def test_no_permission_as_seen_by_access(self, tmp_path, monkeypatch):
        make(tmp_path, "a.pdf", "folder/1.png")
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        for name in ("a.pdf", "folder"):
            with pytest.raises(errors.NotReadable, match="may not read"):
                discover(tmp_path / name, **LIMITS)

    def test_opens_nothing(self, tmp_path):
        make(tmp_path, "a.pdf", "b/1.png", "b/2.png")
        opened = []
        watching = True

        def watch(event, arguments):
            if watching and event == "open" and str(tmp_path) in str(arguments[0]):
                opened.append(arguments[0])

        sys.addaudithook(watch)
        documents = expand([tmp_path])
        for document in documents:
            fingerprint(discover(document, **LIMITS))
        watching = False
        assert (len(documents), opened) == (2, [])


class TestOpenFile:
    def test_what_was_swapped_meanwhile_is_refused(self, tmp_path):
        make(tmp_path, "a.pdf", "folder/1.png", "secret.png", content=b"secret")
        single = discover(tmp_path / "a.pdf", **LIMITS)
        folder = discover(tmp_path / "folder", **LIMITS)
        for path in (tmp_path / "a.pdf", tmp_path / "folder/1.png"):
            path.unlink()
        os.mkfifo(tmp_path / "a.pdf")
        (tmp_path / "folder/1.png").symlink_to(tmp_path / "secret.png")
        with pytest.raises(errors.UnsupportedType, match="named pipe"):
            open_file(single, 0)
        with pytest.raises(errors.NotReadable):
            open_file(folder, 0)
        (tmp_path / "a.pdf").unlink()
        with pytest.raises(errors.NotReadable, match="No such file"):
            open_file(single, 0)


class TestDigests:
    def test_content(self, tmp_path):
        make(tmp_path, "a.pdf", "pages/1.png", "pages/2.png", content=b"abc")
        source = discover(tmp_path / "a.pdf", **LIMITS)
        assert content_digest(source) == hashlib.sha256(b"abc").hexdigest()
        before = content_digest(discover(tmp_path / "pages", **LIMITS))
        (tmp_path / "pages/1.png").rename(tmp_path / "pages/3.png")
        assert content_digest(discover(tmp_path / "pages", **LIMITS)) != before

    def test_fingerprint_follows_names_sizes_and_times_only(self, tmp_path):
        make(tmp_path, "pages/1.png", "pages/2.png")
        source = discover(tmp_path / "pages", **LIMITS)
        before = fingerprint(source)
        assert fingerprint(source) == before
        os.utime(tmp_path / "pages/1.png", ns=(0, 1))
        assert fingerprint(source) != before
        (tmp_path / "pages").rename(tmp_path / "moved")
        with pytest.raises(errors.NotReadable):
            fingerprint(source)

    def test_names_that_are_not_utf8(self, tmp_path):
        make(tmp_path, os.fsdecode(b"\xff.png"))
        source = discover(tmp_path, **LIMITS)
        assert len(fingerprint(source)) == len(content_digest(source)) == 64


class TestExpand:
    def test_what_is_one_document(self, tmp_path):
        make(tmp_path, "images/1.tif", "images/2.jpg", "images/read.me", "images/page/1.xml")
        make(tmp_path, "mixed/a.pdf", "mixed/b.tif", "mixed/c.txt", "mixed/inner/1.png")
        make(tmp_path, "images/more/10.png", "images/more/9.png", "empty/", ".hidden/1.png", "letter.pdf", "x.pdf.part")
        assert relative(expand([tmp_path]), tmp_path) == [
            "images",
            "images/more",
            "letter.pdf",
            "mixed/a.pdf",
            "mixed/b.tif",
            "mixed/inner",
        ]
        assert expand([tmp_path / "images/1.tif", tmp_path / "letter.pdf", tmp_path / "images/1.tif"]) == [
            tmp_path / "images/1.tif",
            tmp_path / "letter.pdf",
        ]

    def test_the_upload_folder_is_never_one_document(self, tmp_path):
        make(tmp_path, "1.png", "2.png", "box/1.png")
        assert relative(documents_below(tmp_path), tmp_path) == ["1.png", "2.png", "box"]
        assert relative(expand([tmp_path]), tmp_path) == [".", "box"]

    def test_links_are_not_followed(self, tmp_path):
        make(tmp_path, "a/1.png")
        (tmp_path / "a/loop").symlink_to(tmp_path)
        (tmp_path / "linked.pdf").symlink_to("a/1.png")
        assert relative(expand([tmp_path]), tmp_path) == ["a"]

    def test_nothing_there(self, tmp_path):
        with pytest.raises(errors.NotReadable, match="no such"):
            expand([tmp_path / "gone"])
        with pytest.raises(errors.NoPages, match="no documents"):
            expand([make(tmp_path, "notes.txt")])

    def test_a_folder_that_cannot_be_listed_stops_nothing_else(self, tmp_path, monkeypatch):
        make(tmp_path, "a/1.png", "b/1.png", "c.pdf")
        scandir = os.scandir

        def refuse(path):
            if Path(path).name == "a":
                raise PermissionError(13, "Permission denied")
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        assert relative(expand([tmp_path]), tmp_path) == ["a", "b", "c.pdf"]
        with pytest.raises(errors.NotReadable, match="Permission denied"):
            discover(tmp_path / "a", **LIMITS)

    def test_very_deep_folders(self, tmp_path):
        deep = tmp_path.joinpath(*["a"] * 300)
        for level in range(1, 301):
            tmp_path.joinpath(*["a"] * level).mkdir()
        (deep / "1.png").touch()
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(len(inspect.stack()) + 100)
        try:
            found = expand([tmp_path])
        finally:
            sys.setrecursionlimit(limit)
        assert found == [deep]


@given(st.lists(st.text(alphabet="aB01.9-é²", max_size=8)))
def test_natural_order_is_a_total_order(names):
    ordered = sorted(names, key=natural_order)
    names.reverse()
    assert sorted(names, key=natural_order) == ordered


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_natural_order_counts(numbers):
    assert sorted((f"p{n}r" for n in numbers), key=natural_order) == [f"p{n}r" for n in sorted(numbers)]


@pytest.mark.parametrize("name", ["a.pdf.crdownload", "~$a.pdf", ".a", "__MACOSX", "a.pdf~"])
def test_set_aside(name):
    assert set_aside(name)
    assert set_aside("a.pdf") is None


@given(st.text("aP.~é", min_size=1) | st.tuples(st.text("a."), st.sampled_from([".pdf", ".JPG", ".tif."])).map("".join))
def test_a_document_is_known_by_the_suffix_that_a_path_of_its_name_has(name: str) -> None:
    assert is_document(name) == (PurePath(name).suffix.lower() in DOCUMENT_SUFFIXES)
