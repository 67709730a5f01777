"""A folder or ZIP of ground truth is refused as a whole where it is too large, with what to do."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from archive_pipeline.errors import TooLarge
from archive_pipeline.training_sets.opening import open_material
from archive_pipeline.unzipping.limits import ZipLimits


class NoChild:
    """Nothing is unpacked here."""

    def call(self, request: Mapping[str, Any], files: Sequence[BinaryIO | int], *, timeout: float) -> dict[str, Any]:
        raise AssertionError(f"the child was asked for {request}")


def _lines(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"1-{number}.png").touch()
        (folder / f"1-{number}.gt.txt").touch()
    return folder


def test_a_folder_is_opened_up_to_the_limit_and_one_file_more_is_refused(tmp_path: Path) -> None:
    folder = _lines(tmp_path / "lines", 5)
    opened = open_material(folder, NoChild(), tmp_path, ZipLimits(entries=10))
    assert len(opened.material.lines) == 5
    (folder / "hand.yaml").touch()
    with pytest.raises(TooLarge, match="it has more than 10 files") as refused:
        open_material(folder, NoChild(), tmp_path, ZipLimits(entries=10))
    assert refused.value.remedy == "Part it into several folders."


def test_a_zip_that_is_larger_than_all_that_may_come_out_of_it_is_not_even_given_to_the_child(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with path.open("wb") as file:
        file.truncate(3 << 20)
    with pytest.raises(TooLarge, match="the ZIP has 3 MB, the limit is 2 MB") as refused:
        open_material(path, NoChild(), tmp_path, ZipLimits(total_mb=2))
    assert refused.value.remedy == "Part it into several ZIP files."
