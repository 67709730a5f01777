"""How likely a line of labels is in the language of a hand.

Witten and Bell's interpolation (The zero-frequency problem, IEEE Trans. Inf. Theory 37, 1991; as in Chen & Goodman,
An empirical study of smoothing techniques for language modeling, 1998): from few pages it knows the words and formulas
that come again, and of all else it says little.
"""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from archive_pipeline.models.language import END, START

_UNSEEN = 1 / 200  # of a character that never came: as if there were so many, all alike
_KNOWN = 50_000  # answers that are kept
_NAMES = 0.3
"""Of weight and bonus, behind a capital or a digit to the end of the word: names and numbers are read as they stand
there, or the ones that are known take the place of those that are not."""


class Likelihood:
    """How likely a character is after others."""

    def __init__(self, counts: Mapping[str, Mapping[str, int]], order: int) -> None:
        self.order, self._before = order, order - 1
        self._tables: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for context, after in counts.items():
            for start in range(len(context) + 1):
                table = self._tables[context[start:]]
                for character, count in after.items():
                    table[character] = table.get(character, 0) + count
        self._totals = {context: sum(table.values()) for context, table in self._tables.items()}

    def after(self, context: str, character: str) -> str:
        """What is before the next character."""
        return (context + character)[-self._before :] if self._before else ""

    def probability(self, context: str, character: str) -> float:
        """Above 0 for every character, and 1 for all together if they are no more than were reckoned with.

        Args:
            context: The characters before it, as :meth:`after` gives them.
        """
        probability = _UNSEEN
        for start in range(len(context), -1, -1):
            table = self._tables.get(context[start:])
            if table is None:
                break
            kinds = len(table)
            probability = (table.get(character, 0) + kinds * probability) / (self._totals[context[start:]] + kinds)
        return probability


class Place(NamedTuple):
    """Where a line is.

    Attributes:
        context: The last characters.
        name: It is behind a capital or a digit, in the same word.
    """

    context: str
    name: bool


class LabelLanguage:
    """What a language says of the labels of a network.

    Args:
        weight, bonus: As in :class:`archive_pipeline.models.language.Language`.
        symbols: The text of each label but the blank, which is 0; of those that are missing the language says nothing.
    """

    start = Place(START, name=False)

    def __init__(self, likelihood: Likelihood, weight: float, bonus: float, symbols: Mapping[int, str]) -> None:
        self.order = likelihood.order
        self._likelihood, self._weight, self._bonus, self._symbols = likelihood, weight, bonus, symbols
        self._known: dict[tuple[Place, int], tuple[Place, float]] = {}

    def say(self, at: Place, label: int) -> tuple[Place, float]:
        """Where a line is after one label more, and what that adds to its logarithm."""
        found = self._known.get((at, label))
        if found is None:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            found = self._known[at, label] = self._say(at, label)
        return found

    def end(self, at: Place) -> float:
        """What it adds that the line ends there."""
        return self._weight * math.log(self._likelihood.probability(at.context, END))

    def _say(self, at: Place, label: int) -> tuple[Place, float]:
        context, name = at
        symbol = self._symbols.get(label, "")
        name = name and _in_word(symbol[:1])
        share, said = (_NAMES if name else 1), self._bonus
        for character in symbol:
            said += self._weight * math.log(self._likelihood.probability(context, character))
            context = self._likelihood.after(context, character)
            name = (name and _in_word(character)) or character.isupper() or character.isdigit()
        return Place(context, name), share * said


def _in_word(character: str) -> bool:
    return not character or character.isalnum() or bool(unicodedata.combining(character))
