"""Uploads that no archive can take: each must end refused, with a reason and a remedy, and hurt nothing else."""

from __future__ import annotations

import os
import random
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pikepdf

from archive_pipeline.bench.week.papers import paper


def _empty(path: Path, _: random.Random) -> None:
    path.write_bytes(b"")


def _text(path: Path, _: random.Random) -> None:
    path.write_bytes(b"Dear Sir, this is no image.\n" * 20)


def _truncated(path: Path, draw: random.Random) -> None:
    whole = paper(".pdf", draw)
    path.write_bytes(whole[: len(whole) // 3])


def _encrypted(path: Path, _: random.Random) -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(path, encryption=pikepdf.Encryption(owner="owner", user="user"))


def _without_pages(path: Path, _: random.Random) -> None:
    with pikepdf.new() as pdf:
        pdf.save(path)


def _link(path: Path, _: random.Random) -> None:
    path.symlink_to("/etc/passwd")


def _circle(path: Path, _: random.Random) -> None:
    path.symlink_to(".")


def _pipe(path: Path, _: random.Random) -> None:
    os.mkfifo(path)


def _bomb(path: Path, _: random.Random) -> None:
    """A PNG whose header promises 3.6 thousand million pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))


def _noise(path: Path, draw: random.Random) -> None:
    path.write_bytes(b"\xff\xd8\xff\xe0" + draw.randbytes(4_000))


def _letter(path: Path, _: random.Random) -> None:
    path.write_bytes(BytesIO(b"PK\x03\x04 a word processor's file").getvalue())


BAD: dict[str, tuple[str, Callable[[Path, random.Random], None]]] = {
    "empty file": ("{}.png", _empty),
    "text named as an image": ("{}.png", _text),
    "truncated PDF": ("{}.pdf", _truncated),
    "encrypted PDF": ("{}.pdf", _encrypted),
    "PDF without pages": ("{}.pdf", _without_pages),
    "link": ("{}.pdf", _link),
    "circle of links": ("{}.tif", _circle),
    "named pipe": ("{}.jpg", _pipe),
    "pixel bomb": ("{}.png", _bomb),
    "noise named as a JPEG": ("{}.jpg", _noise),
    "file of a word processor": ("{}.docx", _letter),
}
"""By kind: the form of its name, and what writes it. All of them are to be refused."""


def write_bad(folder: Path, number: int, draw: random.Random) -> tuple[Path, str]:
    """Write the bad upload of this number; its path and kind. The kinds take turns."""
    kind = list(BAD)[number % len(BAD)]
    form, write = BAD[kind]
    path = folder / form.format(f"bad-{number:03d}")
    folder.mkdir(parents=True, exist_ok=True)
    write(path, draw)
    return path, kind
