"""Having a recognition model read pages whose text is known, on their own lines, and counting its errors."""

from __future__ import annotations

import itertools
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from archive_pipeline import __version__
from archive_pipeline.durable import digest_of
from archive_pipeline.engines.factory import signature
from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.given_lines import are_kept, named, scored, to_read
from archive_pipeline.evaluation.graphemes import RULES, LineErrors, line_errors
from archive_pipeline.evaluation.page_reader import PageReader
from archive_pipeline.evaluation.reading import read_pages
from archive_pipeline.evaluation.record import (
    Evaluation,
    PageRecord,
    confusions,
    figures,
    line_record,
    parts,
)
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Line, Page
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.training_sets.doctor.examination import text_digest
from archive_pipeline.training_sets.frozen import truth_digest
from archive_pipeline.training_sets.lines import TrainingPage


@dataclass(frozen=True)
class _ReadLine:
    """A line (or, with index None, a page as a whole) that was read."""

    index: int | None
    errors: LineErrors
    confidence: float | None


def evaluation_digest(pages: Sequence[TrainingPage], model: InstalledModel) -> str:
    """Of all that an evaluation depends on: equal ones give equal figures."""
    return digest_of(
        "evaluation", RULES, signature(model), sorted((page.id, page.group, truth_digest(page)) for page in pages)
    )


def evaluate(
    pages: Sequence[TrainingPage],
    model: InstalledModel,
    options: ProcessingOptions,
    of: str,
    told: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Have a model read pages, and count its errors.

    Only lines count that are fit to train with and whose text is known.

    Args:
        of: What the pages are, for people: a hand, or a folder.
        told: Called with the id of each page that is finished, in the calling thread.

    Raises:
        UsageError: No page could be read, or none has text.
        ModelError: The model cannot be loaded.
        ChildNotStarted, StorageError: Nothing can be read here.
    """
    by_id = {page.id: page for page in pages}

    def read(reader: PageReader, name: str) -> tuple[_ReadLine, ...]:
        return _read(reader, by_id[name], model)

    found = read_pages(sorted(by_id), read, options, lambda name: name, told)
    records = tuple(_record(by_id[name], lines) for name, lines in found.scores.items())
    if not any(line.characters for page in records for line in page.lines):
        reasons = "; ".join(str(error) for error in list(found.left_out.values())[:3])
        raise UsageError(f"there is no page with text that could be read{': ' if reasons else ''}{reasons}")
    return Evaluation(
        model=model.id,
        model_digest=model.digest,
        signature=tuple(signature(model)),
        of=of,
        digest=evaluation_digest(pages, model),
        rules=RULES,
        made=datetime.now(UTC).replace(microsecond=0),
        program=__version__,
        pages=records,
        left_out={name: str(error) for name, error in sorted(found.left_out.items())},
        all=figures(records),
        documents=parts(records, "document"),
        scripts=parts(records, "script"),
        confusions=confusions((name, line.index, line.errors) for name in found.scores for line in found.scores[name]),
    )


def _read(reader: PageReader, page: TrainingPage, model: InstalledModel) -> tuple[_ReadLine, ...]:
    truth, indexes = _fit_lines(page)
    given = scored(truth)
    if not given:
        return ()
    seen = reader.page_image(page.image, page.image_sha256, (truth.width, truth.height))
    read = reader.read(seen, model, to_read(truth)).page
    if are_kept(given, read):
        lines = {line.id: line for line in read.lines()}
        return tuple(
            _ReadLine(indexes[name], line_errors(line.best_text, lines[name].text), lines[name].confidence)
            for name, line in given.items()
        )
    # A model that reads whole pages finds lines or blocks of its own: then all of the page is one text.
    whole = " ".join(line.best_text for line in given.values())
    return (_ReadLine(None, line_errors(whole, read.text), read.confidence),)


def _fit_lines(page: TrainingPage) -> tuple[Page, dict[str, int]]:
    """The page with the text of its fit lines only, and the index of each line by the name that it is given."""
    texts = {line.index: line.text for line in page.lines()}
    count = itertools.count()

    def of(line: Line) -> Line:
        return line.model_copy(update={"text": texts.get(next(count), ""), "correction": None})

    regions = tuple(region.model_copy(update={"lines": tuple(map(of, region.lines))}) for region in page.page.regions)
    indexes = {name: index for index, name in enumerate(named(page.page))}
    return page.page.model_copy(update={"regions": regions}), indexes


def _record(page: TrainingPage, lines: Sequence[_ReadLine]) -> PageRecord:
    return PageRecord(
        id=page.id,
        group=page.group,
        document=page.group.partition("/")[0],
        script=page.script or most_letters(line.errors.truth for line in lines),
        image_sha256=page.image_sha256,
        text_digest=text_digest(page.page),
        truth=truth_digest(page),
        lines=tuple(line_record(line.index, line.errors, line.confidence) for line in lines),
    )


def most_letters(texts: Iterable[str]) -> str:
    """The script of most letters, such as ``Latin``; ``none`` where there is no letter."""
    names = Counter(
        unicodedata.name(char, "unknown").partition(" ")[0].capitalize()
        for text in texts
        for char in text
        if char.isalpha()
    )
    return max(names, key=lambda name: (names[name], name), default="none")
