"""Pages read from end to end: a model finds the lines, another reads them. What comes out is held against the truth.

Here the errors of finding count, too. Each true line is paired with the line that was read most like it
(:mod:`.scoring`); one without a partner is all wrong, and so is every character of a line that is none, such as half
of one or a stain. Lines whose truth does not count (unfit, or not transcribed) are left out of what was read.
Characters are those of :mod:`.graphemes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.graphemes import line_errors
from archive_pipeline.evaluation.page_reader import PageReader
from archive_pipeline.evaluation.reading import read_pages
from archive_pipeline.evaluation.scoring import match_lines, normalise, scored_lines
from archive_pipeline.evaluation.segmentation import SegmentationScore, segmentation_metrics
from archive_pipeline.ground_truth.matching import match_lines as match_places
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Line, Page
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.training_sets.lines import TrainingPage

_FIT, _OTHER = "counts", "does not count"


@dataclass(frozen=True)
class FoundPage:
    """One page.

    Attributes:
        errors: Wrong characters, those of lines that are none among them.
        characters: Of the truth.
        lines: How well lines were found.
    """

    errors: int
    characters: int
    lines: SegmentationScore


def read_found_lines(
    pages: Sequence[TrainingPage],
    segmentation: InstalledModel,
    recognition: InstalledModel,
    options: ProcessingOptions,
    told: Callable[[str], None] = lambda _: None,
) -> dict[str, FoundPage]:
    """Have lines found by one model and read by another.

    Args:
        told: Called with the id of each page that is finished.

    Returns:
        By id of the page; pages that could not be read are not there.

    Raises:
        UsageError: No page could be read.
        ModelError: A model cannot be loaded.
        ChildNotStarted, StorageError: Nothing can be read here.
    """
    by_id = {page.id: page for page in pages}

    def read(reader: PageReader, name: str) -> FoundPage:
        page = by_id[name]
        seen = reader.page_image(page.image, page.image_sha256, (page.page.width, page.page.height))
        reading = reader.read(seen, recognition, None, segmentation)
        errors, characters = end_to_end(page, reading.page)
        return FoundPage(errors, characters, segmentation_metrics(page.page, reading.layout))

    found = read_pages(sorted(by_id), read, options, lambda name: name, told)
    if not found.scores:
        reasons = "; ".join(str(error) for error in list(found.left_out.values())[:3])
        raise UsageError(f"there is no page that could be read{': ' if reasons else ''}{reasons}")
    return found.scores


def end_to_end(page: TrainingPage, read: Page) -> tuple[int, int]:
    """Wrong characters of a page that was read, and characters of its truth."""
    fit = [each for each in page.lines() if scored_lines([each.text])]
    lines = list(read.lines())
    passed_over = _on_others(page, {each.index for each in fit}, lines)
    texts = [normalise(line.best_text) for index, line in enumerate(lines) if index not in passed_over]
    if not lines:  # a model that reads blocks
        texts = [normalise(text) for text in read.text.splitlines()]
    texts = [text for text in texts if text]
    truth = scored_lines([each.text for each in fit])
    partners = match_lines(truth, texts)
    pairs = [(line, texts[partners[index]] if index in partners else "") for index, line in enumerate(truth)]
    pairs += [("", text) for index, text in enumerate(texts) if index not in partners.values()]
    errors = [line_errors(*pair) for pair in pairs]
    return sum(each.errors for each in errors), sum(each.characters for each in errors)


def _on_others(page: TrainingPage, fit: Set[int], read: Sequence[Line]) -> set[int]:
    """Indexes of the lines that were read in the place of true ones that do not count.

    All true lines compete for those that were read. Where one that counts lies in the place of one that does not, what
    was read there is its own: names decide between places that agree about as well, and only those that count have
    the name of what was read.

    Args:
        fit: Indexes of the true lines that count.
    """
    true = [
        line.model_copy(update={"id": _FIT if index in fit else _OTHER}) for index, line in enumerate(page.page.lines())
    ]
    pairs = match_places(true, [line.model_copy(update={"id": _FIT}) for line in read])
    return {other for one, other in pairs.items() if one not in fit}


def has_lines_to_find(page: TrainingPage) -> bool:
    """Whether a page is one on which lines have to be found, and not the image of one line."""
    lines = list(page.page.lines())
    if len(lines) != 1 or not lines[0].boundary:
        return bool(lines)
    left, top, right, bottom = lines[0].box
    return right - left < page.page.width - 2 or bottom - top < page.page.height - 2
