"""Pages that a person went through: what the machine read beside what it should have read.

A person who corrects what they stumble upon says nothing of the other lines, which may be right or may not have been
looked at. So only a page counts whose lines are (nearly) all in its corrections, as a tool writes them that a person
went through the page with; an equal text confirms the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archive_pipeline.errors import DocumentFailed, StorageError
from archive_pipeline.evaluation.scoring import score_lines
from archive_pipeline.processing.stored_pages import applied_corrections, stored_page
from archive_pipeline.store import DocumentFolder

WHOLE = 0.9
"""Share of a page's read lines that must be in its corrections."""


@dataclass(frozen=True)
class CorrectedPage:
    """One page with corrections.

    Attributes:
        model: Id of the recognition model.
        confidence: Of all that the machine read, mean over characters.
        errors, characters: Of the lines with a correction.
        share: Of the lines that were read, how many have a correction.
    """

    document: str
    page: int
    model: str
    confidence: float
    errors: int
    characters: int
    share: float

    @property
    def whole(self) -> bool:
        """Whether the page counts as ground truth."""
        return self.share >= WHOLE and self.characters > 0


def corrected_pages(folder: DocumentFolder) -> Iterator[CorrectedPage]:
    """The pages of a document that have corrections and were read by a machine that says how sure it is.

    What cannot be read is passed over: the checks and ``store verify`` name it.
    """
    numbers = sorted(int(path.stem) for path in folder.correction(1).parent.glob("*.json") if path.stem.isdigit())
    for number in numbers:
        try:
            corrections = applied_corrections(folder, number).texts
            stored = stored_page(folder.transcription(number))
        except (DocumentFailed, StorageError):
            continue
        if not corrections or stored is None or stored.page.confidence is None:
            continue
        lines = [line for line in stored.page.lines() if line.text or line.id in corrections]
        pairs = [(corrections[line.id], line.text) for line in lines if line.id in corrections]
        if not pairs:
            continue
        score = score_lines(pairs)
        steps = {step.task: step for step in stored.page.steps}
        yield CorrectedPage(
            document=folder.key,
            page=number,
            model=(steps["recognition"].model if "recognition" in steps else None) or "",
            confidence=stored.page.confidence,
            errors=score.errors,
            characters=score.characters,
            share=len(pairs) / len(lines),
        )
