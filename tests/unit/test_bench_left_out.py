"""What is refused before an hour of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archive_pipeline.bench.learning import set_name
from archive_pipeline.bench.left_out import bench_left_out
from archive_pipeline.errors import UsageError
from archive_pipeline.training.recognition.recipe import Limits, Recipe


@pytest.mark.parametrize("names", [["a/x"], ["a/x", "b/x"]], ids=["one-folder", "equal-names"])
def test_folders_that_cannot_be_told_apart_are_refused_at_once(tmp_path: Path, names: list[str]) -> None:
    nothing: Any = None
    with pytest.raises(UsageError, match=r"too few folders|the same name"):
        next(bench_left_out([tmp_path / name for name in names], nothing, nothing, Recipe(), Limits()))


@pytest.mark.parametrize(
    ("folder", "name"),
    [("registres 1914", "registres-1914"), ("Procès-verbaux", "proces-verbaux"), ("x" * 90, "x" * 60)],
)
def test_any_folder_has_a_name_that_a_model_can_have(folder: str, name: str) -> None:
    assert set_name(Path(folder)).startswith(name)
    assert len(set_name(Path(folder))) <= 60
