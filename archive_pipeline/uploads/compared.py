"""What was seen of a folder that people drop things into, compared with what was known of it.

The same for scans and for ground truth: what is new or changed waits until it is quiet, what was asked for counts as
taken once the asking was heard, and what was refused is tried again when it changes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from archive_pipeline.uploads.folder import Seen
from archive_pipeline.uploads.register import Upload


def confirm(known: dict[str, Upload], heard: str | None, launched: Collection[tuple[str, str]], now: float) -> None:
    """Take what was asked for to be taken if the asking was heard, and have it asked for again if not.

    Args:
        heard: The token of the last look whose result was heard.
        launched: Tokens and keys of which a run is known though the look was not heard.
    """
    for path, upload in known.items():
        if upload.state == "asked":
            was_heard = upload.token == heard or (upload.token, upload.key) in launched
            # Not heard: it is still quiet, so it is asked for again at once.
            known[path] = upload.accepted("taken", now) if was_heard else replace(upload, state="waiting")


def note_gone(known: dict[str, Upload], seen: Collection[str], now: float) -> list[str]:
    """Note what is not there any more; its paths."""
    gone = [path for path, upload in known.items() if path not in seen and upload.state != "gone"]
    for path in gone:
        # What was refused, or waited, is not taken for done when it comes back.
        version = known[path].version if known[path].state == "taken" else ""
        known[path] = replace(known[path].accepted("gone", now), version=version)
    return gone


def compared(upload: Upload | None, seen: Seen, now: float) -> Upload:
    """What is known of a path now that it was seen."""
    if upload is None or upload.state == "gone":
        first = now if upload is None else upload.first_seen
        same = upload is not None and _outside(upload) == _outside(seen) and upload.key != ""
        if upload is not None and same:  # it was away for a while, as after a volume was not mounted
            return upload.accepted("taken", now)
        key = upload.key if upload else ""
        fresh = Upload(seen.path, seen.version, seen.identity, "waiting", first, now, key, settings=seen.settings)
        return fresh if seen.problem is None else fresh.refused(seen.problem, now)
    if _outside(upload) != _outside(seen):
        changed = replace(upload, version=seen.version, identity=seen.identity, settings=seen.settings)
        changed = changed.accepted("waiting", now)
        return changed if seen.problem is None else changed.refused(seen.problem, now)
    if upload.since > now:  # the clock was put back
        return replace(upload, since=now)
    return upload if upload.identity == seen.identity else replace(upload, identity=seen.identity)


def _outside(each: Upload | Seen) -> tuple[str, str]:
    """What must not change for an upload to be the same, and to be read in the same way."""
    return each.version, each.settings
