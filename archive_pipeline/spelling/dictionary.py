"""Words of a language, and the nearest of them to a word that is none.

Nearest by edit distance (Levenshtein 1966), of those equally near first the ones that the page itself has elsewhere,
then those whose other letters look alike, then by the alphabet: the lists say nothing of how common a word is. The
same word gives the same answer on every machine, which Hunspell's own suggestions, cut short by a clock, do not.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

_LOOK_ALIKE = ("aeocuûâôêéèëöüäàç", "il1tfjrîï", "nuhmrvw", "sz", "bhk", "gqyp", "dcl")
"""Letters that a recogniser takes for each other, roughly by shape."""

_SHORT = 4
"""Letters up to which a word one edit away is all that is proposed: two edits make any short word of any other."""


class Dictionary:
    """The words of one list.

    Args:
        text: The list, a word a line.
    """

    def __init__(self, text: str) -> None:
        self._spelt: dict[str, str] = {}
        for word in text.split():
            # The spelling in small letters is the one that fits every place.
            if (key := folded(word)) not in self._spelt or word.islower():
                self._spelt[key] = word
        self._by_length: dict[int, list[str]] = {}
        for key in self._spelt:
            self._by_length.setdefault(len(key), []).append(key)

    def knows(self, word: str) -> bool:
        """Whether a word is in the list, or all parts of one with hyphens are, whatever its capitals."""
        key = folded(word)
        return key in self._spelt or ("-" in key and all(part in self._spelt for part in key.split("-")))

    def nearest(self, word: str, most: int, page: Collection[str] = ()) -> list[str]:
        """Words that may be meant, the likeliest first; none for a word that is known.

        Args:
            word: Letters, with hyphens and apostrophes inside at most.
            most: How many at most.
            page: Words that were read with certainty nearby.
        """
        if self.knows(word):
            return []
        parts = word.split("-")
        strange = [index for index, part in enumerate(parts) if not self.knows(part)]
        if len(parts) > 1 and len(strange) == 1 and len(parts[strange[0]]) > 2:
            index = strange[0]
            found = self._nearest(parts[index], most, page)
            return ["-".join([*parts[:index], each, *parts[index + 1 :]]) for each in found]
        return self._nearest(word, most, page)

    def _nearest(self, word: str, most: int, page: Collection[str]) -> list[str]:
        key = folded(word)
        for distance in (1,) if len(key) <= _SHORT else (1, 2):
            near = self._within(key, distance)
            if near:
                near.sort(key=lambda each: (each not in page, _unlikeness(key, each), each))
                return [_as_capital(self._spelt[each], word) for each in near[:most]]
        return []

    def _within(self, key: str, distance: int) -> list[str]:
        lengths = range(len(key) - distance, len(key) + distance + 1)
        found: Iterable[tuple[str, float, int]] = (
            match
            for length in lengths
            for match in process.extract(
                key,
                self._by_length.get(length, ()),
                scorer=Levenshtein.distance,
                score_cutoff=distance,
                limit=None,
            )
        )
        return [text for text, *_ in found]


def folded(word: str) -> str:
    """The form in which words are compared: small letters, one kind of apostrophe, ligatures taken apart."""
    return unicodedata.normalize("NFC", word).lower().replace("’", "'").replace("œ", "oe").replace("æ", "ae")


def _as_capital(word: str, like: str) -> str:
    return word[:1].upper() + word[1:] if like[:1].isupper() else word


def _unlikeness(read: str, other: str) -> float:
    """How unlike two words look: a letter for its like counts less than one put in, left out or quite another."""
    total = 0.0
    for edit in Levenshtein.editops(read, other):
        if edit.tag == "replace":
            a, b = read[edit.src_pos], other[edit.dest_pos]
            accent = _bare(a) == _bare(b)
            total += 0.2 if accent else 0.5 if any(a in group and b in group for group in _LOOK_ALIKE) else 1.0
        else:
            total += 0.8
    return total


def _bare(letter: str) -> str:
    return unicodedata.normalize("NFD", letter)[0]
