"""What the simulation needs of an installation, whatever it is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from archive_pipeline.bench.week.outcome import Outcome


class Installation(Protocol):
    """A running archive.

    Attributes:
        uploads: Its upload folder on this machine.
        url: Of its web server.
        victims: What may be killed, as often as it is to be.
    """

    @property
    def uploads(self) -> Path: ...

    @property
    def url(self) -> str: ...

    @property
    def victims(self) -> Sequence[str]: ...

    def kill(self, victim: str) -> str | None:
        """Kill a victim with SIGKILL; what was killed, or None if there was nothing of it.

        Whatever restarts services in production brings it back.
        """
        ...

    def daemon_memory(self) -> tuple[str, float] | None:
        """Name of this life of the daemon, and its memory in megabytes; None while it is down."""
        ...

    def states(self) -> Counter[str]:
        """How many uploads are in each state."""
        ...

    def outcome(self) -> Outcome:
        """What lies in the store."""
        ...

    def undisturbed(self, names: Sequence[str], work: Path) -> dict[str, dict[str, str]]:
        """Digests of the exports of uploads when nothing disturbs, by upload and path; ``work`` is an empty folder."""
        ...
