"""The catalogue: every entry can be used, and an operator's own are read as strictly."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from archive_pipeline.errors import ModelError
from archive_pipeline.models.catalogue import own_entries, read_entries
from archive_pipeline.models.entry import Bundled, HuggingFace, ModelEntry, ModelFile, Served, Web, Zenodo
from archive_pipeline.models.inspection import check_name
from archive_pipeline.models.library import ModelLibrary

ENTRY = """
- id: ours
  task: recognition
  engine: kraken
  licence: CC-BY-4.0
  source: {kind: zenodo, doi: 10.5281/zenodo.1}
  files: [{name: ours.mlmodel}]
  good_for: our hands
"""


@pytest.mark.parametrize("entry", own_entries(), ids=lambda entry: entry.id)
def test_every_entry_is_well_formed(entry: ModelEntry) -> None:
    assert len(entry.id) <= 24, "a longer one makes the list hard to read"
    assert len(entry.good_for) <= 72
    assert entry.citation
    assert len(set(entry.languages)) == len(entry.languages)
    assert entry.scripts == tuple(sorted(entry.scripts))
    for file in entry.files:
        check_name(file.name)
    if entry.files:
        assert not entry.files[0].name.endswith(".json"), "the weights come first"
    if isinstance(entry.source, Web):
        assert entry.source.url.scheme == "https"
        assert entry.digest is not None, "a web server tells no digest: without one, anything could come first"
    # Nobody may take a licence for granted that nobody has seen, nor one that is not like others.
    if entry.licence == "NOASSERTION" or entry.licence.startswith("LicenseRef-"):
        assert entry.licence_note
    if isinstance(entry.source, Zenodo):
        assert f"doi:{entry.source.doi}" in entry.citation


def test_all_kinds_of_sources_are_in_the_catalogue_and_no_doi_twice() -> None:
    kinds = {type(entry.source) for entry in own_entries()}
    assert kinds == {Bundled, Zenodo, HuggingFace, Web, Served}
    records = [entry.source.doi for entry in own_entries() if isinstance(entry.source, Zenodo)]
    assert len(set(records)) == len(records)


def test_an_operator_adds_entries(tmp_path: Path) -> None:
    (tmp_path / "catalogue.yaml").write_text(ENTRY)
    entry = ModelLibrary(tmp_path).catalogue.find("ours", "recognition")
    assert (entry.good_for, entry.digest, entry.size) == ("our hands", None, None)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ours.mlmodel", "ours.ckpt", "can run code"),
        ("ours.mlmodel", "../ours.mlmodel", "should match pattern"),
        ("ours.mlmodel", ".ours.mlmodel", "should match pattern"),
        ("kind: zenodo", "kind: ftp", "does not match any of the expected tags"),
        ("10.5281/zenodo.1", "10.1000/1", "should match pattern"),
        ("engine: kraken", "engine: magic", "engine"),
        ("licence: CC-BY-4.0", "license: CC-BY-4.0", "licence: Field required"),
        ("files: [{name: ours.mlmodel}]", "files: []", "a model has files"),
        ("id: ours", "id: kraken-blla", "is there already"),
        ("good_for: our hands", "good_for: [", "no catalogue"),
    ],
)
def test_an_entry_that_cannot_be_used_is_named_with_what_is_wrong(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    (tmp_path / "catalogue.yaml").write_text(ENTRY.replace(old, new))
    with pytest.raises(ModelError, match=said):
        ModelLibrary(tmp_path)


def test_an_id_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(ENTRY + ENTRY)
    with pytest.raises(ModelError, match="ours is there twice"):
        read_entries(tmp_path / "c.yaml")


def test_a_revision_must_be_a_commit() -> None:
    with pytest.raises(ValidationError, match="should match pattern"):
        HuggingFace(kind="huggingface", repo="a/b", revision="main")


def test_the_digest_of_several_files_is_that_of_what_sha256sum_prints() -> None:
    files = (ModelFile(name="b.onnx", sha256="b" * 64, size=1), ModelFile(name="a.json", sha256="a" * 64, size=1))
    entry = next(iter(own_entries())).model_copy(update={"files": files})
    # printf '%s  a.json\n%s  b.onnx\n' aaa… bbb… | sha256sum
    assert entry.digest == "c804de235c64ddba2f34343eb96638804ba0c9714f4837e09f4d1474616b53df"


def test_a_mistyped_id_gets_those_that_are_like_it_and_no_wall_of_names() -> None:
    catalogue = ModelLibrary().catalogue
    with pytest.raises(ModelError, match="there is no recognition model 'mcatmus'") as refused:
        catalogue.find("mcatmus", "recognition")
    assert refused.value.remedy == "Did you mean mccatmus? models list shows all."
    with pytest.raises(ModelError, match="no recognition model 'kraken-blla'; 'kraken-blla' is for segmentation"):
        catalogue.find("kraken-blla", "recognition")
