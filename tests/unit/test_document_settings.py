"""archive.yaml: what one may say, and which of them hold for a document."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_pipeline.errors import BadSettings
from archive_pipeline.intake import discover, documents_below, fingerprint, read_settings_file, settings_files
from archive_pipeline.intake.settings_files import MAX_BYTES
from archive_pipeline.languages import normalise_language
from archive_pipeline.processing import settings_child
from archive_pipeline.processing.document_settings import Wishes, parse_settings


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("de", "de"),
        ("deu", "de"),
        ("GER", "de"),
        ("fr-ca", "fr-CA"),
        ("de-latf-at-1901", "de-Latf-AT-1901"),
        ("gsw", "gsw"),
        ("no", "no"),
        ("mul", "mul"),
        (" la ", "la"),
    ],
)
def test_a_language_becomes_its_tag_however_it_is_written(written: str, tag: str) -> None:
    assert normalise_language(written) == tag
    assert normalise_language(tag) == tag


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("xx", "no language"),
        ("German", "such as de"),
        ("iw", "he"),
        ("sem", "family"),
        ("", "such as"),
        ("d\u0435", "a tag"),
    ],
)
def test_what_is_no_language_is_refused_with_the_reason(written: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        normalise_language(written)


def test_a_settings_file_is_read_with_its_lines() -> None:
    read = parse_settings("\ufeff# Box 7\nlanguage: deu\n\nhand: 'Notar  Müller '\ndirection:\n".encode())
    assert read.wishes == Wishes(language="de", hand="Notar Müller")
    assert read.lines == {"language": 2, "hand": 4, "direction": 5}


@pytest.mark.parametrize("data", [b"", b"# language: de\n", b"---\n", "language: no\n".encode("utf-16")])
def test_empty_files_say_nothing_and_norwegian_is_not_false(data: bytes) -> None:
    assert parse_settings(data).wishes == Wishes(language="no" if data[:2] == b"\xff\xfe" else None)


@pytest.mark.parametrize(
    ("data", "where", "what", "remedy"),
    [
        (b"language: de\nlangauge: de", "line 2", "no field 'langauge'", "Did you mean language?"),
        (b"colour: red", "line 1", "no field 'colour'", "There are engine, segmentation_model"),
        (b"\nlanguage: xx", "line 2", "language cannot be 'xx'", "choosing.md"),
        (b"direction: up", "line 1", "direction cannot be 'up'", "choosing.md"),
        (b"model: a\nmodel: b", "line 2", "model is there twice", "choosing.md"),
        (b"hand: " + b"x" * 300, "line 1", "more than 200 characters", "choosing.md"),
        (b"language: de: fr", "line 1", "no YAML", "choosing.md"),
        (b"a: &a x\nb: *a", "line 1", "anchors and aliases", "Write the value out"),
        (b"hand: !!python/object/apply:os.system [x]", "line 1", "tags", "plain value"),
        (b"model:\n  - a\n  - b", "line 2", "lists and nested values", "one name: value"),
        (b"- a", "line 1", "lists and nested values", "one name: value"),
        (b"[" * 16_000, "line 1", "lists and nested values", "one name: value"),
        (b"hello", "line 1", "no fields", "language: de"),
        (b"---\nmodel: a\n---\nmodel: b", "line 3", "no YAML", "choosing.md"),
        (b"hand: caf\xe9", "", "UTF-8", "Save it as UTF-8"),
        (b"\x00\x01", "", "UTF-8", "Save it as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_obeyed_says_where_what_and_what_to_do(
    data: bytes, where: str, what: str, remedy: str
) -> None:
    with pytest.raises(BadSettings) as caught:
        parse_settings(data)
    assert caught.value.what.startswith(where)
    assert what in caught.value.what
    assert remedy in caught.value.remedy


@settings(max_examples=100)
@given(st.binary(max_size=200) | st.text("ab:-#&*!|>[]{}'\"\n \t?%@`,~<", max_size=60).map(str.encode))
def test_no_file_does_worse_than_being_refused(data: bytes) -> None:
    with suppress(BadSettings):
        assert parse_settings(data).lines.keys() <= Wishes.model_fields.keys()


def test_the_child_gives_settings_as_json_that_the_parent_can_check(tmp_path: Path) -> None:
    answer = settings_child.handle({"data": "hand: M\xc3\xbcller"}, [], tmp_path)
    assert answer["wishes"]["hand"] == "Müller"


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    for name in ("letter.pdf", "box/a.pdf", "box/b/1.tif", "box/b/2.tif"):
        path = tmp_path / "uploads" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path / "uploads"


def put(folder: Path, *names: str, text: str = "language: de\n") -> None:
    for name in names:
        (folder / name).write_text(text)


def found(document: Path, uploads: Path) -> list[str]:
    return [path.relative_to(uploads).as_posix() for path in settings_files(document, uploads)]


def test_the_nearest_settings_file_comes_first_and_none_above_the_uploads_counts(uploads: Path) -> None:
    put(uploads, "archive.yaml", "../archive.yaml", "box/archive.yaml", "box/a.pdf.archive.yaml", "box/b/archive.yaml")
    assert found(uploads / "box/a.pdf", uploads) == ["box/a.pdf.archive.yaml", "box/archive.yaml", "archive.yaml"]
    assert found(uploads / "box/b", uploads) == ["box/b/archive.yaml", "box/archive.yaml", "archive.yaml"]
    assert found(uploads / "letter.pdf", uploads) == ["archive.yaml"]
    assert found(uploads, uploads) == ["archive.yaml"]


def test_outside_of_the_uploads_only_the_own_folder_counts(uploads: Path, tmp_path: Path) -> None:
    put(uploads, "archive.yaml", "box/archive.yaml", "box/b/archive.yaml")
    for elsewhere in (tmp_path / "elsewhere", None):
        assert settings_files(uploads / "box/a.pdf", elsewhere) == (uploads / "box/archive.yaml",)
        own = (uploads / "box/b/archive.yaml", uploads / "box/archive.yaml")
        assert settings_files(uploads / "box/b", elsewhere) == own


def test_a_document_whose_name_leaves_no_room_for_a_sidecar_has_none(uploads: Path) -> None:
    path = uploads / ("x" * 250)
    path.write_bytes(b"x")
    assert settings_files(path, uploads) == ()


def test_settings_files_that_would_mislead_are_refused(uploads: Path) -> None:
    (uploads / "archive.yml").write_text("language: de")
    with pytest.raises(BadSettings, match=r"archive\.yml: under this name it is not looked at") as caught:
        settings_files(uploads / "letter.pdf", uploads)
    assert caught.value.remedy == "Rename it to archive.yaml."
    (uploads / "archive.yml").unlink()
    (uploads / "box/archive.yaml").symlink_to("/etc/passwd")
    with pytest.raises(BadSettings, match=r"box/archive\.yaml: it is a link"):
        settings_files(uploads / "box/a.pdf", uploads)
    assert settings_files(uploads / "letter.pdf", uploads) == ()
    os.mkfifo(uploads / "archive.yaml")
    with pytest.raises(BadSettings, match="no regular file"):
        settings_files(uploads / "letter.pdf", uploads)


def test_a_settings_file_is_read_up_to_its_limit_and_no_link_is_followed(uploads: Path) -> None:
    file = uploads / "archive.yaml"
    file.write_bytes(b"#" * MAX_BYTES)
    assert len(read_settings_file(file, uploads)) == MAX_BYTES
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(BadSettings, match=r"archive\.yaml: it is larger than the 16 kB"):
        read_settings_file(file, uploads)
    file.unlink()
    file.symlink_to("/etc/passwd")  # it has become one since it was found
    with pytest.raises(BadSettings, match="cannot be opened"):
        read_settings_file(file, uploads)


def test_a_settings_file_is_no_document_no_page_and_nothing_to_report(uploads: Path) -> None:
    before = list(documents_below(uploads))
    put(uploads, "archive.yaml", "letter.pdf.archive.yaml", "box/b/archive.yaml", "box/b/1.tif.archive.yaml")
    assert list(documents_below(uploads)) == before
    source = discover(uploads / "box/b", max_file_mb=1, max_pages=9)
    assert [file.name for file in source.files] == ["1.tif", "2.tif"]
    # Settings of one page would be passed over in silence, so they are named.
    (ignored,) = source.ignored
    assert ignored.startswith("1.tif.archive.yaml: settings of one page")


def test_a_changed_settings_file_is_another_version_of_its_documents(uploads: Path) -> None:
    source = discover(uploads / "box/a.pdf", max_file_mb=1, max_pages=9)

    def version() -> str:
        return fingerprint(source, settings_files(source.path, uploads))

    bare = version()
    assert bare == fingerprint(source)
    put(uploads, "archive.yaml")
    first = version()
    put(uploads, "archive.yaml", text="language: fr, but longer\n")
    second = version()
    put(uploads, "letter.pdf.archive.yaml")  # another document's
    assert version() == second
    (uploads / "archive.yaml").unlink()
    assert version() == bare
    assert len({bare, first, second}) == 3
