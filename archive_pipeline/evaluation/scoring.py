"""Page CER and WER that do not depend on reading order, and count invented text.

Text is NFC, runs of white space are one blank, and the transcribers' marks ``_`` (before a word) and ``^`` are removed.
Ground-truth lines with ``~~~`` (writing that was not transcribed) are not scored. On each page the read lines are
assigned to the true ones, one to one, so that the sum of edit distances is least (Kuhn 1955); a true line without a
partner costs its whole length. Read lines without a partner are *extra* and counted beside it, for ground truth leaves
out stamps and pencil, and invented text must show. Words are what stands between blanks; their errors are counted on
the same pairs of lines.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.statistics import error_rate
from archive_pipeline.ground_truth import files

_UNTRANSCRIBED = "~~~"


@dataclass(frozen=True)
class PageScore:
    """Of one page.

    Attributes:
        errors: Characters to insert, delete or replace (Levenshtein 1966).
        characters: Of the ground truth.
        extra: Characters of lines without a partner.
        word_errors, words: The same in words.
    """

    errors: int
    characters: int
    extra: int
    word_errors: int = 0
    words: int = 0


@dataclass(frozen=True)
class Score:
    """Of several pages, in percent of the ground truth's characters.

    Attributes:
        low, high: 95 % interval of ``cer`` by bootstrap over pages; None for one page.
    """

    cer: float
    low: float | None
    high: float | None
    extra: float
    characters: int
    pages: int


def normalise(text: str) -> str:
    """The form in which texts are compared."""
    text = unicodedata.normalize("NFC", text)
    text = re.sub(r"(^|\s)_", r"\1", text).replace("^", "")
    return re.sub(r"\s+", " ", text).strip()


def score_page(truth: Sequence[str], read: Sequence[str]) -> PageScore:
    """Score the lines of one page, whatever their order."""
    true_lines, read_lines = scored_lines(truth), [line for line in map(normalise, read) if line]
    partners = match_lines(true_lines, read_lines)
    used = set(partners.values())
    extra = sum(len(line) for j, line in enumerate(read_lines) if j not in used)
    return _score(
        [(line, read_lines[partners[i]] if i in partners else "") for i, line in enumerate(true_lines)], extra
    )


def score_lines(pairs: Iterable[tuple[str, str]]) -> PageScore:
    """Score the lines of one page of which it is known what was read for which: pairs of true and read text."""
    return _score([(line, normalise(read)) for truth, read in pairs for line in scored_lines([truth])], 0)


def _score(pairs: Sequence[tuple[str, str]], extra: int) -> PageScore:
    words = [(truth.split(), read.split()) for truth, read in pairs]
    return PageScore(
        errors=sum(Levenshtein.distance(truth, read) for truth, read in pairs),
        characters=sum(len(truth) for truth, _ in pairs),
        extra=extra,
        word_errors=sum(Levenshtein.distance(truth, read) for truth, read in words),
        words=sum(len(truth) for truth, _ in words),
    )


def scored_lines(truth: Sequence[str]) -> list[str]:
    """The lines of a page's ground truth that count, normalised."""
    return [line for line in map(normalise, truth) if line and _UNTRANSCRIBED not in line]


def match_lines(true_lines: Sequence[str], read_lines: Sequence[str]) -> dict[int, int]:
    """The partner of each true line that has one: index of the true line -> index of the read one.

    Args:
        true_lines, read_lines: Normalised, none empty.
    """
    if not true_lines or not read_lines:
        return {}
    distances = cdist(true_lines, read_lines, scorer=Levenshtein.distance).astype(int)
    # A partner is taken only where it is better than none, whose cost is the length of the line.
    gain = np.minimum(0, distances - np.array([len(line) for line in true_lines])[:, None])
    return {int(i): int(j) for i, j in zip(*linear_sum_assignment(gain), strict=True) if gain[i, j] < 0}


def score(pages: Sequence[PageScore]) -> Score:
    """Sum up pages.

    Raises:
        UsageError: No page has ground truth.
    """
    characters = sum(page.characters for page in pages)
    if not characters:
        raise UsageError("there is no ground truth to score against")
    cer = error_rate([page.errors for page in pages], [page.characters for page in pages])
    return Score(
        cer=cer.percent,
        low=None if math.isnan(cer.low) else cer.low,
        high=None if math.isnan(cer.high) else cer.high,
        extra=100 * sum(page.extra for page in pages) / characters,
        characters=characters,
        pages=len(pages),
    )


def ground_truth_lines(path: Path) -> list[str]:
    """Lines of an ALTO or PAGE file in reading order, as written.

    Raises:
        NotReadable, BadTranscription: It cannot be read.
    """
    return [line.best_text for line in files.read(path).page.lines()]
