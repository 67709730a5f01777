"""States of documents that were done before there were states, or whose table was lost: made again from their folders.

What only a run knows is left empty: the fingerprint of the source and what the results were made with. A night takes
such a document once more, finds everything unchanged, and writes the state in full.
"""

from __future__ import annotations

import logging
from statistics import fmean

from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.durable import read_json
from archive_pipeline.errors import ArchiveError
from archive_pipeline.page import DOUBTFUL
from archive_pipeline.processing.inspection import stored_inspection
from archive_pipeline.processing.settings_reader import stored_choices
from archive_pipeline.processing.stored_pages import stored_page
from archive_pipeline.store import DocumentFolder, Store

_log = logging.getLogger(__name__)


def state_of(folder: DocumentFolder) -> DocumentState | None:
    """How a document stands by what is stored of it; None if no run has come to an end.

    Raises:
        StorageError: A record of it is damaged.
    """
    ledger = read_json(folder.ledger)
    if ledger is None:
        return None
    rows = ledger["pages"]
    failed = [row for row in rows if row["status"] == "failed"]
    done = folder.exports_record.is_file()
    if not done and not failed:
        return None  # stopped, or not exported yet
    characters = 0
    for row in rows:
        stored = stored_page(folder.transcription(int(row["page"])))
        if stored is None:
            continue
        characters += sum(len(line.best_text) for line in stored.page.lines())
    sure = [row["confidence"] for row in rows if row["confidence"] is not None]
    record, inspection = stored_choices(folder), stored_inspection(folder)
    choices = record.choices if record else None
    report = read_json(folder.run_report) or {}
    return DocumentState(
        key=folder.key,
        standing="done" if done else "failed",
        fingerprint="",
        made_with="",
        sha256=inspection.sha256 if inspection else "",
        when=folder.ledger.stat().st_mtime,
        segmentation=choices.segmentation_model if choices else "",
        recognition=choices.model if choices else "",
        chosen_by=choices.chosen_by if choices else "",
        direction=(choices.direction if choices else None) or "",
        tries=0 if done else 1,
        code="" if done else "DocumentFailed",
        reason=""
        if done
        else f"{len(failed)} of {len(rows)} pages failed; page {failed[0]['page']}: {failed[0]['reason']}",
        pages=len(rows),
        failed_pages=len(failed),
        lines=sum(row["lines"] for row in rows),
        characters=characters,
        confidence=round(fmean(sure), 4) if sure else None,
        doubtful=sum(row["status"] == "failed" or (row["confidence"] or 1.0) < DOUBTFUL for row in rows),
        language=(choices.language if choices else None) or "",
        hand=(choices.hand if choices else None) or "",
        seconds=sum(float(page.get("total", 0)) for page in report.get("pages", {}).values()),
    )


def rebuild_states(store: Store, states: DocumentStates) -> int:
    """Write a state for every document that has none and was worked on; says for how many.

    States that are there stay as they are. A document whose records are damaged is named in the log and left out.

    Raises:
        StorageError: The states cannot be read or written.
    """
    known = states.all().keys()
    missing = [key for key in store.keys() if key not in known]  # noqa: SIM118 - no mapping
    count = 0
    for key in missing:
        try:
            state = state_of(store.document(key))
        except (ArchiveError, KeyError, TypeError) as error:
            _log.warning("%s: no state can be made of its folder: %s", key, error)
            continue
        if state is not None:
            states.write(state)
            count += 1
    return count
