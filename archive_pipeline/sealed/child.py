"""The child's life: take the configuration, seal itself, import the entry, answer requests until the parent goes."""

from __future__ import annotations

import faulthandler
import importlib
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from archive_pipeline.errors import ChildError
from archive_pipeline.sealed import frames, seal
from archive_pipeline.sealed.failures import describe
from archive_pipeline.sealed.limits import Limits

Handler = Callable[[dict[str, Any], list[BinaryIO], Path], dict[str, Any]]
"""``handle(request, files, scratch) -> result``: files are open for reading and closed after the call."""


def main(channel_descriptor: int, lifeline: int) -> int:
    """Run the child.

    Args:
        channel_descriptor: The child's end of the socket pair.
        lifeline: The reading end of the pipe that the parent keeps open while it lives.

    Returns:
        The exit status: 0 if the parent closed the channel, 1 if the child could not be set up.
    """
    seal.leave_signals_to_parent()
    seal.die_with_parent(lifeline)
    faulthandler.enable()
    channel = socket.socket(fileno=channel_descriptor)
    first = frames.receive(channel)
    if first is None:
        return 0
    configuration, _ = first
    scratch = Path(configuration["write"])
    limits = Limits(**configuration["limits"])
    try:
        limits.apply()
        report = seal.apply([Path(path) for path in configuration["read"]], scratch)
        handle = load(configuration["entry"])
    except (Exception, SystemExit) as error:  # the parent is told of every one
        frames.send(channel, describe(error, limits))
        return 1
    frames.send(channel, {"ready": report})
    serve(channel, handle, scratch, limits)
    return 0


def load(entry: str) -> Handler:
    """Import ``package.module:function``.

    Raises:
        ChildError: There is no such function.
        ImportError: There is no such module, or it cannot be imported here.
    """
    module_name, _, function_name = entry.partition(":")
    handle: Handler | None = getattr(importlib.import_module(module_name), function_name, None)
    if handle is None:
        raise ChildError(f"there is no '{entry}'")
    return handle


def serve(channel: socket.socket, handle: Handler, scratch: Path, limits: Limits) -> None:
    """Answer requests, one at a time, until the parent closes the channel."""
    while (received := frames.receive(channel)) is not None:
        request, descriptors = received
        try:
            with ExitStack() as stack:
                files: list[BinaryIO] = [stack.enter_context(os.fdopen(d, "rb")) for d in descriptors]
                reply = frames.encode({"result": handle(request, files, scratch)})
        except (Exception, SystemExit) as error:  # the parent is told of every one
            reply = frames.encode(describe(error, limits))
        channel.sendall(b"".join(reply))
