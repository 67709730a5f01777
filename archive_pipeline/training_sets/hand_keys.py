"""The key of a hand, for trainings; it is made further down, since the choice of a model needs it, too."""

from __future__ import annotations

from archive_pipeline.hand_names import hand_key

__all__ = ["hand_key"]
