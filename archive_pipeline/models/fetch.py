"""Fetching one file of a model: checked before anybody can see it, resumed after a break, fetched once.

The files are kept by content: ``<folder>/<sha256>/<name>``. What is there under its own name is whole and checked.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import requests
from filelock import FileLock
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from archive_pipeline.errors import ModelError, NoSpaceLeft, printable

_log = logging.getLogger(__name__)
_TIMEOUTS = (10, 60)
"""Seconds to connect, and between two pieces."""
_PIECE = 1 << 20
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_LONGEST_WAIT = 60
"""Seconds that a busy server is waited for at most, whatever its Retry-After asks for: a run that waits for an hour
looks as if it hung, and can be started again."""
# What may pass by itself: a busy server, a broken connection. Proxies are taken from the environment by requests.
_RETRY = Retry(
    total=5,
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("GET",),
    retry_after_max=_LONGEST_WAIT,
)


def fetch(url: str, *, sha256: str, size: int, folder: Path) -> Path:
    """The file, fetched if it is not there yet.

    Args:
        url: Where it is.
        sha256, size: What it must be; no byte beyond the size is kept.
        folder: The model store.

    Raises:
        ModelError: It cannot be had, or is not what it must be.
        NoSpaceLeft: The volume is full; what was fetched is removed.
    """
    target = folder / sha256 / _name(url)
    try:
        # What is there is whole. Looked at before the lock: where models are mounted read-only, none can be taken.
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(target.parent / ".lock"):
                if not target.exists():
                    _fetch(url, sha256, size, target)
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise NoSpaceLeft(f"no space left in {folder} for {size / 1e6:.0f} MB of {target.name}") from None
        raise ModelError(
            f"{target} cannot be written: {error.strerror}", remedy="See archive-pipeline doctor."
        ) from None
    return target


def _name(url: str) -> str:
    """The file's name: what stands behind a ``?`` is no part of it."""
    name = Path(urlsplit(url).path).name
    # Ours are hidden: the lock, and what is not whole.
    if not name.isprintable() or name.startswith(".") or not name:
        raise ModelError(f"{printable(url)} names no file", remedy="Give the address of the model's file itself.")
    return name


def _part(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


def _fetch(url: str, sha256: str, size: int, target: Path) -> None:
    part = _part(target)
    try:
        _fill(part, url, size)
    except OSError as error:
        # Here, and not after the lock is given up: the next process may have begun to fill it again.
        if error.errno in _NO_SPACE:
            part.unlink(missing_ok=True)
        raise
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256 or part.stat().st_size != size:
        part.unlink()
        raise ModelError(
            f"what {url} gave is not the model: SHA-256 {found} instead of {sha256}",
            remedy="It was not kept. Try again later; if it stays so, the model was changed at its source.",
        )
    part.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    _log.info("fetched %s, %.1f MB, digest right", target.name, size / 1e6)


def _fill(part: Path, url: str, size: int) -> None:
    there = part.stat().st_size if part.exists() else 0
    with part.open("ab") as file:
        for piece in _pieces(url, there, size):
            if piece is None:  # the server starts anew
                file.truncate(0)
            else:
                file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _pieces(url: str, there: int, size: int) -> Iterator[bytes | None]:
    """The file from a byte on; None first if all that is there must go."""
    if there > size:
        yield None
        there = 0
    elif there == size:
        return
    try:
        with requests.Session() as session:
            session.mount("https://", HTTPAdapter(max_retries=_RETRY))
            session.mount("http://", HTTPAdapter(max_retries=_RETRY))
            headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={there}-"} if there else {})
            with session.get(url, headers=headers, stream=True, timeout=_TIMEOUTS) as answer:
                answer.raise_for_status()
                if there and answer.status_code != requests.codes.partial_content:
                    yield None
                    there = 0
                for piece in answer.iter_content(_PIECE):
                    there += len(piece)
                    if there > size:
                        raise ModelError(f"{url} is larger than the {size} bytes that it should have")
                    yield piece
    except requests.RequestException as error:
        raise ModelError(
            f"{url} cannot be fetched: {error}", remedy="Check the network and HTTPS_PROXY; what was fetched is kept."
        ) from None
