"""ZIP files from strangers: what is honest is unpacked under names of ours, everything else is refused as a whole."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_support import files_below

from archive_pipeline.bench.hostile_zips import ZIPS, nested, plain, with_name
from archive_pipeline.errors import BadArchive, DocumentRefused, NoSpaceLeft, PasswordProtected, TooLarge
from archive_pipeline.training_sets.names import why_not
from archive_pipeline.unzipping import entries
from archive_pipeline.unzipping.entries import checked_name
from archive_pipeline.unzipping.limits import ZipLimits
from archive_pipeline.unzipping.unpack import Unpacked, unpack

LIMITS = ZipLimits(entries=40, file_mb=32, total_mb=64)
EXPECTED = {
    "a-password": PasswordProtected,
    "a-password-before-the-bytes-only": PasswordProtected,
    "a-ratio-bomb": TooLarge,
    "too-many-entries": TooLarge,
    "folders-in-folders": TooLarge,
    "a-name-that-is-too-long": TooLarge,
}


def unpacked(data: bytes, folder: Path, limits: ZipLimits = LIMITS) -> Unpacked:
    path = folder.parent / "a.zip"
    path.write_bytes(data)
    with path.open("rb") as file:
        return unpack(file, folder, why_not, limits)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scratch"
    made.mkdir()
    return made


@pytest.mark.parametrize("name", ZIPS)
def test_a_hostile_zip_is_refused_and_lands_nowhere_else(name: str, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EXPECTED.get(name, BadArchive)) as error:
        unpacked(ZIPS[name](), folder)
    assert error.value.what
    assert error.value.remedy
    assert {path.split("/")[0] for path in files_below(tmp_path)} <= {"a.zip", "scratch"}
    for path in folder.iterdir():
        assert path.name.startswith("entry-")
        assert not path.is_symlink()


def test_what_is_honest_is_unpacked_byte_by_byte_under_names_of_ours(folder: Path) -> None:
    entries = {
        "page/0001.xml": b"<a/>" * 1000,
        "0001.jpg": os.urandom(300_000),
        "Él.gt.txt": "é".encode(),
        "hand.yaml": b"",
    }
    found = unpacked(plain(entries), folder)
    assert {name: (folder / file).read_bytes() for name, file in found.files.items()} == entries
    assert sorted(path.name for path in folder.iterdir()) == sorted(found.files.values())
    assert found.ignored == {}


def test_only_known_names_are_unpacked_and_the_others_are_named(folder: Path) -> None:
    names = ["mets.xml", "a.exe", "__MACOSX/a.xml", ".hidden.xml", "a.pdf", "hand.yml", "inner.zip"]
    found = unpacked(plain(dict.fromkeys([*names, "a.xml"], b"x")), folder)
    assert list(found.files) == ["a.xml"]
    assert list(found.ignored) == names
    assert found.ignored["inner.zip"] == "an archive in an archive is not unpacked"


def test_a_zip_in_a_zip_in_a_zip_is_left_packed(folder: Path) -> None:
    assert unpacked(nested(), folder).files == {}
    assert list(folder.iterdir()) == []


def test_folders_with_names_of_their_own_are_no_files(folder: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.mkdir("page")
        archive.writestr("page/a.xml", b"<a/>")
    assert list(unpacked(file.getvalue(), folder).files) == ["page/a.xml"]


def test_limits_on_bytes_hold_for_one_file_and_for_all(folder: Path) -> None:
    data = plain({"a.jpg": os.urandom(3 << 20), "b.jpg": os.urandom(3 << 20)})
    with pytest.raises(TooLarge, match=r"a\.jpg unpacks to 3 MB, the limit is 2 MB"):
        unpacked(data, folder, ZipLimits(file_mb=2))
    with pytest.raises(TooLarge, match="it unpacks to 6 MB, the limit is 5 MB"):
        unpacked(data, folder, ZipLimits(total_mb=5))
    assert list(folder.iterdir()) == []


def test_more_names_than_a_message_can_carry_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = plain({f"{'é' * 60}/{number}.xml": b"<a/>" for number in range(9)})
    monkeypatch.setattr(entries, "_MAX_NAMES", 3 << 10)
    with pytest.raises(TooLarge, match="the names in it take more than 0 MB") as refused:
        unpacked(data, folder)
    assert refused.value.remedy == "Part it into several ZIP files."
    monkeypatch.setattr(entries, "_MAX_NAMES", 4 << 10)
    assert len(unpacked(data, folder).files) == 9


def test_a_full_disk_is_told_before_anything_is_unpacked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        f_bavail, f_frsize = 1, 512

    monkeypatch.setattr(os, "statvfs", lambda _: Full)
    with pytest.raises(NoSpaceLeft, match=r"it unpacks to 2\.0 MB, and there are 0\.0 MB left"):
        unpacked(plain({"a.jpg": os.urandom(2 << 20)}), folder)
    assert list(folder.iterdir()) == []


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_a_name_is_below_the_folder_or_refused(name: str) -> None:
    try:
        found = checked_name(name, ZipLimits())
    except DocumentRefused:
        return
    path = os.path.normpath(os.path.join("/base", found))  # noqa: PTH118 - as a careless program would
    assert path == f"/base/{found}"
    assert found.isprintable() or not any(ord(char) < 32 for char in found)


@given(st.binary(max_size=400), st.integers(0, 399))
@settings(max_examples=150)
def test_a_zip_with_any_bytes_changed_is_unpacked_or_refused(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int
) -> None:
    folder = tmp_path_factory.mktemp("noise") / "scratch"
    folder.mkdir()
    data = bytearray(plain({"a.xml": b"<a/>" * 20, "b/c.gt.txt": b"text"}))
    data[at : at + len(noise)] = noise
    try:
        found = unpacked(bytes(data), folder)
    except DocumentRefused:
        return
    assert set(found.files.values()) == {path.name for path in folder.iterdir()}


def test_a_name_of_another_alphabet_is_one_name() -> None:
    assert checked_name("Étude/字.xml", ZipLimits()) == "Étude/字.xml"
    assert with_name("a.xml").startswith(b"PK")
