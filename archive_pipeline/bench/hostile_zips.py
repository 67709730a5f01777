"""ZIP files that no honest program makes, each with what is wrong with it."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

_PAGE = b"<PcGts/>"


def plain(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An honest ZIP."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file.getvalue()


def with_name(name: str) -> bytes:
    """One entry of any name, which :mod:`zipfile` would clean."""
    raw = name.encode("utf-8", "surrogatepass")
    return assembled([(local(raw, _PAGE), central(raw, _PAGE, 0))])


def local(name: bytes, data: bytes, *, flags: int = 0x800, method: int = 0, size: int | None = None) -> bytes:
    head = struct.pack(
        "<4s5H3L2H",
        b"PK\x03\x04",
        20,
        flags,
        method,
        0,
        0x21,
        zlib.crc32(data),
        len(data),
        size or len(data),
        len(name),
        0,
    )
    return head + name + data


def central(
    name: bytes,
    data: bytes,
    offset: int,
    *,
    flags: int = 0x800,
    method: int = 0,
    mode: int = 0o100644,
    crc: int | None = None,
    packed: int | None = None,
    size: int | None = None,
) -> bytes:
    return (
        struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            0x031E,
            20,
            flags,
            method,
            0,
            0x21,
            zlib.crc32(data) if crc is None else crc,
            len(data) if packed is None else packed,
            len(data) if size is None else size,
            len(name),
            0,
            0,
            0,
            0,
            mode << 16,
            offset,
        )
        + name
    )


def assembled(entries: list[tuple[bytes, bytes]], count: int | None = None) -> bytes:
    body = b"".join(each for each, _ in entries)
    directory = b"".join(each for _, each in entries)
    number = len(entries) if count is None else count
    return body + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, number, number, len(directory), len(body), 0)


def link() -> bytes:
    target = b"/etc/passwd"
    return assembled([(local(b"a.xml", target), central(b"a.xml", target, 0, mode=0o120777))])


def device() -> bytes:
    return assembled([(local(b"a.xml", b""), central(b"a.xml", b"", 0, mode=0o020666))])


def overlap(names: int = 30) -> bytes:
    """After Fifield's: one kernel that many entries share, quoted by stored local headers."""
    kernel_data = b"a" * 100_000
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(kernel_data) + packer.flush()
    kernel = local(b"k.xml", packed, method=8, size=len(kernel_data))
    entries = [(kernel, central(b"k.xml", packed, 0, method=8, crc=zlib.crc32(kernel_data), size=len(kernel_data)))]
    # Every other entry names the same bytes under the same local header's name.
    for number in range(1, names):
        name = f"{number:04d}.xml".encode()
        entries.append((b"", central(name, packed, 0, method=8, crc=zlib.crc32(kernel_data), size=len(kernel_data))))
    return assembled(entries)


def quoted_overlap() -> bytes:
    """Two entries, the first of which holds the second's header and data as its own."""
    inner = local(b"b.xml", _PAGE)
    outer_head = local(b"a.xml", inner)
    offset = len(outer_head) - len(inner)
    return assembled([(outer_head, central(b"a.xml", inner, 0) + central(b"b.xml", _PAGE, offset))], count=2)


def ratio(megabytes: int = 20) -> bytes:
    return plain({"0001.xml": b" " * (megabytes << 20)})


def nested(depth: int = 10) -> bytes:
    data = plain({"0001.xml": _PAGE})
    for _ in range(depth):
        data = plain({"inner.zip": data})
    return data


def wrong_crc() -> bytes:
    return assembled([(local(b"a.xml", _PAGE), central(b"a.xml", _PAGE, 0, crc=1))])


def encrypted() -> bytes:
    return assembled([(local(b"a.xml", _PAGE, flags=0x801), central(b"a.xml", _PAGE, 0, flags=0x801))])


def encrypted_before_its_bytes_only() -> bytes:
    return assembled([(local(b"a.xml", _PAGE, flags=0x801), central(b"a.xml", _PAGE, 0))])


def two_names() -> bytes:
    """What the table of contents calls a page is something else before its bytes."""
    return assembled([(local(b"x.exe", _PAGE), central(b"a.xml", _PAGE, 0))])


def lies_about_its_size() -> bytes:
    return assembled([(local(b"a.xml", _PAGE), central(b"a.xml", _PAGE, 0, size=3))])


def reaches_into_the_directory() -> bytes:
    return assembled(
        [(local(b"a.xml", _PAGE), central(b"a.xml", _PAGE, 0, packed=len(_PAGE) + 30, size=len(_PAGE) + 30))]
    )


def unknown_method() -> bytes:
    return assembled([(local(b"a.xml", _PAGE, method=14), central(b"a.xml", _PAGE, 0, method=14))])


def cut_off() -> bytes:
    return plain({"a.xml": _PAGE * 500})[:-30]


def damaged() -> bytes:
    data = bytearray(plain({"a.xml": bytes(range(256)) * 40}))
    data[60:90] = b"\xff" * 30
    return bytes(data)


def offset_beyond() -> bytes:
    return assembled([(local(b"a.xml", _PAGE), central(b"a.xml", _PAGE, 1 << 30))])


def folder_with_contents() -> bytes:
    return assembled([(local(b"a/", _PAGE), central(b"a/", _PAGE, 0, mode=0o040755))])


ZIPS: dict[str, Callable[[], bytes]] = {
    "a-name-that-leads-up": lambda: with_name("../a.xml"),
    "a-name-that-leads-up-inside": lambda: with_name("a/../../a.xml"),
    "an-absolute-name": lambda: with_name("/etc/a.xml"),
    "a-name-with-backslashes": lambda: with_name("..\\a.xml"),
    "a-name-with-a-drive": lambda: with_name("C:a.xml"),
    "a-name-with-a-nul": lambda: with_name("a.xml\0.png"),
    "a-name-with-an-escape": lambda: with_name("\x1b[2Ja.xml"),
    "a-name-with-a-line-break": lambda: with_name("a\n.xml"),
    "an-empty-name": lambda: with_name(""),
    "a-name-of-dots": lambda: with_name(".."),
    "a-name-that-is-too-long": lambda: with_name("a" * 300 + ".xml"),
    "folders-in-folders": lambda: with_name("a/" * 40 + "a.xml"),
    "a-link": link,
    "a-device": device,
    "entries-that-share-bytes": overlap,
    "an-entry-in-an-entry": quoted_overlap,
    "a-ratio-bomb": ratio,
    "a-wrong-crc": wrong_crc,
    "a-password": encrypted,
    "a-password-before-the-bytes-only": encrypted_before_its_bytes_only,
    "two-names-of-one-entry": two_names,
    "a-wrong-size": lies_about_its_size,
    "an-entry-in-the-directory": reaches_into_the_directory,
    "an-unknown-method": unknown_method,
    "the-same-name-twice": lambda: assembled(
        [
            (local(b"a.xml", _PAGE), central(b"a.xml", _PAGE, 0)),
            (local(b"A.xml", _PAGE), central(b"A.xml", _PAGE, len(local(b"a.xml", _PAGE)))),
        ]
    ),
    "a-file-that-is-a-folder": lambda: plain({"a.xml": _PAGE, "a.xml/b.xml": _PAGE}),
    "a-folder-with-contents": folder_with_contents,
    "cut-off": cut_off,
    "damaged": damaged,
    "an-offset-beyond-the-end": offset_beyond,
    "no-zip": lambda: b"GIF89a" * 100,
    "nothing": lambda: b"",
    "too-many-entries": lambda: plain({f"{number}.xml": b"" for number in range(50)}),
}
"""All of them are refused, under limits of 40 entries."""
