"""A file of a model as its source offers it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Algorithm = Literal["sha256", "md5", "git-sha1"]
"""``git-sha1`` is the name that git gives to a file: SHA-1 of ``blob <size>``, a zero byte, and its bytes."""


@dataclass(frozen=True)
class RemoteFile:
    """Where a file is, and what its source and the catalogue say of it.

    Attributes:
        size: In bytes, if somebody told it.
        digests: What must come out, in hexadecimal; empty if nobody told one.
        headers: To be sent along. They may hold a token: never shown.
    """

    name: str
    url: str
    size: int | None = None
    digests: Mapping[Algorithm, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def digest(path: Path, algorithm: Algorithm) -> str:
    """The digest of a file on this machine, in hexadecimal."""
    if algorithm == "git-sha1":
        found = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    else:
        # MD5 is all that Zenodo tells: it finds damage, not an attacker.
        found = hashlib.new(algorithm, usedforsecurity=algorithm == "sha256")
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    return found.hexdigest()
