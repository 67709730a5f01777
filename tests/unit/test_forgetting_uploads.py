"""What forgetting a document does in the upload folder."""

from pathlib import Path

import pytest

from archive_pipeline.durable import write_bytes
from archive_pipeline.errors import DamagedFile, UnsafeName
from archive_pipeline.keeping import forgetting
from archive_pipeline.store import Store
from archive_pipeline.uploads.notes import write_note
from archive_pipeline.uploads.register import Upload, UploadRegister


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    return tmp_path / "uploads"


def registered(uploads: Path, name: str) -> forgetting.Forgotten:
    write_bytes(uploads / name, b"a scan")
    store = Store(uploads.parent / "store")
    return forgetting.look_up(store, uploads, store.register(uploads / name, uploads))


def refuse(uploads: Path, name: str) -> None:
    write_note(uploads, Upload(name, "1", "1:1", "taken", 1.0, 1.0).refused(DamagedFile("it is torn"), 1.0))


@pytest.mark.parametrize("name", ["a.pdf", f"{'x' * 245}.pdf"], ids=["short", "long"])
@pytest.mark.parametrize("by_hand", [False, True], ids=["with-the-scan", "scan-removed-by-hand"])
def test_the_note_of_a_refusal_goes_as_well(uploads: Path, name: str, by_hand: bool) -> None:
    document = registered(uploads, name)
    refuse(uploads, name)
    if by_hand:
        (uploads / name).unlink()
    forgetting.forget_source(document, uploads)
    assert list(uploads.iterdir()) == []


def test_a_persons_own_file_of_a_notes_name_stays(uploads: Path) -> None:
    document = registered(uploads, "a.pdf")
    write_bytes(uploads / "a.pdf.refused.txt", b"my own words")
    forgetting.forget_source(document, uploads)
    assert [path.name for path in uploads.iterdir()] == ["a.pdf.refused.txt"]


def test_a_document_is_named_by_its_key_or_else_by_its_path(uploads: Path) -> None:
    document = registered(uploads, "Lettres/\u00c9t\u00e9.pdf")
    store = Store(uploads.parent / "store")
    register = UploadRegister(store.root)
    register.write([Upload("Lettres/\u00c9t\u00e9.pdf", "1", "1:1", "taken", 1.0, 1.0, key=document.key)])
    assert forgetting.key_of(store, "Lettres/\u00c9t\u00e9.pdf") == document.key
    assert forgetting.key_of(store, document.key) == document.key
    # Another file lies where a moved document once lay: the key is the document's that has it.
    registered(uploads, "a.pdf")
    register.write([Upload("a.pdf", "1", "1:2", "taken", 1.0, 1.0, key="a.pdf-another")])
    assert forgetting.key_of(store, "a.pdf") == "a.pdf"
    with pytest.raises(UnsafeName):
        forgetting.key_of(store, "Nothing/Here.pdf")
