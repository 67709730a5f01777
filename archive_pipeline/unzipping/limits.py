"""How much a ZIP file may hold."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1 << 20


@dataclass(frozen=True)
class ZipLimits:
    """Limits of one ZIP file.

    Attributes:
        entries: Most entries, folders too. Sets of line images have two files a line, and tens of thousands of lines.
        file_mb: Largest unpacked file, in megabytes of 2^20 bytes.
        total_mb: Most of all unpacked files together.
        ratio: How many times larger a file may unpack, beyond its first megabyte. XML of pages has 10 to 40.
        depth: Most folders in each other.
        name_bytes: Longest name of an entry with its folders, in bytes of UTF-8.
    """

    entries: int = 100_000
    file_mb: int = 512
    total_mb: int = 8_192
    ratio: int = 200
    depth: int = 8
    name_bytes: int = 400
