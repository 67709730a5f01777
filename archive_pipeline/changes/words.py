"""Which words of a line are others now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_TOKEN = re.compile(r"\s+|\S+")


@dataclass(frozen=True)
class Part:
    """A piece of a line: as it was, only before, or only now."""

    kind: Literal["same", "gone", "new"]
    text: str


def word_parts(before: str, after: str) -> tuple[Part, ...]:
    """A line before and now, in pieces of whole words.

    Without what is new, the pieces are the line before; without what is gone, they are the line now.
    """
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    parts: list[Part] = []
    for kind, a0, a1, b0, b1 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(Part("same", "".join(old[a0:a1])))
            continue
        if a1 > a0:
            parts.append(Part("gone", "".join(old[a0:a1])))
        if b1 > b0:
            parts.append(Part("new", "".join(new[b0:b1])))
    return tuple(parts)


def changed_words(parts: tuple[Part, ...]) -> int:
    """How many words are others now: those that are gone or those that are new, whichever are more."""
    gone, new = (sum(len(part.text.split()) for part in parts if part.kind == kind) for kind in ("gone", "new"))
    return max(gone, new)
