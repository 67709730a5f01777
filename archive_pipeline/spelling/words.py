"""Which words of a page are asked about, and what of a word is looked up.

Left alone are words that a list of words cannot know: numbers and anything with digits, abbreviations with full stops
inside, words of capitals, words of one or two letters, endless ones, and both halves of a word that is parted at the
end of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from archive_pipeline.page import Page, Word

SHORTEST, LONGEST = 3, 30
"""Letters. Of two letters nearly every pair is a word, one edit away from dozens of others."""

_HYPHENS = "-\u00ad\u2010\u2011¬⸗="
_PARTS = re.compile(
    # What stands before, an article or pronoun with its apostrophe (l', qu', lorsqu', dell'), the word, what follows.
    r"(?P<before>[^\w]*(?:[^\W\d_]{1,6}['’])?)(?P<core>[^\W\d_]+(?:[-'’][^\W\d_]+)*)(?P<after>[^\w]*)"
)


@dataclass(frozen=True)
class Asked:
    """A word to look up.

    Attributes:
        before, core, after: The word as it was read, in three parts; ``core`` is looked up.
    """

    before: str
    core: str
    after: str

    def with_core(self, core: str) -> str:
        """The whole word with another core."""
        return f"{self.before}{core}{self.after}"


def asked(text: str) -> Asked | None:
    """What to look up of a word; None if it is left alone."""
    match = _PARTS.fullmatch(text)
    if match is None:
        return None
    core = match["core"]
    if not SHORTEST <= len(core) <= LONGEST or core.isupper():
        return None
    return Asked(match["before"], core, match["after"])


def doubtful_words(page: Page, below: float) -> Iterator[tuple[int, int, int, Asked]]:
    """The words to ask about, in reading order: region, line, word (indexes), and what to look up.

    Args:
        page: As it was read.
        below: Words with a lower confidence are asked about; those without one are not.
    """
    for r, region in enumerate(page.regions):
        parted = False
        for n, line in enumerate(region.lines):
            words = line.words
            for w, word in enumerate(words):
                fragment = (w == 0 and parted) or (w == len(words) - 1 and _parted(word))
                if fragment or word.confidence is None or word.confidence >= below:
                    continue
                found = asked(word.text)
                if found is not None:
                    yield r, n, w, found
            parted = bool(words) and _parted(words[-1])


def _parted(word: Word) -> bool:
    return len(word.text) > 1 and word.text[-1] in _HYPHENS
