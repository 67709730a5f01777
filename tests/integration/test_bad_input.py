"""Bad input: one clear sentence each, an exit code, and the other documents unharmed."""

import os
import shutil
import struct
import subprocess
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image

from archive_pipeline.demo.archive import DemoArchive
from archive_pipeline.demo.pages import make_pdf


def _png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def _pdf(**encryption: str) -> bytes:
    file = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(file, encryption=pikepdf.Encryption(**encryption) if encryption else False)
    return file.getvalue()


def _no_pages() -> bytes:
    file = BytesIO()
    with pikepdf.new() as pdf:
        pdf.save(file)
    return file.getvalue()


CASES = {
    "empty.pdf": (b"", "EmptyFile", "the file is empty"),
    "truncated.jpg": (b"\xff\xd8\xff\xe0\x00\x10JFIF", "DamagedFile", ""),
    "password.pdf": (_pdf(user="secret", owner="secret"), "PasswordProtected", "password"),
    "nothing.pdf": (_no_pages(), "NoPages", ""),
    "text.pdf": (b"Dear reader, this is no PDF.\n" * 20, "UnsupportedType", ""),
    "huge.png": (_png_header(50_000, 50_000), "DocumentFailed|TooLarge", "pixels"),
    "noise.bin": (os.urandom(3000), "UnsupportedType", ""),
}


def test_each_bad_document_gets_one_sentence_and_the_good_one_is_done(
    cli: Any, demo: DemoArchive, tmp_path: Path
) -> None:
    for name, (data, _, _) in CASES.items():
        (tmp_path / name).write_bytes(data)
    good = demo.documents[3]
    ran = cli(
        "run",
        *(tmp_path / name for name in CASES),
        tmp_path / "gone.pdf",
        good,
        "--out",
        tmp_path / "out",
        "--json",
        check=False,
    )
    assert ran.status in (3, 4)
    for name, (_, codes, words) in CASES.items():
        error = ran.documents[name]["error"]
        assert error is not None, name
        assert error["code"] in codes.split("|"), (name, error)
        assert name in error["message"]
        assert words in error["message"]
        assert error["remedy"], (name, error)
        assert "\n" not in error["message"]
    gone = ran.documents[str(tmp_path / "gone.pdf")]["error"]
    assert gone["code"] == "NotReadable"
    assert ran.documents["postcards"]["error"] is None
    assert (tmp_path / "out" / "postcards" / "document.pdf").is_file()


@pytest.mark.parametrize(
    "name",
    ["a b.pdf", "Über größe.pdf", "new\nline.pdf", "日本語.pdf", "-dash.pdf", "a,b...c|d.pdf", "x" * 251 + ".pdf"],
)
def test_names_of_every_kind_are_read(cli: Any, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    make_pdf(folder / name, pages=1, lines=2)
    ran = cli("run", folder, "--out", tmp_path / "out", "--json")
    (row,) = ran.documents.values()
    assert row["error"] is None
    assert row["lines"] == 2
    assert len(list((tmp_path / "out").glob("*/document.pdf"))) == 1


def test_a_pdf_with_only_an_owners_password_opens_without_asking(cli: Any, tmp_path: Path) -> None:
    make_pdf(tmp_path / "plain.pdf", pages=1, lines=2)
    with pikepdf.open(tmp_path / "plain.pdf") as pdf:
        pdf.save(tmp_path / "owner.pdf", encryption=pikepdf.Encryption(owner="secret", user=""))
    ran = cli("run", tmp_path / "owner.pdf", "--out", tmp_path / "out", "--json")
    assert ran.documents["owner.pdf"]["lines"] == 2


def test_a_damaged_page_fails_alone_within_the_budget_and_the_document_beyond_it(cli: Any, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    for number in range(1, 4):
        image = Image.new("RGB", (600, 200), "white")
        image.save(scans / f"{number}.jpg")
    whole = (scans / "2.jpg").read_bytes()
    (scans / "2.jpg").write_bytes(whole[: len(whole) // 2])
    ran = cli("run", scans, "--json", check=False)
    error = ran.documents["scans"]["error"]
    assert ran.status == 4
    assert error["code"] == "DocumentFailed"
    assert "1 of 3 pages failed (2)" in error["message"]
    ran = cli("run", scans, "--json", "--out", tmp_path / "out", ARCHIVE_MAX_FAILED_PAGES="0.5")
    assert ran.documents["scans"]["not_read"]["2"].startswith("failed: ")


def test_wrong_options_are_wrong_usage(cli: Any, demo: DemoArchive, tmp_path: Path) -> None:
    card = demo.documents[3]
    for arguments in (
        ["run"],
        ["run", card, "--pages", "x"],
        ["run", card, "--engine", "magic"],
        ["run", card, "--born-digital", "x"],
        ["no-such-command"],
    ):
        assert cli(*arguments, check=False).status == 2, arguments
    ran = cli("run", card, "--model", "no-such-model", check=False)
    assert ran.status == 6
    assert "there is no recognition model 'no-such-model'" in ran.stderr


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="only root can mount a small file system"
)
def test_a_full_disk_is_one_sentence_and_the_next_run_succeeds(cli: Any, demo: DemoArchive, tmp_path: Path) -> None:
    store = tmp_path / "small"
    store.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(store)], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not allow mounts")
    try:
        ran = cli("run", demo.documents[0], "--json", check=False, ARCHIVE_STORE=str(store))
        assert ran.status == 5
        assert "no space left" in ran.documents["letter-1912.pdf"]["error"]["message"]
        assert not list(store.rglob("*.tmp"))
        subprocess.run(["mount", "-o", "remount,size=100m", str(store)], check=True)
        ran = cli("run", demo.documents[0], "--json", ARCHIVE_STORE=str(store))
        assert ran.documents["letter-1912.pdf"]["error"] is None
    finally:
        subprocess.run(["umount", str(store)], check=True)
