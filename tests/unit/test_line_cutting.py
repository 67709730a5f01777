"""Lines of a training are cut out of the very images that are noted of its model."""

from __future__ import annotations

from pathlib import Path

import pytest
from segmentation_networks import training_page

from archive_pipeline.errors import NotReadable
from archive_pipeline.training.recognition.lines import cut_lines


def test_lines_are_cut_out_of_the_image_that_was_stored_and_of_no_other(tmp_path: Path) -> None:
    pages = [training_page(tmp_path, number) for number in (1, 2)]
    cut = cut_lines(pages, 48, child_mb=4096, seconds=60, most_mb=100)
    assert [line.id for line in cut] == [line.id for page in pages for line in page.lines()]
    assert {line.strip.shape[0] for line in cut} == {48}
    pages[1].image.write_bytes(pages[0].image.read_bytes())
    with pytest.raises(NotReadable, match="its image is not the one that was stored") as caught:
        cut_lines(pages, 48, child_mb=4096, seconds=60, most_mb=100)
    assert (caught.value.document, caught.value.remedy) == (pages[1].id, "Import the ground truth again.")
