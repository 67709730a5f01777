"""Where the words of a line's best text are along its track.

The machine's word boxes are used as far as its words are still there. What a person corrected, and lines without words,
is spread over the room between them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from archive_pipeline.exports.tracks import Track
from archive_pipeline.page import Line

# Comparing takes time by the square of the words; no line that a person wrote is so long.
_MOST_COMPARED = 1_000


@dataclass(frozen=True)
class Place:
    """A word from ``start`` to ``end``: positions along the track in drawing direction, ``start < end``."""

    text: str
    start: float
    end: float


def places(line: Line, track: Track, width: Callable[[str], float]) -> list[Place]:
    """Every word of the best text in reading order, none before the one that is read before it.

    Args:
        line: The line.
        track: Its track.
        width: Natural width of a text, in any unit, to share out room.
    """
    words = line.best_text.split()
    # Reading direction: positions are turned around for right-to-left text, so that they grow as one reads.
    turn = -1 if line.direction == "rtl" else 1
    begin, end = sorted((track.start * turn, track.end * turn))
    known = _known(line, words, track, turn)
    found: list[tuple[float, float]] = []
    index = 0
    while index < len(words):
        if index in known:
            found.append(known[index])
            index += 1
            continue
        stop = next((i for i in range(index, len(words)) if i in known), len(words))
        left = found[-1][1] if found else begin
        right = known[stop][0] if stop in known else end
        found.extend(_share(words[index:stop], left, right, width))
        index = stop
    if not _in_order(found):
        found = _share(words, begin, end, width)
    return [Place(word, *sorted((a * turn, b * turn))) for word, (a, b) in zip(words, found, strict=True)]


def _known(line: Line, words: Sequence[str], track: Track, turn: int) -> dict[int, tuple[float, float]]:
    """Places of the words that the machine saw, by their index in ``words``."""
    boxes = [sorted(p * turn for p in track.extent(word.box)) for word in line.words]
    known: dict[int, tuple[float, float]] = {}
    if len(words) > _MOST_COMPARED:
        return known
    matcher = SequenceMatcher(None, [word.text for word in line.words], words, autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        # A word that was only spelt anew stays where it is.
        if kind == "equal" or (kind == "replace" and i2 - i1 == j2 - j1):
            known.update({j: (boxes[i][0], boxes[i][1]) for i, j in zip(range(i1, i2), range(j1, j2), strict=True)})
    return known


def _share(words: Sequence[str], begin: float, end: float, width: Callable[[str], float]) -> list[tuple[float, float]]:
    """Room for words between two positions in proportion to their widths, with blanks between them."""
    room = max(end - begin, 1.0)
    blank = width(" ")
    widths = [width(word) or blank for word in words]
    # A blank before and after, too: the neighbours are words, or the edge of the ink.
    scale = room / (sum(widths) + blank * (len(words) + 1))
    found, position = [], begin + blank * scale
    for natural in widths:
        found.append((position, position + natural * scale))
        position += (natural + blank) * scale
    return found


def _in_order(found: Sequence[tuple[float, float]]) -> bool:
    """Whether each word has some length and begins and ends after the one before."""
    return all(b - a >= 1 for a, b in found) and all(
        left[0] < right[0] and left[1] < right[1] for left, right in itertools.pairwise(found)
    )
