"""The step on a page: doubtful words get alternatives beside their text, which stays what the machine read.

It runs in the page worker, a sealed child: the words are what a hostile image made a network say, the lists are parsed
here, and both go through compiled code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import chain, islice, zip_longest

from archive_pipeline.page import Alternative, Page, Step
from archive_pipeline.spelling.dictionary import Dictionary, folded
from archive_pipeline.spelling.lists import VERSION, WordList
from archive_pipeline.spelling.words import asked, doubtful_words

BELOW = 0.95
"""Confidence below which a word is asked about. Recognisers are sure of most of their errors: of 324 wrong words on 52
pages of typescript, 18 were below 0.85 (``page.DOUBTFUL``) and 54 below this."""

MOST = 5
"""Alternatives of a word."""

MOST_WORDS = 100
"""Words of a page that are looked up, in reading order. A number and no clock, so that the same page always gives the
same; the page's time limit holds beside it."""


class Dictionaries:
    """The dictionaries of several languages, asked together.

    Raises:
        StorageError: A list cannot be read.
    """

    def __init__(self, lists: Sequence[WordList]) -> None:
        self.lists = tuple(lists)
        self._dictionaries = [(each.source, Dictionary(each.read())) for each in lists]

    def alternatives(self, word: str, page: Collection[str] = ()) -> list[Alternative]:
        """What may be meant by a word; nothing if it is a word of any of the languages.

        Args:
            word: See :meth:`Dictionary.nearest`; ``page``, too.
        """
        # A name that the lists lack is no error where the page has it elsewhere, read with certainty.
        if folded(word) in page or any(dictionary.knows(word) for _, dictionary in self._dictionaries):
            return []
        found = [
            [Alternative(text=text, source=source) for text in dictionary.nearest(word, MOST, page)]
            for source, dictionary in self._dictionaries
        ]
        # By turns: the first of each language, then the second.
        ranked = [each for each in chain.from_iterable(zip_longest(*found)) if each is not None]
        unique = {each.text: each for each in reversed(ranked)}
        return [each for each in ranked if unique[each.text] is each][:MOST]


def propose(page: Page, dictionaries: Dictionaries, below: float = BELOW) -> Page:
    """The page with alternatives on its doubtful words, and with a step for each list; else unchanged.

    Args:
        page: As it was read. A page that is not ``done`` comes back as it is.
        dictionaries: Of the page's languages.
        below: Words with a lower confidence are asked about.
    """
    if page.status != "done":
        return page
    certain = set(_certain_words(page, below))
    found: dict[tuple[int, int, int], tuple[Alternative, ...]] = {}
    for r, n, w, word in islice(doubtful_words(page, below), MOST_WORDS):
        alternatives = dictionaries.alternatives(word.core, certain)
        if alternatives:
            found[r, n, w] = tuple(each.model_copy(update={"text": word.with_core(each.text)}) for each in alternatives)
    steps = tuple(_step(each, below) for each in dictionaries.lists)
    return _with_alternatives(page, found).model_copy(update={"steps": (*page.steps, *steps)})


def _certain_words(page: Page, below: float) -> Iterator[str]:
    for line in page.lines():
        for word in line.words:
            if word.confidence is not None and word.confidence >= below and (found := asked(word.text)):
                yield folded(found.core)


def _with_alternatives(page: Page, found: dict[tuple[int, int, int], tuple[Alternative, ...]]) -> Page:
    regions = list(page.regions)
    for (r, n, w), alternatives in found.items():
        lines = list(regions[r].lines)
        words = list(lines[n].words)
        words[w] = words[w].model_copy(update={"alternatives": alternatives})
        lines[n] = lines[n].model_copy(update={"words": tuple(words)})
        regions[r] = regions[r].model_copy(update={"lines": tuple(lines)})
    return page.model_copy(update={"regions": tuple(regions)})


def _step(used: WordList, below: float) -> Step:
    return Step(
        task="spelling",
        engine="word-list",
        version=VERSION,
        model=used.source,
        model_digest=used.sha256,
        parameters={"below": below, "most": MOST, "most_words": MOST_WORDS},
    )
