"""Work in a process that is killed at one of its changes to a folder: before a file is made, renamed or removed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

_FILES_MADE = os.O_CREAT
_CHANGES = {"os.rename": 2, "os.remove": 1, "os.mkdir": 1, "os.rmdir": 1}
"""Audit events, and how many of their first arguments are paths."""


def killed_at(number: int | None, folder: Path, work: Callable[[], object]) -> int | None:
    """Do the work in a child that is killed just before its change of that number, from 1; None for no kill.

    Returns:
        How many changes there were; None if it was killed.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            count = 0
            below = os.fsencode(folder) + b"/"

            def hook(event: str, arguments: tuple[object, ...]) -> None:
                nonlocal count
                if event == "open":
                    path, flags = arguments[0], arguments[2]
                    paths = [path] if isinstance(flags, int) and flags & _FILES_MADE else []
                elif event in _CHANGES:
                    paths = list(arguments[: _CHANGES[event]])
                else:
                    return
                if any(
                    isinstance(path, str | bytes | os.PathLike) and os.fsencode(path).startswith(below)
                    for path in paths
                ):
                    count += 1
                    if count == number:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(hook)
            work()
            os.write(writer, str(count).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        answer = said.read()
    _, ended = os.waitpid(child, 0)
    if os.WIFSIGNALED(ended):
        assert os.WTERMSIG(ended) == signal.SIGKILL
        return None
    assert os.WEXITSTATUS(ended) == 0, "the work failed by itself"
    return int(answer)
