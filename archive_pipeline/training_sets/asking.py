"""The sealed child of one folder or ZIP of ground truth, as its parent asks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from archive_pipeline.errors import ChildError, PageTimeout
from archive_pipeline.sealed import Limits, SealedChild
from archive_pipeline.training_sets.child import ENTRY


class TruthChild:
    """The sealed child of a set; after a death or a time-out the next call starts another, for the other files."""

    def __init__(self, scratch: Path, limits: Limits) -> None:
        self._scratch = scratch
        self._limits = limits
        self._child: SealedChild | None = None

    def call(self, request: Mapping[str, Any], files: Sequence[BinaryIO | int], *, timeout: float) -> dict[str, Any]:
        """As :meth:`SealedChild.call`."""
        if self._child is None or not self._child.alive:
            self.close()
            self._child = SealedChild(ENTRY, write=self._scratch, limits=self._limits)
        try:
            return self._child.call(request, files, timeout=timeout)
        except (ChildError, PageTimeout):
            self.close()
            raise

    def close(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None
