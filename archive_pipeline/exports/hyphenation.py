"""Words that are parted at the end of a line, where that is certain.

Certain are only the signs that stand for nothing else: the soft hyphen, the not sign (as transcribers write it) and the
double oblique hyphen of Fraktur. A plain hyphen may belong to the word (*peut-être*) or be a dash, which no machine can
tell without a dictionary, so it stays part of the text: kraken and eScriptorium leave out what ALTO has in ``HYP``, and
would lose it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SIGNS = "\u00ad¬⸗"


@dataclass(frozen=True)
class Hyphenation:
    """How the words of a line take part.

    Attributes:
        sign: The hyphen at the line's end; empty if there is none.
        first: The whole word whose first part ends this line; None if unknown.
        second: The whole word whose second part begins this line; None if there is none.
    """

    sign: str = ""
    first: str | None = None
    second: str | None = None


def hyphenations(lines: Sequence[str]) -> list[Hyphenation]:
    """Hyphenation of each line of one region, in reading order. No word is known to go on in another region."""
    words = [line.split() for line in lines]
    signs = [_sign(line) for line in words]
    found: list[Hyphenation] = []
    second: str | None = None
    for index, (line, sign) in enumerate(zip(words, signs, strict=True)):
        after = words[index + 1] if index + 1 < len(words) else []
        # A word over three lines cannot be said in ALTO: a string is a first part or a second one.
        whole_next = after and after[0][0].isalpha() and not (len(after) == 1 and signs[index + 1])
        whole_here = not (len(line) == 1 and second is not None)
        first = line[-1][:-1] + after[0] if sign and whole_next and whole_here else None
        found.append(Hyphenation(sign, first, second))
        second = first
    return found


def _sign(words: Sequence[str]) -> str:
    last = words[-1] if words else ""
    return last[-1] if len(last) > 1 and last[-1] in SIGNS and last[-2].isalpha() else ""
