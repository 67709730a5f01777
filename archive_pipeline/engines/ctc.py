"""Best-path decoding of a CTC network's output into words with places and confidences.

Graves et al., "Connectionist temporal classification", 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_GAP = 1.7  # of the usual advance from letter to letter
_EVIDENCE = 0.05  # probability of a blank


@dataclass(frozen=True)
class Decoded:
    """A read line.

    Attributes:
        text: As decoded, blanks included.
        confidence: Mean probability over characters, 0 to 1; 0 if there are none.
        words: Text, left edge, right edge (pixels of the strip), confidence.
    """

    text: str
    confidence: float
    words: tuple[tuple[str, float, float, float], ...]


def decode(
    probabilities: NDArray[np.float32], labels: Sequence[str], *, step: float, offset: float, width: float
) -> Decoded:
    """Decode one line.

    Args:
        probabilities: Time steps x classes; class 0 is the blank.
        labels: Text of each class.
        step: Pixels of the strip for each time step.
        offset: Pixels before the strip begins (padding).
        width: Of the strip, in pixels; places are kept inside it.
    """
    classes = probabilities.argmax(axis=1)
    best = probabilities.max(axis=1)
    runs = np.flatnonzero(np.diff(classes, prepend=-1))
    ends = np.append(runs[1:], len(classes))
    read = [
        (labels[classes[start]], int(start), int(end), float(best[start:end].max()))
        for start, end in zip(runs, ends, strict=True)
        if classes[start] != 0
    ]
    characters = _restore_blanks(read, probabilities, labels)
    text = "".join(character for character, *_ in characters)
    confidence = float(np.mean([c for *_, c in read])) if read else 0.0
    return Decoded(text, confidence, tuple(_words(characters, len(classes), step, offset, width)))


def _restore_blanks(
    characters: list[tuple[str, int, int, float]], probabilities: NDArray[np.float32], labels: Sequence[str]
) -> list[tuple[str, int, int, float]]:
    """Put a blank where the network saw one faintly and the letters stand as far apart as with one.

    Typists put blanks where readers do not expect them (before a comma), and the network, which reads text, passes over
    them. Wide gap and faint evidence together: of 36 blanks put in on typed pages, 35 were there.
    """
    if " " not in labels or len(characters) < 6:
        return characters
    blank = probabilities[:, labels.index(" ")]
    centres = [(start + end) / 2 for _, start, end, _ in characters]
    advance = float(np.median(np.diff(centres)))
    restored = [characters[0]]
    for index in range(1, len(characters)):
        before, here = centres[index - 1], centres[index]
        apart = not (characters[index - 1][0].isspace() or characters[index][0].isspace())
        if apart and here - before >= _GAP * advance:
            evidence = float(blank[int(before) : int(here) + 1].max())
            if evidence >= _EVIDENCE:
                middle = int((before + here) / 2)
                restored.append((" ", middle, middle + 1, evidence))
        restored.append(characters[index])
    return restored


def _words(
    characters: list[tuple[str, int, int, float]], steps: int, step: float, offset: float, width: float
) -> list[tuple[str, float, float, float]]:
    """Words between blanks. A character is centred on its peak and reaches half-way to its neighbours at most."""
    centres = [(start + end) / 2 for _, start, end, _ in characters]
    advance = float(np.median(np.diff(centres))) if len(centres) > 1 else min(4.0, steps / 2)
    words: list[tuple[str, float, float, float]] = []
    current: list[int] = []

    def finish() -> None:
        if not current:
            return
        left = (centres[current[0]] - advance / 2) * step - offset
        right = (centres[current[-1]] + advance / 2) * step - offset
        if words:  # never over the word before
            left = max(left, words[-1][2])
        left, right = min(max(left, 0.0), width), min(max(right, 0.0), width)
        confidences = [characters[i][3] for i in current]
        text = "".join(characters[i][0] for i in current)
        words.append((text, left, max(right, left + 1), float(np.mean(confidences))))
        current.clear()

    for index, (character, *_) in enumerate(characters):
        if character.isspace():
            finish()
        else:
            current.append(index)
    finish()
    return words
