"""Fixity: whether what is stored of a document is still, bit for bit, what was stored.

Every derived file has a digest in a record of ours; what cannot be checked against one is at least read and parsed.
What is damaged and can be made again is set aside, so that the next run makes it; corrections never are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from archive_pipeline.durable import file_digest, read_json
from archive_pipeline.errors import ArchiveError, printable
from archive_pipeline.intake import discover, open_file
from archive_pipeline.intake.digests import hash_file
from archive_pipeline.processing.correction_layer import stored_corrections
from archive_pipeline.processing.inspection import Inspection, stored_inspection
from archive_pipeline.processing.stored_pages import StoredPage, stored_image
from archive_pipeline.store import DocumentFolder

Kind = Literal["image", "pages", "exports", "corrections", "source"]


@dataclass(frozen=True)
class Damage:
    """Something that is not as it was stored.

    Attributes:
        path: What is damaged.
        remedy: What to do, in a sentence.
        derived: Files that can be made again, and have to go for that.
    """

    kind: Kind
    path: Path
    what: str
    remedy: str
    derived: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.what}. {self.remedy}"


_GONE = "It was kept for `archive-pipeline diff` alone. Run this with --repair, which removes it."
_AGAIN = "Run the document again, or this with --repair and then the document."
_BACKUP = "Restore it from a backup: no machine can make it again."


def verify_document(
    folder: DocumentFolder, *, sources: bool = False, repair: bool = False, max_file_mb: int, max_pages: int
) -> list[Damage]:
    """All damage of one document.

    Args:
        repair: Remove what can be made again, so that the next run makes it; under the document's lock, for a run
            that came in between may have made it already.
        sources: Read the source, too, and compare it with what was hashed when it came in. Takes as long as the
            upload folder's disk does.

    Raises:
        DocumentBusy: Another process is writing this document.
    """
    with folder.lock():
        found = [*_images(folder), *_pages(folder), *_exports(folder), *_corrections(folder)]
        if sources:
            found += _source(folder, max_file_mb, max_pages)
        if repair:
            for path in (path for damage in found for path in damage.derived):
                path.unlink(missing_ok=True)
        return found


def _numbers(folder: Path) -> list[int]:
    return sorted({int(path.stem) for path in folder.glob("*.json") if path.stem.isdigit()})


def _images(folder: DocumentFolder) -> Iterator[Damage]:
    for number in _numbers(folder.images):
        record = folder.image_record(number)
        try:
            image = stored_image(folder, number)
            if image is None:
                yield Damage(
                    "image", record, "its page image is missing, or the record is of another version", _AGAIN, (record,)
                )
            elif file_digest(folder.images / image.file) != image.sha256:
                path = folder.images / image.file
                yield Damage("image", path, "it does not have the digest that was stored", _AGAIN, (record,))
        except ArchiveError as error:
            yield Damage("image", record, error.what, _AGAIN, (record,))


def _pages(folder: DocumentFolder) -> Iterator[Damage]:
    for place in ("layouts", "transcriptions", "earlier", "failures"):
        for number in _numbers(folder.root / place):
            path = folder.root / place / f"{number:04d}.json"
            try:
                data = read_json(path)
                if place != "failures":
                    StoredPage.model_validate(data)
            except (ArchiveError, ValueError) as error:
                what = error.what if isinstance(error, ArchiveError) else "it is no page"
                # A reading of before is made again by nobody, and missed by nothing but a comparison.
                yield Damage("pages", path, what, _AGAIN if place != "earlier" else _GONE, (path,))


def _exports(folder: DocumentFolder) -> Iterator[Damage]:
    if not folder.exports_record.exists():
        return  # none, or not finished: the next run makes them
    manifest = folder.exports / "manifest.json"
    try:
        listed: dict[str, Any] = read_json(manifest)["formats"]
        files = [file for each in listed.values() for file in each]
    except (ArchiveError, KeyError, TypeError):
        yield Damage("exports", manifest, "it is missing or damaged", _AGAIN, (folder.exports_record,))
        return
    for file in files:
        path = folder.exports / file["path"]
        try:
            if file_digest(path) != file["sha256"]:
                yield Damage(
                    "exports", path, "it does not have the digest in manifest.json", _AGAIN, (folder.exports_record,)
                )
        except ArchiveError as error:
            yield Damage("exports", path, error.what, _AGAIN, (folder.exports_record,))


def _corrections(folder: DocumentFolder) -> Iterator[Damage]:
    for number in _numbers(folder.root / "corrections"):
        try:
            stored_corrections(folder, number)
        except ArchiveError as error:
            yield Damage("corrections", folder.correction(number), error.what, _BACKUP)


def _source(folder: DocumentFolder, max_file_mb: int, max_pages: int) -> Iterator[Damage]:
    inspection = stored_inspection(folder)
    record = read_json(folder.source) or {}
    if inspection is None or "origin" not in record:
        return  # never looked at
    path = Path(record["origin"])
    try:
        source = discover(path, max_file_mb=max_file_mb, max_pages=max_pages)
        for number, file in enumerate(source.files):
            known = _known(inspection, file)
            if known is None:
                continue  # changed in the open: the next run reads it anew
            with open_file(source, number) as opened:
                if hash_file(opened, file) != known:
                    what = "its size and time are those of then, but not its bytes"
                    yield Damage("source", file, what, "Compare it with the original or a backup before any run.")
    except ArchiveError as error:
        yield Damage("source", path, error.what, error.remedy)


def _known(inspection: Inspection, file: Path) -> str | None:
    """Digest of a source file, as long as its size and time are those of then."""
    status = file.stat()
    for each in inspection.files:
        if (each.name, each.size, each.mtime_ns) == (file.name, status.st_size, status.st_mtime_ns):
            return each.sha256
    return None
