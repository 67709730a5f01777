"""What is known of a model after it read pages whose text is known: each line, and the figures made of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from archive_pipeline.evaluation.graphemes import LineErrors
from archive_pipeline.evaluation.statistics import error_rate

SCHEMA_VERSION = 1
_MOST_CONFUSIONS = 60
_MOST_PLACES = 20


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LineRecord(_Record):
    """A line, as it was compared.

    Attributes:
        index: On its page, in reading order from 0; None if a model that finds lines itself read the page as a whole.
        truth, read: In the form in which they were compared.
        errors, characters: In grapheme clusters.
        errors_s: Errors where ``ſ`` is ``s``.
        confidence: Of the model.
    """

    index: int | None
    truth: str
    read: str
    errors: int
    characters: int
    errors_s: int
    word_errors: int
    words: int
    confidence: float | None = None


class PageRecord(_Record):
    """A page.

    Attributes:
        group: The page where several of these are one, as with images of lines: what is resampled.
        document: The set, or the document, that it is of.
        script: As ``hand.yaml`` says, else that of most of its letters.
        image_sha256, text_digest: As in the records of trained models.
        truth: Digest of image, lines and text at the time: if it is another now, the truth was corrected since.
    """

    id: str
    group: str
    document: str
    script: str
    image_sha256: str
    text_digest: str
    truth: str
    lines: tuple[LineRecord, ...]


class Figure(_Record):
    """An error rate.

    Attributes:
        errors, total: Of characters, or of words.
        percent: Errors to total.
        low, high: 95 % interval by bootstrap over pages; None for one page.
        pages: From how many.
    """

    errors: int
    total: int
    percent: float
    low: float | None
    high: float | None
    pages: int


class Figures(_Record):
    """Of some pages.

    Attributes:
        cer: Character errors.
        cer_s: Character errors where ``ſ`` is ``s``.
        wer: Word errors.
    """

    cer: Figure
    cer_s: Figure
    wer: Figure


class Confusion(_Record):
    """What was read for what.

    Attributes:
        truth, read: One is empty where something was left out or put in.
        places: Page ids and indexes of lines; if there are many, those with the fewest errors, where it shows best.
    """

    truth: str
    read: str
    count: int
    places: tuple[tuple[str, int | None], ...]


class Evaluation(_Record):
    """A model, on pages.

    Attributes:
        model, model_digest: What read.
        signature: All that its readings depend on beside the pages: engine, model, and versions of the code.
        of: What the pages are: a hand, or a folder.
        digest: Of all that the figures depend on: model, engine, rules, and image and truth of the pages.
        rules: Version of the rules by which errors are counted.
        made: When, in UTC.
        program: Version of archive-pipeline.
        left_out: Pages that could not be read, with the reason; they do not count.
        documents, scripts: The figures of parts.
        confusions: The most frequent first.
    """

    schema_version: int = SCHEMA_VERSION
    model: str
    model_digest: str
    signature: tuple[str, ...]
    of: str
    digest: str
    rules: int
    made: datetime
    program: str
    pages: tuple[PageRecord, ...]
    left_out: dict[str, str] = {}
    all: Figures
    documents: dict[str, Figures]
    scripts: dict[str, Figures]
    confusions: tuple[Confusion, ...]


def line_record(index: int | None, errors: LineErrors, confidence: float | None) -> LineRecord:
    """What is kept of a line."""
    return LineRecord(
        index=index,
        truth=errors.truth,
        read=errors.read,
        errors=errors.errors,
        characters=errors.characters,
        errors_s=errors.errors_s,
        word_errors=errors.word_errors,
        words=errors.words,
        confidence=None if confidence is None else round(confidence, 4),
    )


def figures(pages: Sequence[PageRecord]) -> Figures:
    """The figures of some pages, one character at least."""
    sums = list(_sums(pages).values())
    characters, words = [each[1] for each in sums], [each[4] for each in sums]
    return Figures(
        cer=_figure([each[0] for each in sums], characters),
        cer_s=_figure([each[2] for each in sums], characters),
        wer=_figure([each[3] for each in sums], words),
    )


def parts(pages: Sequence[PageRecord], by: str) -> dict[str, Figures]:
    """The figures of each part that has a character, by an attribute of its pages."""
    names = sorted({getattr(page, by) for page in pages if any(line.characters for line in page.lines)})
    return {name: figures([page for page in pages if getattr(page, by) == name]) for name in names}


def confusions(found: Iterable[tuple[str, int | None, LineErrors]]) -> tuple[Confusion, ...]:
    """The most frequent ones, of page ids, indexes of lines and their errors."""
    counts = Counter[tuple[str, str]]()
    places: dict[tuple[str, str], dict[tuple[str, int | None], int]] = {}
    for page, index, errors in found:
        for pair in errors.confusions:
            counts[pair] += 1
            places.setdefault(pair, {})[page, index] = errors.errors
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_CONFUSIONS]
    made = []
    for (truth, read), count in most:
        found_in = places[truth, read]
        clearest = sorted(found_in, key=found_in.__getitem__)[:_MOST_PLACES]
        made.append(Confusion(truth=truth, read=read, count=count, places=tuple(clearest)))
    return tuple(made)


def _sums(pages: Sequence[PageRecord]) -> dict[str, tuple[int, int, int, int, int]]:
    """Errors, characters, errors where long s is s, word errors and words of each group that has any."""
    found: dict[str, tuple[int, int, int, int, int]] = {}
    for page in pages:
        before = found.get(page.group, (0, 0, 0, 0, 0))
        counted = [(each.errors, each.characters, each.errors_s, each.word_errors, each.words) for each in page.lines]
        one, two, three, four, five = (sum(column) for column in zip(before, *counted, strict=True))
        found[page.group] = (one, two, three, four, five)
    return {group: sums for group, sums in found.items() if sums[1]}


def _figure(errors: Sequence[int], totals: Sequence[int]) -> Figure:
    rate = error_rate(errors, totals)
    known = not math.isnan(rate.low)
    return Figure(
        errors=sum(errors),
        total=sum(totals),
        percent=rate.percent,
        low=rate.low if known else None,
        high=rate.high if known else None,
        pages=len(totals),
    )
