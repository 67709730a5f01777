"""What may be loaded at all, by name and by first bytes: the cheap look before the sealed one (:mod:`.check`)."""

from __future__ import annotations

import os
from pathlib import Path

from archive_pipeline.errors import ModelError, printable
from archive_pipeline.models.entry import LOADED, UNSAFE

WAY_OUT = (
    "Ask its maker for a .safetensors file. A kraken checkpoint can be converted by "
    "`ketos convert -o model.safetensors model.ckpt`, on a machine that you can afford to lose; then import the result."
)
_ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".zst", ".rar"})
_LARGEST_HEADER = 100_000_000  # bytes; the limit of safetensors itself
_CODE = {
    # Protocols 2 to 5; torch.save before 1.6 begins so, too.
    **{bytes([0x80, protocol]): "a pickle" for protocol in (2, 3, 4, 5)},
    b"PK": "a zip archive, as torch.save makes",
    b"\x93NUMPY": "a numpy file, which may hold a pickle",
    b"\x89HDF": "an HDF5 file",
}
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7-Zip",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"Rar!": "RAR",
}


def check_name(name: str) -> None:
    """Refuse a file by its name.

    Raises:
        ModelError: It is of a kind that is not loaded; says why, and the way out.
    """
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    last = suffixes[-1] if suffixes else ""
    if last in LOADED:
        return
    if last in _ARCHIVES:
        raise ModelError(
            f"{printable(name)} is an archive, and archives are not unpacked",
            remedy="Unpack it yourself, and import the model's files.",
        )
    if last in UNSAFE:
        raise ModelError(f"{printable(name)} can run code when it is loaded: {last} files are pickles", remedy=WAY_OUT)
    raise ModelError(
        f"{printable(name)} is of no kind that is loaded", remedy=f"Give {', '.join(sorted(LOADED))}. {WAY_OUT}"
    )


def check_content(path: Path, name: str | None = None) -> None:
    """Refuse a file whose first bytes are not what its name says. Nothing of it is parsed.

    Raises:
        ModelError: It is a pickle or an archive under another name, or no file of its kind.
        OSError: It cannot be read.
    """
    name = name or path.name
    check_name(name)
    with path.open("rb") as file:
        head = file.read(512)
        size = os.fstat(file.fileno()).st_size
    # First of all: a header of 640 bytes begins like a pickle.
    if name.lower().endswith(".safetensors") and _is_safetensors(head, size):
        return
    for start, what in _CODE.items():
        if head.startswith(start):
            raise ModelError(
                f"{printable(name)} is {what}, whatever its name says: it can run code when it is loaded",
                remedy=WAY_OUT,
            )
    packed = "tar" if head[257:262] == b"ustar" else next((w for s, w in _PACKED.items() if head.startswith(s)), "")
    if packed:
        raise ModelError(
            f"{printable(name)} is packed ({packed}), whatever its name says",
            remedy="Unpack it yourself, and import the model's files.",
        )
    if not _may_be(name.lower(), head):
        raise ModelError(
            f"{printable(name)} is no {Path(name).suffix[1:]} file",
            remedy="Fetch it again from its maker: it may be cut, or an error page.",
        )


def _may_be(name: str, head: bytes) -> bool:
    if name.endswith(".json"):
        return head.lstrip()[:1] == b"{"
    # ONNX and CoreML are protobuf, and their first field is a number, the version of the format.
    return not name.endswith(".safetensors") and head[:1] == b"\x08"


def _is_safetensors(head: bytes, size: int) -> bool:
    """Eight bytes with the length of a JSON header, and the header within the file."""
    length = int.from_bytes(head[:8], "little")
    return len(head) > 8 and 2 <= length <= min(size - 8, _LARGEST_HEADER) and head[8:9] == b"{"
