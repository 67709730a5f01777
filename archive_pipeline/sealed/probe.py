"""What a document that has taken over a sealed child could still do, tried from inside one.

``doctor`` and the container tests run this as the child's entry.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

SECRETS = ("PGPASSFILE", "PGPASSWORD", "DAGSTER_HOME", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY")


def handle(request: dict[str, Any], files: list[BinaryIO], scratch: Path) -> dict[str, Any]:  # noqa: ARG001
    """Try everything.

    Args:
        request: ``parent``: its pid; ``files``: paths that must not be readable; ``folders``: that must not be
            writable.
        scratch: The child's own folder.

    Returns:
        ``attempts``: for each attempt the name of the error that stopped it, or ``succeeded``.
    """
    parent = int(request["parent"])
    attempts: dict[str, Callable[[], object]] = {
        "open a TCP socket": lambda: socket.socket(socket.AF_INET),
        "open a Unix socket": lambda: socket.socket(socket.AF_UNIX),
        "read the parent's environment": Path(f"/proc/{parent}/environ").read_bytes,
        "list the parent's files": lambda: os.listdir(f"/proc/{parent}/fd"),  # noqa: PTH208 - one system call
        # Signal 0 asks the kernel for the same permission and does nothing: an unsealed try must not stop the parent.
        "signal the parent": lambda: os.kill(parent, 0),
        "start a program": _start,
    }
    attempts |= {f"read {path}": Path(path).read_bytes for path in request.get("files", [])}
    attempts |= {f"write to {path}": partial(_write, Path(path)) for path in request.get("folders", [])}
    results = {name: _try(attempt) for name, attempt in attempts.items()}
    for name in SECRETS:
        results[f"find {name} in its environment"] = "succeeded" if name in os.environ else "ENOENT"
    return {"attempts": results}


def _write(folder: Path) -> None:
    path = folder / f".probe-{os.getpid()}"
    path.touch(exist_ok=False)
    with suppress(OSError):  # that it could be made is what counts
        path.unlink()


def _start() -> None:
    child = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 0"], {})
    with suppress(OSError):
        os.waitpid(child, 0)


def _try(attempt: Callable[[], object]) -> str:
    try:
        result = attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    if isinstance(result, socket.socket):
        result.close()
    return "succeeded"
