"""What the exports cost: CPU time a page of each format beside that of the PDF, and memory over a thousand pages."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pikepdf

from archive_pipeline.bench.commands import Command, own_command, run_command
from archive_pipeline.durable import read_json, write_json
from archive_pipeline.errors import UsageError
from archive_pipeline.exports.formats import FORMATS, PDF
from archive_pipeline.processing.export_stage import export_stored
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.store import DocumentFolder, Store

_PEAK = """
import resource, sys
from pathlib import Path
from archive_pipeline.processing.export_stage import export_stored
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.store import DocumentFolder
export_stored(DocumentFolder(Path(sys.argv[1])), ProcessingOptions(formats=tuple(sys.argv[2].split(",")), reuse=False))
print(*(resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
"""


@dataclass(frozen=True)
class ExportsResult:
    """Medians over several runs.

    Attributes:
        pages: Of the document.
        seconds: CPU seconds a page, by format, each made alone with what it needs.
        together: CPU seconds a page of all formats with the PDF.
        memory: Pages of a short and of a long document, and the peaks of the process that makes all exports and of the
            child that makes the PDF, in megabytes.
    """

    pages: int
    seconds: dict[str, float]
    together: float
    memory: dict[int, tuple[float, float]]

    @property
    def beyond_pdf(self) -> float:
        return self.together - self.seconds[PDF]

    @property
    def memory_ratios(self) -> tuple[float, float]:
        """Of the long document to the short one, for each of the two processes."""
        short, long = (self.memory[pages] for pages in sorted(self.memory))
        return long[0] / short[0], long[1] / short[1]


def bench_exports(source: Path, runs: int = 3, long: int = 1000) -> ExportsResult:
    """Read a document once, then make each of its exports several times.

    Args:
        source: A scanned PDF.
        runs: Of each format.
        long: Pages of the long document, which is the short one over and over.

    Raises:
        UsageError: The document could not be read.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        work = Path(name)
        cost = run_command(Command(own_command(source, work / "out"), {"ARCHIVE_HOME": str(work / "home")}))
        if cost.status:
            raise UsageError(f"the run failed with status {cost.status}: {cost.stderr.strip()[-400:]}")
        store = Store(work / "home" / "store")
        folder = store.document(store.keys()[0])
        pages = len(read_json(folder.ledger)["pages"])
        seconds = {name: median(_cpu(folder, (name,)) for _ in range(runs)) / pages for name in FORMATS}
        together = median(_cpu(folder, tuple(FORMATS)) for _ in range(runs)) / pages
        memory = {}
        for count in (50, long):
            repeated = _repeated(folder, source, pages, count, work / str(count))
            memory[count] = _peak_mb(repeated)
        return ExportsResult(pages, seconds, together, memory)


def _cpu(folder: DocumentFolder, formats: Sequence[str]) -> float:
    def used() -> float:
        usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)

    before = used()
    export_stored(folder, ProcessingOptions(formats=tuple(formats), reuse=False))
    return used() - before


def _repeated(folder: DocumentFolder, source: Path, pages: int, count: int, root: Path) -> DocumentFolder:
    """A document of ``count`` pages as if it had been read: those of another one, over and over."""
    long = Store(root).document(folder.key)
    long.images.mkdir(parents=True)
    path = root / source.name
    with pikepdf.open(source) as one, pikepdf.new() as many:
        for index in range(count):
            many.pages.append(one.pages[index % pages])
        many.save(path)
    status, digest = path.stat(), hashlib.sha256(path.read_bytes()).hexdigest()
    inspection = read_json(folder.inspection)
    file = inspection["files"][0]
    file |= {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": digest}
    file["info"]["pages"] = count
    write_json(long.inspection, inspection | {"sha256": digest})
    write_json(long.source, {"origin": str(path), "key": long.key})
    for number in range(1, count + 1):
        of = (number - 1) % pages + 1
        image = read_json(folder.image_record(of))
        os.link(folder.images / image["file"], long.images / f"{number:04d}{Path(image['file']).suffix}")
        _put(long.image_record(number), image | {"number": number, "file": f"{number:04d}{Path(image['file']).suffix}"})
        for old, new in (
            (folder.layout(of), long.layout(number)),
            (folder.transcription(of), long.transcription(number)),
        ):
            stored = read_json(old)
            if stored is not None:
                stored["page"]["number"] = number
                _put(new, stored)
    return long


def _put(path: Path, data: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(data), "utf-8")


def _peak_mb(folder: DocumentFolder) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(folder.root), ",".join(FORMATS)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UsageError(f"the exports of {folder.root} failed: {done.stderr.strip()[-400:]}")
    own, child = map(float, done.stdout.split())
    return own, child
