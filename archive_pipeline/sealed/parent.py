"""The parent's handle on a sealed child."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from archive_pipeline.errors import ChildError, ChildNotStarted, PageTimeout
from archive_pipeline.sealed.failures import from_death, from_reply, printable_lines
from archive_pipeline.sealed.libc import hide_process
from archive_pipeline.sealed.limits import Limits
from archive_pipeline.sealed.wire import Wire

_log = logging.getLogger(__name__)

START_TIMEOUT = 180.0
"""Seconds for a child to import its entry: torch takes 10 on an idle machine."""

_FAREWELL = 2.0
"""Seconds for a child to notice that its channel is closed."""

_warned = threading.Event()


class SealedChild:
    """A process that parses untrusted bytes; see the package's docstring.

    The process is started at once and imports its entry while the caller goes on; the first :meth:`call` waits for
    it. Calls go one at a time. After a timeout, a death or a broken protocol the child is gone: make a new one.

    Args:
        entry: ``package.module:function``; see :data:`archive_pipeline.sealed.child.Handler`.
        read: Files and folders, such as models, that it may read beside code and fonts. Never documents.
        write: Scratch folder: the only one that it may write to, its home and its temporary folder. The caller makes
            it and clears it away.
        limits: Memory, file size, open files.
        environment: Variables to set beside the fixed ones. Nothing is inherited.

    Raises:
        ChildError: The process cannot be started.
    """

    def __init__(
        self,
        entry: str,
        *,
        read: Sequence[Path] = (),
        write: Path,
        limits: Limits | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._entry = entry
        self._lock = threading.Lock()
        self._stopped = False
        self._report: dict[str, int | bool] | None = None
        scratch = write.absolute()
        self._configuration = {
            "entry": entry,
            "read": [str(path.absolute()) for path in read],
            "write": str(scratch),
            "limits": asdict(limits or Limits()),
        }
        self._start(scratch, child_environment(scratch) | dict(environment or {}))

    def _start(self, scratch: Path, environment: dict[str, str]) -> None:
        # The child has our user id: where a kernel has no Landlock, this alone keeps our environment and memory ours.
        hide_process()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        # The child's lifeline: its kernel kills it when the writing end is closed, by us or by our death.
        lifeline_end, self._lifeline = os.pipe()
        stderr, stderr_end = os.pipe()
        self._wire = Wire(ours, stderr)
        # -P: the folder that we stand in is not searched for modules. -s: no packages of the user. -B: no .pyc.
        command = [sys.executable, "-P", "-s", "-B", "-m", "archive_pipeline.sealed"]
        try:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno()), str(lifeline_end)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr_end,
                pass_fds=(theirs.fileno(), lifeline_end),
                env=environment,
                cwd=scratch,
                start_new_session=True,
            )
        except OSError as error:
            self._wire.close()
            os.close(self._lifeline)
            raise ChildNotStarted(f"a sealed child process cannot be started: {error}") from None
        finally:
            theirs.close()
            os.close(lifeline_end)
            os.close(stderr_end)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def seal_report(self) -> dict[str, int | bool]:
        """``landlock``: the ABI in force or 0; ``seccomp``: whether the filter is on. Waits until the child is ready.

        Raises:
            ChildError: It did not get ready.
        """
        with self._lock:
            return dict(self._ready())

    def call(
        self, request: Mapping[str, Any], files: Sequence[BinaryIO | int] = (), *, timeout: float
    ) -> dict[str, Any]:
        """Have the child handle one request.

        Args:
            request: JSON.
            files: Open files or descriptors that the child gets to read. A descriptor shares its position with its
                copy in the child: open the file anew for each child, and do not read it meanwhile.
            timeout: Seconds; the child's start does not count.

        Returns:
            What the handler returned. JSON of an untrusted process: check it before use.

        Raises:
            PageTimeout: It took too long; the child is killed.
            ChildError: The child died, raised something unforeseen, or broke the protocol.
            ArchiveError: What the handler raised.
        """
        descriptors = [file if isinstance(file, int) else file.fileno() for file in files]
        with self._lock:
            self._ready()
            reply = self._exchange(dict(request), descriptors, timeout)
        result = reply.get("result")
        if isinstance(result, dict):
            return result
        if not isinstance(reply.get("error") or reply.get("exception"), dict):
            self.kill()
            raise ChildError("a sealed child sent a reply that is neither a result nor an error")
        raise from_reply(reply)

    def _ready(self) -> dict[str, int | bool]:
        if self._report is None:
            reply = self._exchange(self._configuration, (), START_TIMEOUT)
            report = reply.get("ready")
            if not isinstance(report, dict):
                self.kill()
                error = from_reply(reply)
                raise ChildNotStarted(f"a sealed child for '{self._entry}' cannot start: {error.what}")
            self._report = {"landlock": int(report.get("landlock", 0)), "seccomp": bool(report.get("seccomp"))}
            if not all(self._report.values()) and not _warned.is_set():
                _warned.set()
                _log.warning(
                    "this kernel seals child processes only in part (%s); Linux 5.13 has all that is needed",
                    self._report,
                )
        return self._report

    def _exchange(self, message: dict[str, Any], descriptors: Sequence[int], timeout: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        try:
            self._wire.send(message, descriptors, deadline)
            return self._wire.receive(deadline)
        except TimeoutError:
            self.kill()
            raise PageTimeout(f"it was not finished after {timeout:g} seconds") from None
        except EOFError:
            raise self._death() from None
        except BaseException:
            # Half a message may be on its way: this child cannot be talked to any more.
            self.kill()
            raise

    def _death(self) -> ChildError:
        stopped = self._stopped
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            # It closed its end and lives on: whatever it is now, it is no child of ours.
            self.kill()
            return ChildError("a sealed child process closed its channel")
        if stopped:
            return ChildError("the sealed child process was stopped")
        return from_death(self._process.returncode, self._wire.tail())

    def kill(self) -> None:
        """Kill it at once, and wait until it is gone. May be called from any thread, and again."""
        self._stopped = True
        if self._process.poll() is None:
            # It leads its own process group, which on a kernel without seccomp may have other members.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def close(self) -> None:
        """End it, politely if it is idle, and free what the parent holds. May be called again."""
        if self._lifeline < 0:
            return
        tail = self._wire.tail()
        if tail:
            _log.debug("the stderr of the sealed child for %s ended with:\n%s", self._entry, printable_lines(tail))
        self._wire.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_FAREWELL)
        self.kill()
        os.close(self._lifeline)
        self._lifeline = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def child_environment(scratch: Path) -> dict[str, str]:
    """The whole environment of a child."""
    here = str(scratch)
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "USER": "sealed",
        "HOME": here,
        "TMPDIR": here,
        "XDG_CACHE_HOME": f"{here}/.cache",
        "MPLCONFIGDIR": f"{here}/.cache/matplotlib",
        "NUMBA_CACHE_DIR": f"{here}/.cache/numba",
        # One thread: the workers are the parallelism.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # There is no network; without these, libraries wait for it.
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }
