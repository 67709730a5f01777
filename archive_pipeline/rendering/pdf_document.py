"""Opening a PDF, and keeping it open from page to page.

Two libraries look at the same file: pdfium counts, renders and reads text; pikepdf (qpdf) tells what a page is made
of. What pdfium cannot open, qpdf tries to repair. Where the two disagree on the number of pages, pdfium is right and
the structure is not used.
"""

from __future__ import annotations

import tempfile
from functools import cached_property
from typing import BinaryIO

import pikepdf
import pypdfium2
import pypdfium2.raw

from archive_pipeline.errors import DamagedFile, NoPages, PasswordProtected
from archive_pipeline.rendering.reader import Identity, identity, independent

# pdfium and qpdf both remember what they have parsed; after so many pages the document is opened anew.
_PAGES_BEFORE_REOPENING = 100


class OpenPdf:
    """An open PDF document.

    Attributes:
        pdfium: For rendering and text.
        pages: How many it has; at least one.
        damaged: It could be read only by guessing where its parts are. Known after :attr:`structure` was asked for.

    Raises:
        PasswordProtected, NoPages, DamagedFile: It cannot be opened.
    """

    def __init__(self, file: BinaryIO, name: str | None = None) -> None:
        self._name = name
        self._file = independent(file)
        self.damaged = False
        try:
            self.pdfium = self._open()
        except BaseException:
            self._file.close()
            raise
        self.pages = len(self.pdfium)
        if self.pdfium.get_formtype() != pypdfium2.raw.FORMTYPE_NONE:
            self.pdfium.init_forms()  # so that filled fields are rendered

    def _open(self) -> pypdfium2.PdfDocument:
        try:
            return pypdfium2.PdfDocument(self._file)
        except pypdfium2.PdfiumError:
            # Its error code may be that of an earlier document, so qpdf has to say what is wrong.
            self._repair()
        try:
            return pypdfium2.PdfDocument(self._file)
        except pypdfium2.PdfiumError:
            raise DamagedFile("the PDF is damaged beyond repair", document=self._name) from None

    def _repair(self) -> None:
        """Replace the file by qpdf's reconstruction of it, in the temporary folder."""
        try:
            with self._qpdf() as pdf:
                if len(pdf.pages) == 0:
                    raise NoPages("the PDF has no pages", document=self._name)
                repaired = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the document
                pdf.save(repaired, encryption=False)
        except pikepdf.PasswordError:
            raise PasswordProtected("it asks for a password", document=self._name) from None
        except (pikepdf.PdfError, ValueError, RuntimeError, RecursionError) as error:
            if "encrypt" in str(error).lower():
                what = "it is protected in a way that is not supported"
                raise PasswordProtected(what, document=self._name) from None
            raise DamagedFile("the PDF is damaged beyond repair", document=self._name) from error
        self._file.close()
        self._file = repaired
        self.damaged = True

    def _qpdf(self) -> pikepdf.Pdf:
        # Not mapped into memory: if somebody cuts the file meanwhile, reading fails and the process does not die.
        self._file.seek(0)
        return pikepdf.open(self._file, access_mode=pikepdf.AccessMode.stream, suppress_warnings=True)

    @cached_property
    def structure(self) -> pikepdf.Pdf | None:
        """The same document in qpdf's eyes; None where it sees another number of pages, or none."""
        try:
            pdf = self._qpdf()
        except (pikepdf.PdfError, pikepdf.PasswordError):
            return None
        if len(pdf.pages) == self.pages:
            # Asked once the page tree has been read: what was wrong so far.
            self.damaged = self.damaged or bool(pdf.get_warnings())
            return pdf
        pdf.close()
        return None

    def close(self) -> None:
        pdf = self.__dict__.pop("structure", None)
        if pdf is not None:
            pdf.close()
        self.pdfium.close()
        self._file.close()


class _Kept:
    """The document that was used last: pages of one document come one after another."""

    def __init__(self) -> None:
        self.key: Identity | None = None
        self.document: OpenPdf | None = None
        self.uses = 0

    def get(self, file: BinaryIO) -> OpenPdf:
        key = identity(file)
        if self.document is None or key is None or key != self.key or self.uses >= _PAGES_BEFORE_REOPENING:
            self.drop()
            self.document = OpenPdf(file)
            self.key = key
        self.uses += 1
        return self.document

    def drop(self) -> None:
        document, self.document, self.key, self.uses = self.document, None, None, 0
        if document is not None:
            document.close()


_kept = _Kept()


def open_kept(file: BinaryIO) -> OpenPdf:
    """The document of an open file, opened anew only if it is not the one of the last call. Do not close it.

    Raises:
        PasswordProtected, NoPages, DamagedFile: It cannot be opened.
    """
    return _kept.get(file)


def forget() -> None:
    """Close the document that was kept."""
    _kept.drop()
