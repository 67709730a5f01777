"""Characters that look or mean the same and that a set should have one of: its transcribers had two habits."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator

from archive_pipeline.training_sets.doctor.findings import Finding

_ALIKE = (
    ("'", "\u2019", "\u02bc"),
    ('"', "\u201c", "\u201d", "\u201e", "\u00ab", "\u00bb"),
    ("-", "\u2010", "\u2011"),
    ("\u2013", "\u2014", "\u2212"),
    ("...", "\u2026"),
    ("\u00ac", "\u2e17"),
)
"""Groups of which one is expected in a set. Long and round s are none: a hand has both, where its rules put them."""
_PAIRS = {("\u201c", "\u201d", "\u201e"), ("\u00ab", "\u00bb")}

Place = tuple[str, str, int, int]
"""File, line id, index of the line, row."""


class Habits:
    """Counts, over a whole set, how things are written that can be written in two ways."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = defaultdict(int)
        self._first: dict[str, Place] = {}
        self._blanks: list[Place] = []
        self._forms: dict[str, list[Place]] = {"NFC": [], "NFD": []}
        self.characters: dict[str, int] = defaultdict(int)

    def look_at(self, text: str, place: Place) -> None:
        """Take one line into account.

        Args:
            text: As it stands in the file.
        """
        for group in _ALIKE:
            for sign in group:
                if count := text.count(sign):
                    self._seen[sign] += count
                    self._first.setdefault(sign, place)
        if text != text.strip() or "\t" in text or "  " in text:
            self._blanks.append(place)
        for char in unicodedata.normalize("NFC", text):
            self.characters[char] += 1
        composed, parted = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
        if composed != parted:
            if text == composed:
                self._forms["NFC"].append(place)
            else:
                self._forms["NFD"].append(place)

    def findings(self) -> Iterator[Finding]:
        """What is written in two ways; named is where the rarer one stands first."""
        yield from self._normal_forms()
        yield from self._blank_ends()
        for group in _ALIKE:
            kinds = _kinds(group)
            counts = {kind: sum(self._seen[sign] for sign in kind) for kind in kinds}
            used = sorted((kind for kind in kinds if counts[kind]), key=lambda kind: counts[kind])
            if len(used) < 2:
                continue
            rare, usual = used[0], used[-1]
            file, line, index, row = min(self._first[sign] for sign in rare if sign in self._first)
            yield Finding(
                code="mixed-characters",
                severity="warning",
                file=file,
                line=line,
                index=index,
                row=row,
                what=f"{_shown(rare)} is used {counts[rare]} times in the set, {_shown(usual)} {counts[usual]} times",
                remedy="Use one of them throughout, as far as the pages do not show both.",
            )

    def _blank_ends(self) -> Iterator[Finding]:
        if self._blanks:
            file, line, index, row = self._blanks[0]
            yield Finding(
                code="blanks",
                severity="warning",
                file=file,
                line=line,
                index=index,
                row=row,
                what=f"{len(self._blanks)} lines begin or end with a blank, or have several together (first this one)",
                remedy="Nothing has to be done: they are taken as single blanks.",
            )

    def _normal_forms(self) -> Iterator[Finding]:
        composed, parted = self._forms["NFC"], self._forms["NFD"]
        if not parted:
            return
        if composed:
            rare = min((composed, parted), key=len)
            name = "NFC" if rare is composed else "NFD"
            what = (
                f"{len(rare)} lines are in {name} (first this one), {len(composed) + len(parted) - len(rare)} are not"
            )
        else:
            rare, what = parted, f"accents are characters of their own (NFD) in all {len(parted)} lines that have any"
        file, line, index, row = rare[0]
        yield Finding(
            code="normal-form",
            severity="warning",
            file=file,
            line=line,
            index=index,
            row=row,
            what=what,
            remedy="Nothing has to be done: all text is stored in NFC. Compare with other tools in one form only.",
        )


def _kinds(group: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The ways to write it; signs that belong together are one way."""
    together = [pair for pair in _PAIRS if set(pair) <= set(group)]
    single = [(sign,) for sign in group if not any(sign in pair for pair in together)]
    return sorted([*together, *single])


def _shown(kind: tuple[str, ...]) -> str:
    return " ".join(f"{sign} (U+{ord(sign):04X})" if len(sign) == 1 else sign for sign in kind)
