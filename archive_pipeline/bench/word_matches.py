"""Which word of the ground truth a read word stands for, as far as that is certain.

Lines are paired as for the CER (:mod:`archive_pipeline.evaluation.scoring`), the characters of a pair by edit distance
(Levenshtein 1966). A read word and a true one match where both begin and end at the same places of that pairing. Where
words were joined or split, no one word is the right one, and no dictionary that is asked for one word can give it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from archive_pipeline.evaluation.scoring import match_lines, normalise, scored_lines
from archive_pipeline.page import Page, Word


@dataclass(frozen=True)
class MatchedWord:
    """A read word on a line that has ground truth.

    Attributes:
        word: As it was read.
        read: Its text, normalised.
        true: The word of the ground truth; None where words were joined or split.
    """

    word: Word
    read: str
    true: str | None


@dataclass(frozen=True)
class MatchedPage:
    """The words of a page.

    Attributes:
        words: Those on lines with a partner, in reading order.
        lost: Those on lines without one, of which nothing is known.
    """

    words: tuple[MatchedWord, ...]
    lost: tuple[Word, ...]


def match_words(truth: Sequence[str], page: Page) -> MatchedPage:
    """Pair the words of a page with its ground truth.

    Args:
        truth: The true lines, as written.
        page: As it was read; lines without words are passed over.
    """
    true_lines = scored_lines(truth)
    lines = [pairs for line in page.lines() if (pairs := normalised_words(line.words))]
    texts = [" ".join(text for _, text in pairs) for pairs in lines]
    partners = {j: i for i, j in match_lines(true_lines, texts).items()}
    found: list[MatchedWord] = []
    lost: list[Word] = []
    for j, pairs in enumerate(lines):
        if j not in partners:
            lost.extend(word for word, _ in pairs)
            continue
        trues = _true_words([text for _, text in pairs], true_lines[partners[j]])
        found.extend(MatchedWord(word, text, true) for (word, text), true in zip(pairs, trues, strict=True))
    return MatchedPage(tuple(found), tuple(lost))


def normalised_words(words: Sequence[Word]) -> list[tuple[Word, str]]:
    """Words with the form in which they are compared; those of which nothing is left are dropped."""
    return [(word, text) for word in words if (text := normalise(word.text))]


def _true_words(words: Sequence[str], true: str) -> list[str | None]:
    """For each word of a read line the true word in its place."""
    places = _places(" ".join(words), true)
    begins = {0, *(index + 1 for index, char in enumerate(true) if char == " ")}
    ends = {len(true), *(index for index, char in enumerate(true) if char == " ")}
    found: list[str | None] = []
    position = 0
    for word in words:
        pieces = [
            true[begin:end]
            for begin in sorted(places[position] & begins)
            for end in sorted(places[position + len(word)] & ends)
            if begin < end and " " not in true[begin:end]
        ]
        found.append(pieces[0] if pieces else None)
        position += len(word) + 1
    return found


def _places(read: str, true: str) -> list[set[int]]:
    """For each boundary between characters of the read line where it falls in the true one: at both ends of a gap."""
    places: list[set[int]] = [set() for _ in range(len(read) + 1)]
    for code in Levenshtein.opcodes(read, true):
        if code.tag in ("equal", "replace"):
            # As long as each other: every boundary inside has its own.
            for step in range(code.src_end - code.src_start + 1):
                places[code.src_start + step].add(code.dest_start + step)
        else:
            places[code.src_start].add(code.dest_start)
            places[code.src_end].add(code.dest_end)
    return places
