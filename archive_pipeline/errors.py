"""Every error that a person may see, each with an exit code and a remedy.

::

    ArchiveError                     1
    ├── UsageError                   2   the command was called wrongly
    ├── DocumentRefused              3   this input cannot enter; all other documents go on
    │   ├── EmptyFile
    │   ├── UnsupportedType
    │   ├── DamagedFile
    │   ├── PasswordProtected
    │   ├── NoPages
    │   ├── TooLarge                     pixels, pages or bytes beyond a limit
    │   ├── NotReadable                  permission, or gone
    │   ├── BadTranscription             a PAGE or ALTO file that cannot be read as one
    │   ├── DuplicateDocument            another document has the same bytes
    │   ├── BadSettings                  an archive.yaml that cannot be obeyed
    │   ├── BadArchive                   a ZIP that is damaged, or that no honest program makes
    │   ├── BadGroundTruth               nothing in it that a model could be trained with
    │   └── UnsafeName                   a path that leads out of its folder
    ├── PageFailed                   4   one page; counted against the error budget of its document
    │   ├── PageTimeout
    │   └── ServerFailed                 the server that holds a model is away, or gave no answer that can be used
    ├── DocumentFailed               4   too many pages failed, or none could be read
    │   └── DocumentNotServed            … because of the server that holds a model: a night tries it again
    ├── StorageError                 5   the store, not the document
    │   └── NoSpaceLeft
    ├── ModelError                   6   a model is missing, damaged or of a kind that is not loaded
    │   └── ModelNotFetched              it is known, but not on this machine yet
    ├── DocumentBusy                 7   another process is writing this document
    ├── LaunchRefused                9   a container that no launch profile gives
    ├── ChildError                   8   a sealed child process died or broke its protocol
    │   └── ChildNotStarted              it never came up: the installation, not the document
    └── Stopped                    130   asked to stop; what was done is kept

A message says what happened, to which document and page, and what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class ArchiveError(Exception):
    """Base of all errors of this package.

    Args:
        what: What happened, in one sentence without a full stop.
        document: Key or path of the document, if one is concerned.
        page: Page number, counted from 1, if one page is concerned.
        remedy: What the reader can do next.
    """

    exit_code: ClassVar[int] = 1
    default_remedy: ClassVar[str] = ""

    def __init__(
        self, what: str, *, document: str | None = None, page: int | None = None, remedy: str | None = None
    ) -> None:
        self.what = what
        self.document = document
        self.page = page
        self.remedy = self.default_remedy if remedy is None else remedy
        super().__init__(what)

    def __str__(self) -> str:
        where = printable(self.document) if self.document else ""
        if self.page is not None:
            where = f"{where}, page {self.page}" if where else f"page {self.page}"
        sentence = f"{where}: {self.what}" if where else self.what
        sentence = sentence if sentence.endswith(".") else f"{sentence}."
        return f"{sentence} {self.remedy}".strip()

    @property
    def code(self) -> str:
        """The class name: stable, for machines, ledgers and the protocol of sealed children."""
        return type(self).__name__

    def at(self, *, document: str | None = None, page: int | None = None) -> ArchiveError:
        """Fill in where it happened, by a caller that knows more than the raiser."""
        self.document = self.document or document
        self.page = self.page if self.page is not None else page
        return self

    def to_dict(self) -> dict[str, str | int | None]:
        return {
            "code": self.code,
            "what": self.what,
            "document": self.document,
            "page": self.page,
            "remedy": self.remedy,
        }


class UsageError(ArchiveError):
    exit_code = 2


class DocumentRefused(ArchiveError):
    exit_code = 3


class EmptyFile(DocumentRefused):
    default_remedy = "Copy or scan the file again."


class UnsupportedType(DocumentRefused):
    default_remedy = "Give a PDF, TIFF, JPEG, PNG, JPEG 2000 or WebP file, or a folder of such images."


class DamagedFile(DocumentRefused):
    default_remedy = "Open it in a viewer; if it does not open there either, copy or scan it again."


class PasswordProtected(DocumentRefused):
    default_remedy = "Save a copy without the password and give that."


class NoPages(DocumentRefused):
    default_remedy = "Check that this is the right file."


class TooLarge(DocumentRefused):
    default_remedy = "Split or scale it down, or raise the limit in the settings."


class NotReadable(DocumentRefused):
    default_remedy = "Check that the file is still there and that its permissions let this user read it."


class BadTranscription(DocumentRefused):
    default_remedy = "Export it again as PAGE 2019 or ALTO 4 from the tool that made it."


class BadSettings(DocumentRefused):
    default_remedy = "Mend the file or delete it; see choosing.md."


class BadArchive(DocumentRefused):
    default_remedy = "Make the ZIP again, of the folder with the files themselves and without a password."


class BadGroundTruth(DocumentRefused):
    default_remedy = "Give PAGE or ALTO files with their page images, or line images with .gt.txt files."


class DuplicateDocument(DocumentRefused):
    default_remedy = (
        "Nothing is missing: find it under that name. "
        "Whoever runs the archive can have it made twice (duplicates: make)."
    )


class UnsafeName(DocumentRefused):
    default_remedy = "Give the document a path inside the upload folder."


class PageFailed(ArchiveError):
    exit_code = 4


class PageTimeout(PageFailed):
    default_remedy = "Raise ARCHIVE_PAGE_TIMEOUT if the page is worth the wait."


class ServerFailed(PageFailed):
    default_remedy = "Look at the server, then run it again."


class DocumentFailed(ArchiveError):
    exit_code = 4


class DocumentNotServed(DocumentFailed):
    pass


class StorageError(ArchiveError):
    exit_code = 5
    default_remedy = "Check that the folder exists and that this user may write to it."


class NoSpaceLeft(StorageError):
    default_remedy = "Free some space and run it again; finished pages are kept."


class ModelError(ArchiveError):
    exit_code = 6


class ModelNotFetched(ModelError):
    default_remedy = "Run archive-pipeline models fetch."


class DocumentBusy(ArchiveError):
    exit_code = 7
    default_remedy = "Wait until the other run has finished, then run this again."


class ChildError(ArchiveError):
    exit_code = 8


class ChildNotStarted(ChildError):
    default_remedy = "Run archive-pipeline doctor."


class Stopped(ArchiveError):
    exit_code = 130
    default_remedy = "Run it again to go on where it stopped."


def printable(text: object) -> str:
    """Make a name safe for logs and terminals: control characters and broken encodings are escaped."""
    return "".join(
        c if c.isprintable() and not 0xD800 <= ord(c) <= 0xDFFF else c.encode("unicode_escape").decode()
        for c in str(text)
    )


def by_code(code: str) -> type[ArchiveError]:
    """The class of that name, or ``ArchiveError`` for an unknown one."""
    found: list[type[ArchiveError]] = [ArchiveError]
    for cls in found:
        if cls.__name__ == code:
            return cls
        found.extend(cls.__subclasses__())
    return ArchiveError


def from_dict(data: dict[str, object]) -> ArchiveError:
    """The inverse of :meth:`ArchiveError.to_dict`; unknown fields and wrong types cannot hurt."""
    page, document, remedy = data.get("page"), data.get("document"), data.get("remedy")
    return by_code(str(data.get("code")))(
        str(data.get("what", "unknown error")),
        document=document if isinstance(document, str) else None,
        page=page if isinstance(page, int) else None,
        remedy=remedy if isinstance(remedy, str) else None,
    )


class LaunchRefused(ArchiveError):
    exit_code = 9
    default_remedy = (
        "Nothing was started. Start the run again from Dagster's UI; if it is refused again, see SECURITY.md."
    )
