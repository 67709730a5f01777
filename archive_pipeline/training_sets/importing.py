"""Taking ground truth into the store: read, looked over, stored; nothing of it is changed without a word."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive_pipeline.durable import atomic_write, file_digest, to_json, write_bytes
from archive_pipeline.errors import BadGroundTruth, ChildError, UsageError, printable
from archive_pipeline.page import Line, Page
from archive_pipeline.sealed import open_result
from archive_pipeline.training_sets.doctor.examination import Examination, TestPages
from archive_pipeline.training_sets.doctor.findings import Finding
from archive_pipeline.training_sets.reading import ReadOptions, ReadPage, reading
from archive_pipeline.training_sets.stored import PageEntry, TruthPage, TruthSet, TruthStore, set_digest

_MAX_IMAGE = 1 << 31


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes:
        truth: The set as it is stored now.
        changed: Whether anything was written: the same again changes nothing.
    """

    truth: TruthSet
    changed: bool


def import_truth(
    path: Path,
    name: str,
    store: TruthStore,
    options: ReadOptions,
    *,
    replace: bool = False,
    dropped: bool = False,
    test: TestPages | None = None,
    work: Path | None = None,
    told: Callable[[ReadPage], None] = lambda _: None,
) -> Imported:
    """Store a folder or ZIP of ground truth under a name.

    A page with an error of its own (no image, another size, twice, in the test set) is left out, with the reason in the
    set. A line with an error stays on its page, for what needs all lines, and is marked as not to be trained with.

    Args:
        replace: Let it take the place of another set of that name.
        dropped: It was dropped into the folder for ground truth, and takes the place of what was dropped there before.
        test: Pages that must not be in it.
        work: Folder for what is unpacked.
        told: Called with each page that was read.

    Raises:
        UsageError: The name is none, or belongs to another set.
        BadGroundTruth: Nothing in it can be trained with.
        DocumentRefused: It cannot be read.
        DocumentBusy: It is being imported by somebody else.
        NoSpaceLeft, StorageError: It cannot be written. The set that was there is there still.
    """
    with store.lock(name):
        before = store.load(name)
        with reading(path, options, work) as reader:
            doctor = Examination(hand=reader.hand, test=test or TestPages())
            entries: list[PageEntry] = []
            findings: list[Finding] = []
            left_out: dict[str, str] = {}
            for read in reader.pages():
                told(read)
                found = doctor.look_at(read)
                findings += found
                reason = next((each.what for each in found if each.leaves_out), None)
                if reason is None and (read.page is None or not any(_has_text(line) for line in read.page.lines())):
                    reason = "no line of it has text"
                if reason is not None:
                    left_out[read.file] = reason
                else:
                    entries.append(_store(store, name, read, found))
            findings += doctor.finish()
            hand = reader.hand
        _require_some(entries, left_out, path)
        pages = tuple(entries)
        made = TruthSet(
            name=name,
            hand=hand,
            digest=set_digest(hand, pages),
            origin=path.name,
            dropped=dropped,
            pages=pages,
            left_out=left_out,
            findings=tuple(findings),
        )
        if before is not None and before.digest == made.digest:
            store.clear(before)
            return Imported(before, changed=False)
        if before is not None and not (replace or (dropped and before.dropped)):
            store.clear(before)
            raise UsageError(
                f"there is other ground truth of the name {name} ({len(before.pages)} pages)",
                remedy="Give it another name, or --replace (in Dagster's UI: replace).",
            )
        store.write(made)
        return Imported(made, changed=True)


def _require_some(entries: Sequence[PageEntry], left_out: dict[str, str], path: Path) -> None:
    if entries:
        return
    why = "; ".join(f"{printable(file)}: {printable(reason)}" for file, reason in list(left_out.items())[:3])
    what = f"nothing in it can be trained with ({why})" if why else "it has no transcriptions"
    raise BadGroundTruth(what, document=str(path))


def _has_text(line: Line) -> bool:
    return bool(line.best_text.strip())


def as_truth(page: Page, image_sha256: str, dpi: float) -> Page:
    """A page with nothing but what people say of it: best text, no confidence, no words, no provenance of machines."""
    regions = tuple(
        region.model_copy(
            update={
                "lines": tuple(
                    line.model_copy(
                        update={"text": line.best_text, "correction": None, "confidence": None, "words": ()}
                    )
                    for line in region.lines
                )
            }
        )
        for region in page.regions
    )
    kept = {"regions": regions, "image_digest": image_sha256, "dpi": dpi, "steps": (), "status": "done", "reason": ""}
    return page.model_copy(update=kept | {"number": 1})


def _store(store: TruthStore, name: str, read: ReadPage, found: Sequence[Finding]) -> PageEntry:
    page, image = read.page, read.image
    assert page is not None and image is not None and read.image_path is not None  # noqa: S101, PT018 - else left out
    file = _store_image(store, name, read.image_path, image.sha256)
    truth = TruthPage(
        file=read.file,
        sha256=read.sha256,
        image=file,
        image_sha256=image.sha256,
        image_name=read.image_name,
        found_by=read.found_by,
        group=read.group,
        page=as_truth(page, image.sha256, image.dpi),
    )
    data = to_json(truth.model_dump(mode="json"))
    page_id = hashlib.sha256(data).hexdigest()
    path = store.page_path(name, page_id)
    if not path.is_file() or file_digest(path) != page_id:
        write_bytes(path, data)
    texts = [line.text for line in truth.page.lines() if _has_text(line)]
    skip = {each.index for each in found if each.severity == "error" and each.index is not None}
    return PageEntry(
        id=page_id,
        file=read.file,
        image=file,
        group=read.group,
        lines=len(texts),
        characters=sum(map(len, texts)),
        skip=tuple(sorted(skip)),
    )


def _store_image(store: TruthStore, name: str, made: Path, sha256: str) -> str:
    """Copy the page image out of the child's folder, then see whether it is what the child said."""
    suffix = made.suffix
    if suffix not in {".jpg", ".png"} or len(sha256) != 64 or not sha256.isalnum():
        raise ChildError("the child that reads ground truth made an image of an unknown kind")
    file = f"{sha256}{suffix}"
    target = store.image_path(name, file)
    if target.is_file() and file_digest(target) == sha256:
        return file
    with open_result(made.parent, made.name, max_bytes=_MAX_IMAGE) as source, atomic_write(target) as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
    if file_digest(target) != sha256:
        target.unlink(missing_ok=True)
        raise ChildError("the child that reads ground truth gave a wrong digest for an image")
    return file
