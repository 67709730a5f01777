"""What a file is, by its first bytes; its name does not count."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

from archive_pipeline.errors import DamagedFile, EmptyFile, UnsupportedType
from archive_pipeline.rendering.model import SourceKind

_HEAD = 1024


class Format(NamedTuple):
    """A kind of file that is read.

    Attributes:
        pillow: Pillow's names for it; empty for PDF.
    """

    kind: SourceKind
    media_type: str
    pillow: tuple[str, ...] = ()


PDF = Format("pdf", "application/pdf")
TIFF = Format("image", "image/tiff", ("TIFF",))
# Pillow calls a JPEG with a second picture in it (of phones and stereo cameras) MPO; it is opened as JPEG.
JPEG = Format("image", "image/jpeg", ("JPEG",))
PNG = Format("image", "image/png", ("PNG",))
JPEG_2000 = Format("image", "image/jp2", ("JPEG2000",))
WEBP = Format("image", "image/webp", ("WEBP",))
IMAGES = {fmt.media_type: fmt for fmt in (TIFF, JPEG, PNG, JPEG_2000, WEBP)}

_READ = (
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\0\0\0\x0cjP  \r\n\x87\n", JPEG_2000),
    (b"\xff\x4f\xff\x51", JPEG_2000),
)
_NOT_READ = (
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office document"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"AT&TFORM", "a DjVu document"),
    (b"8BPS", "a Photoshop image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (b"\x97JB2\r\n\x1a\n", "a JBIG2 image"),
    (b"%!PS", "a PostScript program"),
    (b"{\\rtf", "an RTF document"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)


def detect(file: BinaryIO, name: str) -> Format:
    """Find out what an open file is.

    Args:
        name: For messages only.

    Raises:
        EmptyFile: It has no bytes.
        DamagedFile: It has nothing but zero bytes where its beginning should be.
        UnsupportedType: It is something else; the message says what it looks like.
    """
    file.seek(0)
    head = file.read(_HEAD)
    if not head:
        raise EmptyFile("the file is empty", document=name)
    for magic, found in _READ:
        if head.startswith(magic):
            return found
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    looks_like = _looks_like(head)
    # After the others: a ZIP archive may hold a PDF that begins near its own beginning.
    if looks_like is None and b"%PDF-" in head:
        return PDF
    if not head.strip(b"\0"):
        raise DamagedFile("the file begins with nothing but zero bytes", document=name)
    raise UnsupportedType(f"it looks like {looks_like or _text_or_not(head)}", document=name)


def _looks_like(head: bytes) -> str | None:
    for magic, description in _NOT_READ:
        if head.startswith(magic):
            return description
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in (b"heic", b"heix", b"mif1", b"msf1", b"heim", b"heis"):
            return "a HEIC image"
        return "an AVIF image" if brand == b"avif" else "a video"
    return None


def _text_or_not(head: bytes) -> str:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if text.startswith(b"<?xml"):
        return "an XML file"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "a text file"
    printable = sum(byte >= 32 or byte in b"\t\r\n\f" for byte in head)
    return "a text file" if printable > 0.95 * len(head) else "none of the types that are read"
