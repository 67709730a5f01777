"""The words of a line's best text with their boxes, for formats that hold no text outside words.

Words are what stands between white space. Where the machine's words are exactly those of the text, their boxes and
confidences are used. Else boxes come from :mod:`word_places`, and a line that nobody corrected gives each word its own
confidence. A corrected line has none: no machine read that text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from archive_pipeline.exports.tracks import Track, track_of
from archive_pipeline.exports.word_places import places
from archive_pipeline.page import Alternative, Box, Line, Page, Region


@dataclass(frozen=True)
class PlacedWord:
    """A word on the page.

    Attributes:
        box: Inside the page, at least one pixel wide and high.
        machine: What the machine read in its place, one word, more or none (empty); None if it read the same.
        alternatives: What was proposed beside it; of a corrected line nothing is.
    """

    text: str
    box: Box
    confidence: float | None = None
    machine: str | None = None
    alternatives: tuple[Alternative, ...] = ()


def inside(box: Box, page: Page) -> Box:
    """The part of a box that is on the page, at least one pixel wide and high."""
    left, right = sorted((box[0], box[2]))
    top, bottom = sorted((box[1], box[3]))
    left, top = min(max(left, 0), page.width - 1), min(max(top, 0), page.height - 1)
    return left, top, min(max(right, left + 1), page.width), min(max(bottom, top + 1), page.height)


def words_of(line: Line, box: Box, page: Page) -> list[PlacedWord]:
    """The words of a line in reading order.

    Args:
        line: The line.
        box: The line's box on the page: where a word is at least.
        page: The page that the boxes must not leave.
    """
    texts = line.best_text.split()
    if line.correction is None and [word.text for word in line.words] == texts:
        return [
            PlacedWord(word.text, inside(word.box, page), word.confidence, alternatives=word.alternatives)
            for word in line.words
        ]
    track = track_of(line, box)
    boxes = [
        inside(_box(track, place.start, place.end, box), page)
        for place in places(line, track, lambda text: float(len(text)))
    ]
    if line.correction is None:
        return [PlacedWord(text, at, line.confidence) for text, at in zip(texts, boxes, strict=True)]
    machine = _machine_words(line.text.split(), texts)
    return [PlacedWord(text, at, None, read) for text, at, read in zip(texts, boxes, machine, strict=True)]


def words_of_block(region: Region, box: Box) -> list[PlacedWord]:
    """The words of a region without lines: nothing more is known of their places than the region's box."""
    return [PlacedWord(text, box) for text in region.text.split()]


def _box(track: Track, start: float, end: float, line_box: Box) -> Box:
    """The box of the piece of a track, as high as the line; of a line without height, as high as its box."""
    axis = track.axis
    along = sorted((start * track.sign, end * track.sign))
    if track.height >= 1:
        up = -track.sign if axis == 0 else track.sign
        feet = [track.point(position)[1 - axis] for position in (start, end)]
        across = [other + up * height for other in feet for height in (track.ascent, -track.descent)]
    else:
        across = [line_box[1 - axis], line_box[3 - axis]]
    low, high = round(min(across)), round(max(across))
    begin, stop = round(along[0]), round(along[1])
    return (begin, low, stop, high) if axis == 0 else (low, begin, high, stop)


def _machine_words(machine: Sequence[str], texts: Sequence[str]) -> list[str | None]:
    """For each word what the machine read in its place, so that all of them together are the machine's text."""
    read: list[str | None] = [None] * len(texts)
    matcher = SequenceMatcher(None, machine, texts, autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            continue
        if kind == "delete":
            # The neighbour takes what has no place of its own any more.
            if j1:
                before = read[j1 - 1] if read[j1 - 1] is not None else texts[j1 - 1]
                read[j1 - 1] = " ".join(filter(None, [before, *machine[i1:i2]]))
            elif texts:
                read[0] = " ".join([*machine[i1:i2], texts[0]])
            continue
        for j in range(j1, j2):
            last = j == j2 - 1
            part = machine[i1 + j - j1 : i2 if last else i1 + j - j1 + 1]
            read[j] = " ".join(part)
    return read
