"""Whether spelling suggestions help: counted against ground truth, and what replacing words by them would do.

Recognition runs as a user would run it. The step itself is done here on what was read, with the same code, so that
its threshold can be tried without reading every page again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from archive_pipeline.bench.accuracy import read_folder
from archive_pipeline.bench.word_matches import match_words
from archive_pipeline.evaluation.pages import pages_with_truth
from archive_pipeline.evaluation.scoring import PageScore, ground_truth_lines, normalise, score, score_page
from archive_pipeline.page import Line, Page, Word
from archive_pipeline.spelling.lists import find_lists
from archive_pipeline.spelling.proposals import Dictionaries, propose


@dataclass(frozen=True)
class WordCounts:
    """Words of pages with ground truth.

    Attributes:
        words: On lines that have ground truth.
        wrong: Of them, those that are not the true word to the letter, its punctuation included.
        doubtful: Of all words, those whose confidence is below the threshold; the rest counts these.
        doubtful_wrong: Those that are wrong.
        offered: Wrong ones with suggestions.
        among, first: Wrong ones where the right word is among the suggestions, and is the first.
        false_alarms: Right ones with suggestions all the same.
        without_truth: Doubtful words on lines without ground truth, which are not counted in the others.
    """

    words: int = 0
    wrong: int = 0
    doubtful: int = 0
    doubtful_wrong: int = 0
    offered: int = 0
    among: int = 0
    first: int = 0
    false_alarms: int = 0
    without_truth: int = 0

    @property
    def doubtful_right(self) -> int:
        return self.doubtful - self.doubtful_wrong

    def __add__(self, other: WordCounts) -> WordCounts:
        return WordCounts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True)
class SpellingRow:
    """One folder, or all of them.

    Attributes:
        cer: As read, in percent.
        replaced: The CER if the first suggestion stood in place of each word that has one.
        chosen: The CER if a person took the right word wherever it is among the suggestions, and did nothing else.
    """

    folder: str
    pages: int
    characters: int
    counts: WordCounts
    cer: float
    replaced: float
    chosen: float


@dataclass(frozen=True)
class _PageResult:
    counts: WordCounts
    read: PageScore
    replaced: PageScore
    chosen: PageScore


def bench_spelling(
    folders: Sequence[Path], languages: Sequence[str], below: float, arguments: Sequence[str] = ()
) -> list[SpellingRow]:
    """Read each folder and count; where there are several, the last row is all of them together.

    Args:
        folders: As for :func:`archive_pipeline.bench.accuracy.bench_accuracy`.
        languages: Tags of the word lists.
        below: Confidence below which a word is asked about.
        arguments: Further arguments of ``run``, such as an engine.

    Raises:
        UsageError: A list or ground truth is not there, or the run failed.
    """
    dictionaries = Dictionaries(find_lists(languages))
    results = {folder.name: list(_bench_folder(folder, dictionaries, below, arguments)) for folder in folders}
    rows = [_row(name, pages) for name, pages in results.items()]
    if len(rows) > 1:
        rows.append(_row("together", [page for pages in results.values() for page in pages]))
    return rows


def _bench_folder(
    folder: Path, dictionaries: Dictionaries, below: float, arguments: Sequence[str]
) -> list[_PageResult]:
    pages = pages_with_truth(folder)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        # Without suggestions of its own, whatever the settings say.
        out, _ = read_folder(folder, pages, Path(name), [*arguments, "--formats", "json", "--spelling", ""])
        read = [Page.model_validate_json(path.read_bytes()) for path in sorted(out.glob("*/pages/*.json"))]
    return [
        count_page(ground_truth_lines(truth), propose(page, dictionaries, below), below)
        for (_, truth), page in zip(pages, read, strict=True)
    ]


def count_page(truth: Sequence[str], page: Page, below: float) -> _PageResult:
    """Count one page.

    Args:
        truth: The true lines, as written.
        page: With suggestions.
        below: Confidence below which a word is in doubt.
    """
    matched = match_words(truth, page)
    right_by_word = {id(each.word): each.true for each in matched.words}
    doubtful = [each for each in matched.words if _in_doubt(each.word, below)]
    wrong = [each for each in doubtful if each.read != each.true]
    proposed = [(each.true, [normalise(other.text) for other in each.word.alternatives]) for each in wrong]
    counts = WordCounts(
        words=len(matched.words),
        wrong=sum(each.read != each.true for each in matched.words),
        doubtful=len(doubtful),
        doubtful_wrong=len(wrong),
        offered=sum(bool(others) for _, others in proposed),
        among=sum(true in others for true, others in proposed),
        first=sum(true == others[0] for true, others in proposed if others),
        false_alarms=sum(each.read == each.true and bool(each.word.alternatives) for each in doubtful),
        without_truth=sum(_in_doubt(word, below) for word in matched.lost),
    )

    def first(word: Word) -> str:
        return word.alternatives[0].text if word.alternatives else word.text

    def chosen(word: Word) -> str:
        texts = (each.text for each in word.alternatives)
        return next((text for text in texts if normalise(text) == right_by_word.get(id(word))), word.text)

    return _PageResult(
        counts,
        score_page(truth, [line.best_text for line in page.lines()]),
        score_page(truth, [_line_with(line, [first(word) for word in line.words]) for line in page.lines()]),
        score_page(truth, [_line_with(line, [chosen(word) for word in line.words]) for line in page.lines()]),
    )


def _in_doubt(word: Word, below: float) -> bool:
    return word.confidence is not None and word.confidence < below


def _line_with(line: Line, words: Sequence[str]) -> str:
    return " ".join(words) if words else line.best_text


def _row(name: str, pages: Sequence[_PageResult]) -> SpellingRow:
    read = score([page.read for page in pages])
    return SpellingRow(
        name,
        read.pages,
        read.characters,
        sum((page.counts for page in pages), WordCounts()),
        read.cer,
        score([page.replaced for page in pages]).cer,
        score([page.chosen for page in pages]).cer,
    )
