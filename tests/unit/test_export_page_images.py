"""Page images in the exports: the store's own files under a second name."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from archive_pipeline.durable import write_bytes
from archive_pipeline.errors import StorageError
from archive_pipeline.exports import page_images
from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.page import Page
from archive_pipeline.rendering.model import PageImage


@pytest.fixture
def document(tmp_path: Path) -> ExportDocument:
    """Two pages, of which the second has no image."""
    write_bytes(tmp_path / "store" / "0001.jpg", b"first")
    image = PageImage(number=1, file="0001.jpg", sha256="", width=1, height=1, method="image-file")
    pages = [Page(number=number, width=1, height=1) for number in (1, 2)]
    return ExportDocument("k", "t", "0" * 64, None, pages, [image, None], tmp_path / "store")


def test_an_image_is_linked_once_and_anew_when_it_is_replaced(document: ExportDocument, tmp_path: Path) -> None:
    source, folder = document.image_folder / "0001.jpg", tmp_path / "exports"
    (target,) = page_images.write(document, folder)
    assert target == folder / "images" / "0001.jpg"
    assert target.samefile(source)
    before = target.stat().st_ctime_ns
    list(page_images.write(document, folder))
    assert target.stat().st_ctime_ns == before
    write_bytes(source, b"second")
    assert target.read_bytes() == b"first"
    list(page_images.write(document, folder))
    assert target.samefile(source)
    assert [path.name for path in target.parent.iterdir()] == ["0001.jpg"]


def test_where_files_cannot_be_linked_they_are_copied(
    document: ExportDocument, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> NoReturn:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", no_links)
    (target,) = page_images.write(document, tmp_path / "exports")
    assert target.read_bytes() == b"first"
    assert not target.samefile(document.image_folder / "0001.jpg")


def test_an_image_that_is_gone_is_named(document: ExportDocument, tmp_path: Path) -> None:
    (document.image_folder / "0001.jpg").unlink()
    with pytest.raises(StorageError, match=r"cannot read .*0001\.jpg: No such file"):
        list(page_images.write(document, tmp_path / "exports"))
