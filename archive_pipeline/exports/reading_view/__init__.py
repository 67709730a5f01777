"""``view/index.html``: the document for reading in a browser, from a folder or over http, without a network.

One static page per page, which is complete without JavaScript: the page image with the lines laid over it, the text
beside it. Scripts add search, filter and keys. Nothing is inline, so the strictest Content-Security-Policy may stand.

- ``texts.py``: what is said, for translation; ``page_view.py``: what is shown of a page
- ``links.py``: to the files of other formats; ``search_index.py``: the text for the search
- ``templating.py``, ``templates/``, ``assets/``: HTML, and what is copied as it is
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from statistics import fmean
from typing import Any, get_args

from archive_pipeline.durable import atomic_write, write_bytes
from archive_pipeline.exports.base import ExportDocument, Files, language_tag
from archive_pipeline.exports.reading_view import page_view, texts
from archive_pipeline.exports.reading_view.links import Links
from archive_pipeline.exports.reading_view.page_view import PageRow
from archive_pipeline.exports.reading_view.scripts import call
from archive_pipeline.exports.reading_view.search_index import SearchIndex
from archive_pipeline.exports.reading_view.templating import environment
from archive_pipeline.page import Page, PageStatus, Step, clean_text
from archive_pipeline.rendering.model import PageImage

FOLDER = "view"


def write(document: ExportDocument, folder: Path, files: Files) -> Iterator[Path]:
    """Write the pages, the search index, what they share, and the document's own page."""
    view = folder / FOLDER
    links, index = Links(folder, files), SearchIndex(view)
    rows: list[PageRow] = []
    steps: dict[str, Step] = {}
    template = environment().get_template("page.html")
    shared = {"document": _document(document), "total": len(document.pages)}
    for position, (before, (page, image), after) in enumerate(_with_neighbours(document), 1):
        shown = page_view.page_view(page)
        row = PageRow.of(page, shown)
        rows.append(row)
        for step in page.steps:
            steps.setdefault(step.model_dump_json(), step)
        html = template.render(
            shared,
            page=page,
            row=row,
            regions=shown.regions,
            # Empty is "unknown".
            language=language_tag(page) or "",
            image=links.image(image),
            links=links.page(row.name, position),
            before=before and f"{before:04d}.html",
            after=after and f"{after:04d}.html",
        )
        path = view / f"{row.name}.html"
        write_bytes(path, html.encode())
        yield path
        yield from index.add(page.number, row.name, shown)
    yield from index.finish()
    yield from _assets(view)
    yield _write_document(
        view / "index.html",
        shared,
        rows=rows,
        steps=steps.values(),
        notes=[clean_text(note) for note in document.notes],
        links=links.document,
        search_pieces=index.pieces,
    )


def _write_document(path: Path, shared: dict[str, Any], *, rows: list[PageRow], **values: Any) -> Path:
    sure = [row.confidence for row in rows if row.confidence is not None]
    statuses = [(status, n) for status in get_args(PageStatus) if (n := sum(row.status == status for row in rows))]
    template = environment().get_template("document.html")
    with atomic_write(path) as file:
        for piece in template.generate(
            shared, rows=rows, statuses=statuses, confidence=fmean(sure) if sure else None, **values
        ):
            file.write(piece.encode())
    return path


def _document(document: ExportDocument) -> dict[str, str | None]:
    return {
        "title": clean_text(document.title).strip() or document.key,
        "key": document.key,
        "digest": document.source_digest,
        "date": document.date,
    }


def _with_neighbours(
    document: ExportDocument,
) -> Iterator[tuple[int | None, tuple[Page, PageImage | None], int | None]]:
    """Every page with its image's record, and the numbers of the pages before and after it."""
    pages = zip(document.pages, document.images, strict=True)
    before, current = None, next(pages, None)
    while current is not None:
        following = next(pages, None)
        yield before, current, following[0].number if following else None
        before, current = current[0].number, following


def _assets(view: Path) -> Iterator[Path]:
    path = view / "assets" / "texts.js"
    write_bytes(path, call("setTexts", texts.script_texts()))
    yield path
    for asset in sorted(resources.files(__name__).joinpath("assets").iterdir(), key=lambda entry: entry.name):
        path = view / "assets" / asset.name
        write_bytes(path, asset.read_bytes())
        yield path
