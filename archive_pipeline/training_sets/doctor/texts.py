"""What stands in a line: characters that nobody types, scripts in one word, direction."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from archive_pipeline.ground_truth.xml import direction_of
from archive_pipeline.page import Line, Page
from archive_pipeline.training_sets.doctor.places import Said

_UNKNOWN = {
    "Cc": "a control character",
    "Cs": "half a character",
    "Cn": "a character that Unicode does not have",
    "Co": "a private character, which other programs show as nothing",
}
_REPLACEMENT = "\ufffd"
_TELLING = ("LATIN", "GREEK", "CYRILLIC")
"""Scripts whose letters look alike: one of them in a word of another is a slip of the keyboard or of a machine."""


def text_findings(page: Page, raw: dict[int, str]) -> Iterator[Said]:
    """Findings about the texts of a page's lines.

    Args:
        raw: Text of lines as it stands in the file, by index.
    """
    for index, line in enumerate(page.lines()):
        text = raw.get(index, line.best_text)
        if not text.strip():
            yield (
                index,
                "empty-text",
                "warning",
                "it has no text",
                "Transcribe it, or delete the line if nothing is there.",
            )
            continue
        yield from _characters(index, text)
        yield from _scripts(index, text)
        yield from _direction(index, line, text)


def _characters(index: int, text: str) -> Iterator[Said]:
    odd = {char: _UNKNOWN[unicodedata.category(char)] for char in text if unicodedata.category(char) in _UNKNOWN}
    odd |= {char: "the sign for a character that was lost" for char in text if char == _REPLACEMENT}
    odd.pop("\t", None)
    for char, what in odd.items():
        yield (
            index,
            "unknown-character",
            "error",
            f"it has U+{ord(char):04X}, {what}",
            "Type the character that stands on the page.",
        )


def _scripts(index: int, text: str) -> Iterator[Said]:
    for word in text.split():
        scripts = {script for char in word if (script := _script(char)) is not None}
        if len(scripts) > 1:
            names = " and ".join(sorted(name.capitalize() for name in scripts))
            what = f"the word {word[:40]!r} mixes {names} letters"
            yield index, "mixed-scripts", "warning", what, "Type the word in one script."


@lru_cache(maxsize=4096)
def _script(char: str) -> str | None:
    if not char.isalpha():
        return None
    name = unicodedata.name(char, "").partition(" ")[0]
    return name if name in _TELLING else None


def _direction(index: int, line: Line, text: str) -> Iterator[Said]:
    letters = any(unicodedata.bidirectional(char) in ("L", "R", "AL") for char in text)
    runs = direction_of(text)
    if letters and line.direction in ("ltr", "rtl") and runs != line.direction:
        ways = {"ltr": "from left to right", "rtl": "from right to left"}
        what = f"its letters run {ways[runs]}, the line {ways[line.direction]}"
        yield index, "wrong-direction", "error", what, "Set the direction of the line, or type its letters in order."
        return
    # Of right-to-left lines some tools draw the baseline as it is written, others from left to right.
    if len(line.baseline) > 1 and runs == "ltr" and letters and line.direction == "ltr":
        (x1, y1), (x2, y2) = line.baseline[0], line.baseline[-1]
        if x2 < x1 and x1 - x2 > abs(y2 - y1):
            what = "its baseline is drawn from right to left, its text runs the other way"
            yield index, "wrong-direction", "error", what, "Turn the baseline round."
