"""What a killed training leaves in its folder is gone when the next one has it, and never while it is another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_pipeline.durable import TEMPORARY_SUFFIX
from archive_pipeline.errors import DocumentBusy
from archive_pipeline.training.alone import alone_in


def test_half_a_checkpoint_is_removed_by_who_trains_there_next_and_by_nobody_else(tmp_path: Path) -> None:
    half = tmp_path / f".checkpoint.safetensors.12.ab{TEMPORARY_SUFFIX}"
    whole = tmp_path / "checkpoint.safetensors"
    whole.write_bytes(b"x")
    half.write_bytes(b"x")
    with alone_in(tmp_path) as folder:
        assert folder == tmp_path
        assert not half.exists()
        half.write_bytes(b"of this training")
        with pytest.raises(DocumentBusy), alone_in(tmp_path):
            pass
        assert half.exists()
    assert whole.exists()
