"""Fixity as an asset: how much of the archive was verified, when, and what is damaged."""

import time
from collections import Counter
from collections.abc import Iterator

import dagster as dg

from archive_pipeline.errors import ArchiveError, printable
from archive_pipeline.keeping.rounds import FixityBook, Verified
from assets.partitions import DOCUMENTS_POOL
from resources.archive import ArchiveResource

FIXITY = dg.AssetKey("fixity")
CHECK = "nothing_is_damaged"
_MOST_ROWS = 200
_DAY = 86_400.0
_COLUMNS = dg.TableSchema(
    columns=[dg.TableColumn(name, "string") for name in ("document", "kind", "file", "what", "what to do")]
)


@dg.asset(
    key=FIXITY,
    group_name="documents",
    pool=DOCUMENTS_POOL,
    description="Is everything that is stored still what was stored? A part of the documents every night, in turn.",
    check_specs=[
        dg.AssetCheckSpec(CHECK, asset=FIXITY, description="No file in the store differs from what was stored.")
    ],
)
def fixity(archive: ArchiveResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Verify the documents whose turn it is."""
    book, now = FixityBook(archive.store), time.time()
    try:
        keys = book.next_round(archive.rounds)
        verified = list(book.verify(keys, archive.rounds, now))
        everything = book.all()
    except ArchiveError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    damaged = [row for row in everything.values() if row.damages]
    metadata = _metadata(archive, everything, damaged, now) | {
        "verified now": len(verified),
        "passed over because they were being written": len(keys) - len(verified),
    }
    result = dg.AssetCheckResult(
        passed=not damaged,
        check_name=CHECK,
        asset_key=FIXITY,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"damaged documents": len(damaged), "damage": _table(damaged)},
    )
    return dg.MaterializeResult(metadata=metadata, check_results=[result])


def _metadata(
    archive: ArchiveResource, everything: dict[str, Verified], damaged: list[Verified], now: float
) -> dict[str, dg.MetadataValue | int | float | str]:
    total = len(archive.store.keys())
    # A new document has no turn yet; the oldest of the others says whether the rounds keep up.
    oldest = max((now - row.when for row in everything.values()), default=0.0)
    kinds = Counter(kind for row in damaged for kind, *_ in row.damages)
    return {
        "documents": total,
        "never verified yet": total - len(everything),
        "longest ago, in days": round(oldest / _DAY, 1),
        "damaged documents": len(damaged),
        "damaged files": ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none",
        "damage": _table(damaged),
    }


def _table(damaged: list[Verified]) -> dg.TableMetadataValue:
    rows = list(_rows(damaged))[:_MOST_ROWS]
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows], _COLUMNS)


def _rows(damaged: list[Verified]) -> Iterator[dict[str, str | int | float | bool]]:
    for row in sorted(damaged, key=lambda each: each.key):
        for kind, path, what, remedy in row.damages:
            yield {
                "document": row.key,
                "kind": kind,
                "file": printable(path),
                "what": printable(what),
                "what to do": printable(remedy),
            }
