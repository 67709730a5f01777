"""Looking at one document, and at all that have changed since they were last looked at."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from archive_pipeline.checks import exported, pages
from archive_pipeline.checks.exported import Exports
from archive_pipeline.checks.findings import Examination, Examinations, Finding, examination
from archive_pipeline.durable import read_json
from archive_pipeline.errors import ArchiveError, DocumentBusy, StorageError, printable
from archive_pipeline.processing.inspection import stored_inspection
from archive_pipeline.store import DocumentFolder, Store

_log = logging.getLogger(__name__)
_AT_ONCE = 100
LONGEST = 3600.0
"""Seconds of one round."""


def version_of(folder: DocumentFolder) -> str:
    """Changes with what is looked at; empty where nothing was done yet.

    Made of times alone, so that a hundred thousand are soon asked. The time of a folder is that of the last file that
    was put there or taken away, for files are written under another name and renamed.
    """
    ledger, made = _time(folder.ledger), _time(folder.exports_record)
    if not ledger and not made:
        return ""
    inside = ("images", "layouts", "transcriptions", "corrections", "exports", "exports/page", "exports/alto")
    times = [ledger, made, *(_time(folder.root / name) for name in inside)]
    return hashlib.blake2b(":".join(times).encode(), digest_size=8).hexdigest()


def _time(path: Path) -> str:
    try:
        return str(path.stat().st_mtime_ns)
    except OSError:
        return ""


def examine(folder: DocumentFolder, now: float | None = None) -> Examination:
    """Look at one document.

    Raises:
        DocumentBusy: Another process is writing it.
    """
    with folder.lock():
        version = version_of(folder)
        try:
            found, count, mean, compared = _look(folder)
        except (ArchiveError, KeyError, TypeError, ValueError, AttributeError) as error:
            # A record of ours that cannot be read: what it vouched for is not known any more.
            what = error.what if isinstance(error, ArchiveError) else f"a record of it is damaged ({error!r})"
            found, count, mean, compared = [Finding("nothing_lost", "loss", printable(what))], 0, None, 0
    when = time.time() if now is None else now
    return examination(folder.key, version, when, found, pages=count, confidence=mean, text_compared=compared)


def _look(folder: DocumentFolder) -> tuple[list[Finding], int, float | None, int]:
    """Findings, pages of the source, mean confidence, pages whose text in the PDF was compared."""
    inspection = stored_inspection(folder)
    ledger = read_json(folder.ledger)
    exports = Exports.of(folder)
    if ledger is None:
        gone = [Finding("pages_complete", "loss", "it has exports, but its ledger is gone")]
        return gone if exports else [], 0, None, 0  # without exports nothing was done yet
    rows = {int(row["page"]): row for row in ledger["pages"]}
    count = len(inspection.pages) if inspection else len(rows)
    if exports is not None and inspection is not None and exports.source != inspection.sha256:
        # Nothing is lost: what was read of the former scan is still there, whole.
        what = "its scan was replaced by one that was not taken; what was read of the former one is kept"
        return [Finding("pages_complete", "eye", what)], len(exports.pages), None, 0
    older = exports is not None and exported.are_older(folder)
    found = list(pages.complete(count, rows, finished=exports is not None and not older))
    sure = [row["confidence"] for row in rows.values() if row["confidence"] is not None]
    mean = fmean(sure) if sure else None
    found += pages.confidence(mean)
    for number, row in rows.items():
        found += pages.between_stages(folder, number, row)
    if exports is None:
        return found, count, mean, 0
    if older:
        # Not lost, only not taken over yet: to compare them would be to cry wolf.
        found.append(Finding("nothing_lost", "eye", "the exports are older than what was read or corrected since"))
        return found, count, mean, 0
    selected = set((read_json(folder.exports_record) or {}).get("selected") or range(1, count + 1))
    found += exported.page_counts(exports, count)
    for number in rows:
        found += exported.page_files(folder, exports, number, number in selected)
    found += exported.text_layer(exports)
    compared = sum(share is not None for share in exports.pdf.get("text_found") or ())
    return found, count, mean, compared


def changed(store: Store, table: Examinations) -> Iterator[DocumentFolder]:
    """Documents that are not as they were when they were last looked at, and were worked on at all."""
    known = table.versions()
    keys = store.keys()
    table.forget(sorted(known.keys() - set(keys)))
    for key in keys:
        folder = store.document(key)
        version = version_of(folder)
        if version and version != known.get(key):
            yield folder


def examine_changed(store: Store, table: Examinations, seconds: float = LONGEST) -> int:
    """Look at all documents that have changed; says how many. Documents that are being written wait for the next time.

    Args:
        seconds: After so many the rest waits for the next time, too: a store that was never looked at takes hours.

    Raises:
        StorageError: The table cannot be written.
    """
    waiting: list[Examination] = []
    count = 0
    until = time.monotonic() + seconds
    for folder in changed(store, table):
        if time.monotonic() >= until:
            _log.warning("%d documents were looked at; the others that have changed wait for the next time", count)
            break
        try:
            waiting.append(examine(folder))
        except DocumentBusy:
            continue
        except StorageError as error:
            _log.warning("%s", error.at(document=folder.key))
            continue
        count += 1
        if len(waiting) >= _AT_ONCE:
            table.write(waiting)
            waiting.clear()
    table.write(waiting)
    return count
