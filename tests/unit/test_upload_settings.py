"""Settings files beside uploads, as the sensor sees them."""

from pathlib import Path

import pytest
from upload_folder import Folder

from archive_pipeline.keys import DocumentKey


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_settings_are_no_uploads_and_their_change_has_all_that_they_hold_for_taken_again(folder: Folder) -> None:
    for name in ("a.pdf", "in/b.pdf", "in/c.pdf", "box/1.jpg"):
        folder.put(name)
    folder.settle()
    b, c = (str(folder.register.all()[path].key) for path in ("in/b.pdf", "in/c.pdf"))
    folder.put("in/archive.yaml", b"language: fr\n")
    assert folder.settle() == [b, c]
    folder.put("in/c.pdf.archive.yaml", b"language: de\n")
    assert folder.settle() == [c]
    folder.put("box/archive.yaml", b"language: nl\n")
    assert folder.settle() == ["box"]
    (folder.uploads / "in/archive.yaml").unlink()
    assert folder.settle() == [b, c]
    assert set(folder.states()) == {"a.pdf", "box", "in/b.pdf", "in/c.pdf"}


def test_settings_under_a_wrong_name_are_refused_with_all_below_until_they_are_renamed(folder: Folder) -> None:
    folder.put("in/a.pdf")
    wrong = folder.put("in/archive.yml", b"language: fr\n")
    assert folder.settle() == []
    refused = folder.register.all()["in/a.pdf"]
    assert (refused.state, refused.code) == ("refused", "BadSettings")
    assert "archive.yaml" in refused.remedy
    wrong.rename(wrong.with_suffix(".yaml"))
    assert folder.settle() == [str(DocumentKey.from_path(Path("in/a.pdf")))]


def test_a_file_that_is_moved_to_where_other_settings_hold_keeps_its_key_and_is_read_again(folder: Folder) -> None:
    folder.put("a.pdf")
    folder.put("in/archive.yaml", b"language: fr\n")
    folder.settle()
    (folder.uploads / "a.pdf").rename(folder.uploads / "in/a.pdf")
    assert folder.look().renamed == ["a.pdf"]
    assert [str(taken.key) for taken in folder.look(31).taken] == ["a.pdf"]
