"""How what went wrong in a child is told to the parent, and raised there."""

from __future__ import annotations

import errno
import logging
import signal
import traceback
from typing import Any

from archive_pipeline import errors
from archive_pipeline.errors import ArchiveError, ChildError, printable
from archive_pipeline.sealed.limits import Limits

_log = logging.getLogger(__name__)
_LONGEST = 2_000

# How libraries say that an allocation failed, where they do not raise MemoryError: torch, ONNX Runtime, OpenCV.
_MEMORY_PHRASES = (
    "can't allocate memory",
    "bad_alloc",
    "bad allocation",
    "failed to allocate memory",
    "insufficient memory",
    "out of memory",
)


def describe(error: BaseException, limits: Limits) -> dict[str, Any]:
    """The frame that tells the parent of an exception: the child's side."""
    known = _as_archive_error(error, limits)
    if known is not None:
        return {"error": known.to_dict()}
    return {
        "exception": {
            "type": type(error).__name__,
            "message": str(error)[:_LONGEST],
            "traceback": "".join(traceback.format_exception(error))[-4 * _LONGEST :],
        }
    }


def _as_archive_error(error: BaseException, limits: Limits) -> ArchiveError | None:
    if isinstance(error, ArchiveError):
        return error
    if isinstance(error, MemoryError) or mentions_memory(str(error)):
        return errors.PageFailed(
            f"it needs more memory than the {limits.memory_mb} MB that one child process may use",
            remedy="Raise ARCHIVE_WORKER_MEMORY_MB, or scale the page down.",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return errors.NoSpaceLeft("no space left in the scratch folder")
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return errors.PageFailed(f"it would make a file larger than {limits.file_mb} MB")
    return None


def mentions_memory(text: str) -> bool:
    lower = text.lower()
    return any(phrase in lower for phrase in _MEMORY_PHRASES)


def from_reply(reply: dict[str, Any]) -> ArchiveError:
    """The error that a reply without a result stands for: the parent's side.

    The reply is untrusted: texts are cut and made printable, and what only the parent can know is not believed.
    """
    told, raised = reply.get("error"), reply.get("exception")
    if isinstance(told, dict):
        clean = {key: _clean(value) if isinstance(value, str) else value for key, value in told.items()}
        error = errors.from_dict(clean)
        if isinstance(error, errors.Stopped | errors.DocumentBusy | errors.ChildNotStarted):
            return ChildError(f"a sealed child claims: {error.code}")
        return error
    if isinstance(raised, dict):
        name, message = _clean(str(raised.get("type"))), _clean(str(raised.get("message")))
        _log.debug("a sealed child raised %s:\n%s", name, printable_lines(str(raised.get("traceback"))))
        return ChildError(f"{name}: {message}" if message else name)
    return ChildError("a sealed child sent a reply that is neither a result nor an error")


def from_death(status: int, tail: str) -> ChildError:
    """What the end of a child means.

    Args:
        status: As ``Popen.returncode``: negative for a signal.
        tail: The end of its stderr, untrusted.
    """
    if status < 0:
        try:
            how = f"was killed by {signal.Signals(-status).name}"
        except ValueError:
            how = f"was killed by signal {-status}"
    else:
        how = f"ended with status {status}"
    remedy = ""
    # The kernel's killer; and how the allocators of pdfium and others end a process that gets no more memory.
    if -status in (signal.SIGKILL, signal.SIGTRAP, signal.SIGILL) or mentions_memory(tail) or "MemoryError" in tail:
        how += "; memory may have run out"
        remedy = "Give it more memory, or use fewer workers."
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    if lines:
        _log.debug("the stderr of a sealed child ended with:\n%s", printable_lines(tail))
    said = f" ({printable(lines[-1])[:200]})" if lines else ""
    return ChildError(f"a sealed child process {how}{said}", remedy=remedy)


def printable_lines(text: str) -> str:
    """Untrusted text of several lines, safe for a log."""
    return "\n".join(map(printable, text.splitlines()))


def _clean(text: str) -> str:
    return printable(text[:_LONGEST])
