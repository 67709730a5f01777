"""HTRMoPo: its listing and cards, read in a sealed child, and models that are fetched by their DOI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from model_server import RECORD, ModelServer, serving

from archive_pipeline.cli.models import models
from archive_pipeline.errors import ModelError
from archive_pipeline.models.entry import Zenodo
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.sources import htrmopo
from archive_pipeline.models.sources.doi import number_of, read_entry

CARD = """---
id: https://doi.org/10.5281/zenodo.1234
summary: Lines of invented letters
authors: [{name: Kiessling}]
license: Apache-2.0
software_name: kraken
language: [fra, lat]
script: [Latn]
model_type: [segmentation]
metrics: {cer: 1.5}
---
# Lines of letters
"""
OLD_CARD = json.dumps(
    {
        "authors": [{"name": "Gabay", "affiliation": "Geneva"}],
        "summary": "Print of Geneva",
        "description": "Print",
        "accuracy": 98.5,
        "license": "CC-BY-4.0",
        "script": ["Latn"],
        "name": "print.mlmodel",
        "graphemes": ["a"],
    }
)
NAMESPACES = (
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcat="http://www.w3.org/ns/dcat#" '
    'xmlns:dct="http://purl.org/dc/terms/" xmlns:foaf="http://xmlns.com/foaf/0.1/"'
)


def record(number: int, files: list[str], datestamp: str = "2025-05-14T12:59:35Z", prefix: str = "") -> str:
    distribution = "".join(
        f'<dcat:distribution><dcat:Distribution><dcat:downloadURL rdf:resource="{prefix}/{name}"/>'
        f"<dcat:byteSize>10</dcat:byteSize></dcat:Distribution></dcat:distribution>"
        for name in files
    )
    return f"""<record>
<header><identifier>oai:zenodo.org:{number}</identifier><datestamp>{datestamp}</datestamp></header>
<metadata><rdf:RDF {NAMESPACES}><rdf:Description>
<dct:identifier>https://doi.org/10.5281/zenodo.{number}</dct:identifier><dct:title>A title</dct:title>
<dct:creator><rdf:Description><foaf:name>Kiessling</foaf:name></rdf:Description></dct:creator>
<dct:isVersionOf><rdf:Description><dct:identifier>https://doi.org/10.5281/zenodo.1</dct:identifier></rdf:Description>
</dct:isVersionOf>{distribution}</rdf:Description></rdf:RDF></metadata></record>"""


def page(*records: str, following: str = "") -> bytes:
    last = f"<resumptionToken>{following}</resumptionToken>" if following else "<resumptionToken/>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f"<responseDate>2026-01-01T00:00:00Z</responseDate><ListRecords>{''.join(records)}{last}</ListRecords></OAI-PMH>"
    ).encode()


FIRST = "/oai2d?verb=ListRecords&metadataPrefix=dcat&set=user-ocr_models"
SECOND = "/oai2d?verb=ListRecords&resumptionToken=next+page"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving() as server:
        yield server


@pytest.fixture
def listed(server: ModelServer) -> ModelServer:
    """Two pages: a card of each version; then a broken one, a record without, and one that was deleted."""
    server.pages |= {
        FIRST: page(
            record(1234, ["model.safetensors", "README.md"], prefix=f"{server.url}/1"),
            record(99, ["print.mlmodel", "metadata.json"], prefix=f"{server.url}/2"),
            following="next page",
        ),
        SECOND: page(
            record(7, ["README.md"], prefix=f"{server.url}/3"),
            record(8, ["data.zip"], prefix=f"{server.url}/4"),
            '<record><header status="deleted"><identifier>oai:zenodo.org:9</identifier>'
            "<datestamp>2025-01-01</datestamp></header></record>",
        ),
        "/1/README.md": CARD.encode(),
        "/2/metadata.json": OLD_CARD.encode(),
        "/3/README.md": b"---\nsummary: no more than that\n---\nx",
    }
    return server


@pytest.fixture
def archive(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path))
    monkeypatch.setenv("MODEL_REPO_URL", f"{server.url}/api/")
    monkeypatch.setenv("MODEL_REPO_OAI_URL", f"{server.url}/oai2d")
    return tmp_path / "models"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(models, [str(argument) for argument in arguments])


def test_cards_of_both_versions_are_read_and_what_cannot_be_is_told(listed: ModelServer, tmp_path: Path) -> None:
    cards, told = htrmopo.listing(listed.network, tmp_path)
    new, old = cards
    assert (new.doi, new.license, new.language, new.script) == (
        "10.5281/zenodo.1234",
        "Apache-2.0",
        ("fra", "lat"),
        ("Latn",),
    )
    assert (new.model_type, new.software_name, new.authors) == (("segmentation",), "kraken", "Kiessling")
    assert (old.doi, old.license, old.model_type) == ("10.5281/zenodo.99", "CC-BY-4.0", ("recognition",))
    assert old.metrics == {"cer": 1.5}
    assert "zenodo.7: its card does not follow" in told[0]
    assert told[1] == "10.5281/zenodo.8: it has no card"


def test_a_card_is_asked_for_again_only_when_its_record_has_changed(listed: ModelServer, tmp_path: Path) -> None:
    first = htrmopo.listing(listed.network, tmp_path)
    assert not list(tmp_path.rglob("*.pkl"))
    listed.asked.clear()
    assert htrmopo.listing(listed.network, tmp_path) == first
    assert [path for _, path, _ in listed.asked if "README" in path or "metadata" in path] == ["/3/README.md"]
    listed.pages[FIRST] = listed.pages[FIRST].replace(b"2025-05-14", b"2026-05-14")
    listed.pages["/1/README.md"] = CARD.replace("Apache-2.0", "CC0-1.0").encode()
    assert htrmopo.listing(listed.network, tmp_path)[0][0].license == "CC0-1.0"
    (tmp_path / "1234.json").write_bytes(b"\x80\x04 no JSON")
    assert len(htrmopo.listing(listed.network, tmp_path)[0]) == 2


def test_search_gives_cards_to_machines(listed: ModelServer, archive: Path) -> None:
    ran = run("search", "--language", "lat", "--json")
    assert ran.exit_code == 0, ran.output
    (card,) = json.loads(ran.stdout)
    assert (card["doi"], card["license"]) == ("10.5281/zenodo.1234", "Apache-2.0")


def test_search_shows_doi_licence_and_summary(
    listed: ModelServer, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    ran = run("search")
    for said in ("doi:10.5281/zenodo.1234", "Apache-2.0", "Lines of invented letters", "2 of 2 models"):
        assert said in ran.stdout
    assert "Not read: 10.5281/zenodo.8" in ran.stderr


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<html>busy</html", "cannot be read"),
        (b'<OAI-PMH xmlns="x"><error code="badArgument">no such set</error></OAI-PMH>', "no such set"),
        (page(record(1, [])).replace(b"<ListRecords>", b"<ListRecords>&boom;"), "cannot be read"),
    ],
)
def test_a_listing_that_is_none_is_an_error(server: ModelServer, tmp_path: Path, data: bytes, said: str) -> None:
    server.pages[FIRST] = data
    with pytest.raises(ModelError, match=said):
        htrmopo.listing(server.network, tmp_path)


def test_no_entity_of_a_listing_is_resolved(listed: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary")
    listed.pages[FIRST] = (
        listed.pages[FIRST]
        .replace(b"<OAI-PMH", f'<!DOCTYPE x [<!ENTITY s SYSTEM "file://{tmp_path}/secret">]><OAI-PMH'.encode(), 1)
        .replace(b"<foaf:name>Kiessling", b"<foaf:name>&s;")
    )
    cards, _ = htrmopo.listing(listed.network, tmp_path / "cache")
    assert "canary" not in str(cards)


@pytest.mark.parametrize(
    "text", ["doi:10.5281/zenodo.12", "10.5281/zenodo.12", "https://doi.org/10.5281/zenodo.12", "DOI:10.5281/ZENODO.12"]
)
def test_a_doi_is_known_in_all_its_forms(text: str) -> None:
    assert number_of(text) == "12"
    assert number_of(text.replace("5281", "1000")) is None


def blla() -> bytes:
    spec = find_spec("kraken")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / "blla.mlmodel").read_bytes()


def test_a_model_is_fetched_by_its_doi_and_stays_known(server: ModelServer, archive: Path) -> None:
    """The whole way, with the sealed look of kraken: from a DOI to a model that the pipeline can use."""
    server.files = {"README.md": CARD.encode(), "lines.mlmodel": blla()}
    ran = run("fetch", f"doi:10.5281/zenodo.{RECORD}", "--json")
    assert ran.exit_code == 0, ran.output
    (row,) = json.loads(ran.stdout)
    assert (row["id"], row["pinned"]) == ("zenodo-1234", True)
    server.files = {}
    library = ModelLibrary(archive)
    entry = library.catalogue.find("zenodo-1234", "segmentation")
    assert isinstance(entry.source, Zenodo)
    assert (entry.licence, entry.languages, entry.scripts) == ("Apache-2.0", ("fra", "lat"), ("Latn",))
    assert "Kiessling" in entry.citation
    library.install_state(entry).verify()
    server.asked.clear()
    assert "here already" in run("fetch", "https://doi.org/10.5281/zenodo.1234").stdout
    assert server.asked == []


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"model.safetensors": b"x"}, "has no card of HTRMoPo"),
        ({"README.md": CARD.encode(), "model.ckpt": b"x"}, "model.ckpt, which can run code"),
        ({"README.md": CARD.encode(), "a.mlmodel": b"x", "b.mlmodel": b"x"}, "several models: a.mlmodel, b.mlmodel"),
        ({"README.md": CARD.encode()}, "has no model"),
        (
            {"README.md": CARD.replace("kraken", "party").encode(), "m.safetensors": b"x"},
            "for party, and not for kraken",
        ),
        (
            {"README.md": CARD.replace("[segm", "[reading order, x-segm").encode(), "m.mlmodel": b"x"},
            "does reading order",
        ),
        ({"README.md": b"# A readme", "m.mlmodel": b"x"}, "does not follow HTRMoPo's schema"),
        (
            {"README.md": CARD.replace("Latn", "!!python/object/apply:os.system [x]").encode(), "m.mlmodel": b"x"},
            "schema",
        ),
    ],
)
def test_a_record_that_gives_no_model_is_refused_with_the_reason(
    server: ModelServer, files: dict[str, bytes], said: str
) -> None:
    server.files = files
    with pytest.raises(ModelError, match=said):
        read_entry(str(RECORD), "", server.network)


def test_the_doi_of_all_versions_leads_to_the_newest_which_the_entry_names(server: ModelServer) -> None:
    server.files = {"README.md": CARD.encode(), "lines.mlmodel": b"x"}
    entry = read_entry("1233", "mine", server.network)
    assert isinstance(entry.source, Zenodo)
    assert (entry.id, entry.source.doi) == ("mine", "10.5281/zenodo.1234")
