"""The changes of a document as text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from archive_pipeline.changes.document import DocumentChanges
from archive_pipeline.changes.pages import LineChange, PageChanges
from archive_pipeline.changes.webpage import percent
from archive_pipeline.errors import printable

_MARKS = {"same": "{}", "gone": "[-{}-]", "new": "{{+{}+}}"}


def changes_text(changes: DocumentChanges) -> Iterator[str]:
    """Lines of text; control characters are escaped."""
    for page in changes.pages:
        yield from _page(page)
    sums = changes.sums
    yield (
        f"{sums['pages']} pages compared, {sums['pages_changed']} of them changed: "
        f"{sums['same_lines']} lines as before, {sums['changed_lines']} changed, "
        f"{sums['new_lines']} new, {sums['gone_lines']} gone; "
        f"{sums['changed_words']} words changed"
    )
    for what, pages in (("More", changes.surer), ("Less", changes.less_sure)):
        if pages:
            yield f"{what} certain: page{'s' * (len(pages) > 1)} {', '.join(map(str, pages))}"
    if sums["corrected_lines"]:
        yield f"{sums['corrected_lines']} of these lines were corrected by people: their exports stay as they are"


def _page(page: PageChanges) -> Iterator[str]:
    if page.problem:
        yield f"Page {page.number}: not compared: {printable(page.problem)}"
        return
    sure = f", confidence {_change(page.confidence_before, page.confidence_after)}" if page.gain is not None else ""
    yield f"Page {page.number}: {page.before} → {page.after}{sure}, {page.same} lines as before"
    for line in page.lines:
        yield f"  {_line(line)}"


def _line(line: LineChange) -> str:
    text = "".join(_MARKS[part.kind].format(printable(part.text)) for part in line.parts)
    sure = f" ({_change(line.confidence_before, line.confidence_after)})" if line.confidence_after is not None else ""
    return f"{line.line + ': ' if line.line else ''}{text}{sure}{' corrected by a person' if line.corrected else ''}"


def _change(before: float | None, after: float | None) -> str:
    return f"{percent(before) or 'none'} → {percent(after) or 'none'}"
