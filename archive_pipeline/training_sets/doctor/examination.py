"""A whole set before the doctor: page after page, then what only shows in all of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from archive_pipeline.page import Page
from archive_pipeline.training_sets.doctor.findings import Code, Finding, Severity
from archive_pipeline.training_sets.doctor.habits import Habits
from archive_pipeline.training_sets.doctor.lengths import length_findings
from archive_pipeline.training_sets.doctor.places import place_findings
from archive_pipeline.training_sets.doctor.texts import text_findings
from archive_pipeline.training_sets.hand import Hand
from archive_pipeline.training_sets.reading import ReadPage

_TELLING = 80
"""Characters of a page without which an equal text may be chance, as on a form."""


@dataclass(frozen=True)
class TestPages:
    """Pages that models are judged by, and that must not be trained with.

    Attributes:
        images: SHA-256 of their page images.
        texts: Their :func:`text_digest`.
    """

    __test__ = False  # no test of pytest's

    images: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()


def text_digest(page: Page) -> str:
    """By which a page is known whose image was saved anew: SHA-256 of its letters and digits; empty if they are few."""
    letters = "".join(char for line in page.lines() for char in line.best_text.casefold() if char.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest() if len(letters) >= _TELLING else ""


@dataclass(frozen=True)
class _Taken:
    """A page that is taken: its transcription, and where its image was found."""

    file: str
    image_name: str


@dataclass
class Examination:
    """Looks over one set; pages are given once, in order, then :meth:`finish` is called.

    Attributes:
        test: Pages that must not be in the set.
        hand: Of the set.
        pages, lines: How many were looked at; lines with text.
    """

    hand: Hand = field(default_factory=Hand)
    test: TestPages = field(default_factory=TestPages)
    pages: int = 0
    lines: int = 0
    _images: dict[str, _Taken] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _habits: Habits = field(default_factory=Habits)

    def look_at(self, read: ReadPage) -> list[Finding]:
        """All findings of one page."""
        self.pages += 1
        whole = list(self._whole(read))
        if read.page is None or any(each.code == "page-twice" and each.severity == "warning" for each in whole):
            return whole
        if read.image is not None and _has_text(read.page) and not any(each.leaves_out for each in whole):
            # Only what is taken stands in the way of another one.
            self._images.setdefault(read.image.sha256, _Taken(read.file, read.image_name))
            self._texts.setdefault(text_digest(read.page), read.file)
        return [*whole, *self._lines(read, read.page)]

    def _whole(self, read: ReadPage) -> Iterator[Finding]:
        def said(code: Code, what: str, remedy: str, severity: Severity = "error") -> Finding:
            return Finding(code=code, severity=severity, file=read.file, what=what, remedy=remedy)

        if read.problem is not None:
            where = read.problem.document
            begin = f"{where}: " if where and where != read.file else ""
            yield said("unreadable", f"{begin}{read.problem.what}", read.problem.remedy or "Make the file again.")
            return
        if read.image is None:
            what = "there is no image for it, neither of its name nor of the name in it, nor in the document store"
            yield said("no-image", what, "Put the image beside it.")
        page = read.page
        if page is None:
            return
        first = self._images.get(read.image.sha256) if read.image is not None else None
        if first is not None and _is_other_form(read, first):
            what = f"it is passed over: {first.file} is of the same image, and is taken"
            yield said("page-twice", what, "Take the one out that is not to be trained with.", "warning")
            return
        if read.image is not None:
            yield from self._same_image(read, page)
        if not _has_text(page):
            yield said("no-text", "no line of it has text", "Was the right transcription exported?", "warning")
        digest = text_digest(page)
        if digest and digest in self.test.texts:
            yield said("in-test-set", "its text is that of a page of the test set", "Take it out of the training set.")
        elif digest and digest in self._texts:
            what = f"its text is that of {self._texts[digest]}"
            yield said("text-twice", what, "Take one of the two out, or put the right text here.", "warning")

    def _same_image(self, read: ReadPage, page: Page) -> Iterator[Finding]:
        image = read.image
        assert image is not None  # noqa: S101 - the caller looked

        def error(code: Code, what: str, remedy: str) -> Finding:
            return Finding(code=code, severity="error", file=read.file, what=what, remedy=remedy)

        if (image.width, image.height) != (page.width, page.height):
            what = (
                f"it is of an image of {page.width} x {page.height} pixels, "
                f"{read.image_name} has {image.width} x {image.height}"
            )
            yield error("image-size", what, "Put the image there that was transcribed, unscaled and not turned.")
        if image.sha256 in self.test.images:
            yield error("in-test-set", "its image is in the test set", "Take it out of the training set.")
        if image.sha256 in self._images:
            what = f"its image is that of {self._images[image.sha256].file}"
            yield error("page-twice", what, "Take one of the two out.")

    def _lines(self, read: ReadPage, page: Page) -> Iterator[Finding]:
        lines = list(page.lines())
        rows, raw = _raw_of(read, page)
        self.lines += sum(1 for line in lines if line.best_text.strip())
        found = [*place_findings(page), *text_findings(page, raw), *length_findings(page)]
        for index, code, severity, what, remedy in sorted(found, key=lambda each: each[0]):
            yield Finding(
                code=code,
                severity=severity,
                file=read.file,
                line=lines[index].id or str(index + 1),
                index=index,
                row=rows.get(index, 0),
                what=what,
                remedy=remedy,
            )
        for name, count in Counter(line.id for line in lines if line.id).items():
            if count > 1:
                yield Finding(
                    code="id-twice",
                    severity="warning",
                    file=read.file,
                    line=name,
                    what=f"{count} lines have this id",
                    remedy="Have the tool that made the file name its lines anew; corrections go by these names.",
                )
        for index, text in raw.items():
            if text.strip():
                self._habits.look_at(text, (read.file, lines[index].id, index, rows.get(index, 0)))

    def finish(self) -> list[Finding]:
        """What shows in the whole set."""
        found = list(self._habits.findings())
        if self.hand.writer is None:
            found.append(
                Finding(
                    code="no-writer",
                    severity="warning",
                    what="nobody said whose hand it is, so that it is one of its own, named as the set",
                    remedy="Put a hand.yaml beside it, with writer: and the name that archive.yaml files have in hand.",
                )
            )
        if self.hand.licence is None:
            found.append(
                Finding(
                    code="no-licence",
                    severity="warning",
                    what="nobody said under which licence it is",
                    remedy="Put a hand.yaml beside it, with licence: CC-BY-4.0 or what holds; models carry it on.",
                )
            )
        if not self.lines:
            found.append(
                Finding(
                    code="nothing",
                    severity="error",
                    what="there is no line with text",
                    remedy="Give PAGE or ALTO files with their page images, or line images with .gt.txt files.",
                )
            )
        return found

    @property
    def characters(self) -> dict[str, int]:
        """How often each character is there, in NFC; the most frequent first."""
        return dict(sorted(self._habits.characters.items(), key=lambda pair: (-pair[1], pair[0])))


def _has_text(page: Page) -> bool:
    return any(line.best_text.strip() for line in page.lines())


def _is_other_form(read: ReadPage, first: _Taken) -> bool:
    """Whether two files are one transcription as PAGE and as ALTO: of one name and image, in two folders."""
    names = [PurePosixPath(each.file) for each in (read, first)]
    return read.image_name == first.image_name != "" and names[0].stem.casefold() == names[1].stem.casefold()


def _raw_of(read: ReadPage, page: Page) -> tuple[dict[int, int], dict[int, str]]:
    """Row and raw text of each line of a page, by its index: the file's order need not be the reading order."""
    rows: dict[int, int] = {}
    texts: dict[int, str] = {}
    waiting: dict[str, list[int]] = {}
    for number, raw in enumerate(read.raw):
        waiting.setdefault(raw.id, []).append(number)
    for index, line in enumerate(page.lines()):
        numbers = waiting.get(line.id)
        if numbers:
            raw = read.raw[numbers.pop(0)]
            rows[index], texts[index] = raw.row, raw.text
        else:
            texts[index] = line.best_text
    return rows, texts
