"""One file over the network: taken up where it stopped, bounded, flushed, held against every digest that is known."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import requests

from archive_pipeline.errors import ModelError, printable
from archive_pipeline.models.network import BrokenOff, Network, shown
from archive_pipeline.models.remote import RemoteFile, digest

Progress = Callable[[str, int, int | None], None]
"""Told of a file's name, its bytes so far, and its size if that is known."""

_STUCK = 3
_HEADWAY = 1 << 20  # bytes that a transfer must get on to be given its tries anew


def no_progress(name: str, done: int, size: int | None) -> None:
    """Tell nobody."""


def download(file: RemoteFile, target: Path, network: Network, progress: Progress = no_progress) -> None:
    """Fetch a file. It gets its name when it is whole, checked and flushed; until then it is ``<name>.part``.

    What a broken transfer left is taken up, also by another process, if there is a digest to hold the whole against.

    Raises:
        ModelError: It cannot be had, or is not what it should be. In the second case nothing of it is kept.
        OSError: It cannot be written.
    """
    if target.exists():
        return
    part = target.with_name(f"{target.name}.part")
    if not file.digests or (file.size is not None and _size(part) > file.size):
        part.unlink(missing_ok=True)
    resumed = _size(part) > 0
    try:
        _transfer(file, part, network, progress)
        wrong = difference(part, file)
        if wrong and resumed:
            # What lay here may be of another version of the file: once more, from its first byte.
            part.unlink()
            _transfer(file, part, network, progress)
            wrong = difference(part, file)
        if wrong:
            raise ModelError(
                f"what {shown(file.url)} gave is not {printable(file.name)}: {wrong}",
                remedy="It was not kept. Try again later; if it stays so, the file was changed at its source.",
            )
    except BrokenOff:
        raise
    except ModelError:
        part.unlink(missing_ok=True)
        raise
    part.replace(target)


def difference(path: Path, file: RemoteFile) -> str:
    """What is not as it should be; empty if all is."""
    if file.size is not None and _size(path) != file.size:
        return f"{_size(path):,} bytes instead of {file.size:,}"
    for algorithm, expected in file.digests.items():
        found = digest(path, algorithm)
        if found != expected:
            return f"{algorithm.upper().replace('SHA256', 'SHA-256')} {found} instead of {expected}"
    return ""


def _transfer(file: RemoteFile, part: Path, network: Network, progress: Progress) -> None:
    failures = 0
    while file.size is None or _size(part) < file.size:
        before = _size(part)
        try:
            _append(file, part, network, progress)
            return
        except BrokenOff:
            failures = 1 if _size(part) - before >= _HEADWAY else failures + 1
            # With no part the server did not even answer, and the network has tried that often enough.
            if failures >= _STUCK or not _size(part) or not file.digests:
                raise
        network.pause(failures)


def _append(file: RemoteFile, part: Path, network: Network, progress: Progress) -> None:
    there = _size(part)
    with part.open("ab") as out:
        try:
            with network.open(file.url, first=there, headers=file.headers) as answer:
                if answer.status_code == requests.codes.requested_range_not_satisfiable:
                    return  # the server has no more: all is here, or the digest will tell
                if there and not _goes_on(answer, there):
                    out.truncate(0)
                    there = 0
                progress(file.name, there, file.size)
                for piece in network.pieces(answer, (file.size or network.largest) - there):
                    out.write(piece)
                    there += len(piece)
                    progress(file.name, there, file.size)
        finally:
            out.flush()
            os.fsync(out.fileno())


def _goes_on(answer: requests.Response, first: int) -> bool:
    """Whether the answer begins at the byte that was asked for."""
    partial = answer.status_code == requests.codes.partial_content
    return partial and answer.headers.get("Content-Range", "").startswith(f"bytes {first}-")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
