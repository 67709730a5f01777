"""Errors of a line in what a reader takes for characters, and what was read for what.

The rules:

* Texts are compared as :func:`.scoring.normalise` has them: NFC, runs of white space are one blank, none at the ends.
* A character is an extended grapheme cluster (Unicode Standard Annex 29): a letter with all its marks is one, and wrong
  or right as a whole. Blanks count.
* Long s (``ſ``) is a character of its own. Beside the figure stands the one in which ``ſ`` is ``s``.
* A word is what stands between blanks; punctuation belongs to it.
* Errors are the fewest characters (or words) to insert, delete or replace. stringalign counts and aligns them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from stringalign.align import AlignmentOperation, AlignmentTuple, Inserted, Kept, align_strings, combine_alignment_ops
from stringalign.tokenize import GraphemeClusterTokenizer, SplitAtWhitespaceTokenizer

from archive_pipeline.evaluation.scoring import normalise

RULES = 1
"""Raise it when the figures change: evaluations of before are then made again."""
_TOGETHER = 3
_CHARACTERS = GraphemeClusterTokenizer()
_WORDS = SplitAtWhitespaceTokenizer()


@dataclass(frozen=True)
class LineErrors:
    """Of one line.

    Attributes:
        truth, read: As they were compared.
        errors, characters: Wrong characters, and characters of the truth.
        errors_s: Wrong characters where ``ſ`` is ``s``.
        word_errors, words: Wrong words, and words of the truth.
        confusions: What stands there and what was read instead, either may be empty; one for each place.
    """

    truth: str
    read: str
    errors: int
    characters: int
    errors_s: int
    word_errors: int
    words: int
    confusions: tuple[tuple[str, str], ...]


def line_errors(truth: str, read: str) -> LineErrors:
    """Compare what was read with what stands there."""
    truth, read = normalise(truth), normalise(read)
    aligned, _ = align_strings(truth, read, _CHARACTERS)
    errors, characters = _counts(aligned)
    word_errors, words = _counts(align_strings(truth, read, _WORDS)[0])
    errors_s = errors
    if "ſ" in truth + read:
        errors_s, _ = _counts(align_strings(truth.replace("ſ", "s"), read.replace("ſ", "s"), _CHARACTERS)[0])
    return LineErrors(truth, read, errors, characters, errors_s, word_errors, words, tuple(_confusions(aligned)))


def segments(truth: str, read: str) -> list[tuple[str, str]]:
    """Two texts in pieces side by side, what stands there and what was read; pieces that are equal were read right."""
    aligned = combine_alignment_ops(align_strings(truth, read, _CHARACTERS)[0], _CHARACTERS)
    return list(map(_both, aligned))


def _counts(aligned: AlignmentTuple) -> tuple[int, int]:
    """Errors, and characters or words of the truth."""
    wrong = sum(not isinstance(each, Kept) for each in aligned)
    return wrong, sum(not isinstance(each, Inserted) for each in aligned)


def _both(operation: AlignmentOperation) -> tuple[str, str]:
    general = operation.generalize()
    return general.reference, general.predicted


def _confusions(aligned: AlignmentTuple) -> Iterator[tuple[str, str]]:
    """Errors side by side belong together (``rn`` read as ``m``), unless there are so many that it is no confusion."""
    for kept, group in groupby(aligned, key=lambda each: isinstance(each, Kept)):
        operations = tuple(group)
        if kept:
            continue
        if len(operations) <= _TOGETHER:
            operations = tuple(combine_alignment_ops(operations, _CHARACTERS))
        yield from map(_both, operations)
