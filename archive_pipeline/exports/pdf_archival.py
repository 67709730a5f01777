"""Writing a PDF as PDF/A-2b with its provenance, or, where that cannot be, as an ordinary PDF that says why not.

Scripts and private data are removed from either; nothing that a reader would miss is. The same input gives the same
bytes: dates are the source's, and the file's id is made from its content.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pikepdf
from pikepdf import pdfa, sanitize

from archive_pipeline import __version__
from archive_pipeline.errors import printable
from archive_pipeline.exports.base import utc
from archive_pipeline.exports.pdf_private_data import remove_private_data
from archive_pipeline.exports.pdf_report import PdfMetadata, PdfReport
from archive_pipeline.page import Step, clean_text

PRODUCER = f"archive-pipeline {__version__}"
_FLAVOUR = "2b"


def save(pdf: pikepdf.Pdf, target: Path, metadata: PdfMetadata, notes: Iterable[str] = ()) -> PdfReport:
    """Write the PDF.

    Args:
        pdf: With its text; it is changed further.
        target: Written anew; a file that is there is replaced.
        metadata: What it says of itself.
        notes: To be reported.
    """
    sanitize.remove_javascript(pdf)
    remove_private_data(pdf)
    _describe(pdf, metadata)
    reason = ""
    try:
        pdfa.prepare(pdf, _FLAVOUR)
        _sign(pdf, metadata)
        # Validated as written: what is reported is the file, not a hope.
        pdfa.save(pdf, target, _FLAVOUR, repair=False, deterministic_id=True)
    except pdfa.PdfaError as error:
        reason = _reason(error.report)
    except (pikepdf.PdfError, ValueError, TypeError, KeyError) as error:
        reason = f"it could not be made ready for PDF/A: {printable(error)}"
    if reason:
        _disown(pdf)
        _sign(pdf, metadata)
        pdf.save(
            target,
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            stream_decode_level=pikepdf.StreamDecodeLevel.generalized,
        )
    return PdfReport(pages=len(pdf.pages), pdfa=not reason, reason=reason, notes=tuple(notes))


def _contributor(step: Step) -> str:
    model = f", model {step.model}" if step.model else ""
    digest = f", SHA-256 {step.model_digest}" if step.model_digest else ""
    return clean_text(f"{step.task}: {step.engine} {step.version}{model}{digest}")


def _describe(pdf: pikepdf.Pdf, metadata: PdfMetadata) -> None:
    with pdf.open_metadata(set_pikepdf_as_editor=False) as xmp:
        if not str(xmp.get("dc:title") or "").strip():
            xmp["dc:title"] = clean_text(metadata.title) or "untitled"
        # PDF/A allows a structured history, but no checker approves one.
        ours = [PRODUCER, *dict.fromkeys(map(_contributor, metadata.steps))]
        given = xmp.get("dc:contributor")
        others = sorted(set(given) - set(ours)) if isinstance(given, set | list) else []
        # pikepdf writes an rdf:Bag in the order of the list; a set has another order in each process.
        xmp["dc:contributor"] = [*others, *ours]
        xmp["dc:source"] = f"sha256:{metadata.source_digest}"


def _sign(pdf: pikepdf.Pdf, metadata: PdfMetadata) -> None:
    """Set what pikepdf sets to itself and to the present time."""
    date = utc(metadata.date)
    with pdf.open_metadata(set_pikepdf_as_editor=False) as xmp:
        xmp["pdf:Producer"] = PRODUCER
        for name in ("xmp:MetadataDate", "xmp:ModifyDate"):
            if date:
                xmp[name] = date
            elif name in xmp:
                del xmp[name]
    if not date and "/ModDate" in pdf.docinfo:
        del pdf.docinfo["/ModDate"]


def _disown(pdf: pikepdf.Pdf) -> None:
    """Take back the claim to be PDF/A."""
    with pdf.open_metadata(set_pikepdf_as_editor=False) as xmp:
        for name in ("pdfaid:part", "pdfaid:conformance", "pdfaid:amd", "pdfaid:rev"):
            if name in xmp:
                del xmp[name]


def _reason(report: pdfa.Report) -> str:
    """The first finding in words, and how many more there are."""
    first = (report.violations or report.unsupported)[0]
    more = len(report.findings) - 1
    return printable(f"{first.message} ({first.where})" + (f", and {more} more" if more else ""))
