"""A page goes to eScriptorium, is corrected in the XML, and comes back: in every export, whatever reads it later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pypdfium2
import torch
from correctable import corrected
from kraken_models import install, ppocr_network, write
from lxml import etree

from archive_pipeline.demo.pages import make_pdf
from archive_pipeline.durable import read_json
from archive_pipeline.exports.formats import FORMATS
from archive_pipeline.keys import DocumentKey
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.store import Store

KEY = "letter.pdf"
WRITTEN = "Xanthippe"
NEVER = "e"


def _as_a_person(xml: str) -> str:
    """Write another first word into the first line, as eScriptorium does: the text of the line, without words."""
    root = etree.fromstring(xml.encode())
    line = root.find(".//{*}TextLine")
    if line is None:
        return xml  # the METS
    (text,) = line.xpath("./*[local-name()='TextEquiv']/*[local-name()='Unicode']")
    text.text = " ".join([WRITTEN, *text.text.split()[1:]])
    for word in line.findall("{*}Word"):
        line.remove(word)
    return etree.tostring(root).decode()


def _lacking(folder: Path) -> list[str]:
    """The formats in an exports folder that do not have the correction."""
    with pypdfium2.PdfDocument(folder / "document.pdf") as pdf:
        texts = {"pdf": pdf[0].get_textpage().get_text_range()}
    places = {
        "text": "document.txt",
        "page": "page/0001.xml",
        "alto": "alto/0001.xml",
        "hocr": "hocr/0001.hocr",
        "json": "pages/0001.json",
        "tei": "tei.xml",
        "lines": "lines.csv",
        "iiif": "iiif/annotations/0001.json",
        "mets": "ocr-d/0001.xml",
        "view": "view/0001.html",
    }
    texts |= {name: (folder / place).read_text("utf-8") for name, place in places.items()}
    texts["parquet"] = " ".join(pd.read_parquet(folder / "lines.parquet")["text"])
    assert FORMATS.keys() - texts.keys() == {"images"}
    return [name for name, text in texts.items() if WRITTEN not in text]


def test_a_correction_in_escriptoriums_page_is_in_all_exports_and_stays_when_another_model_reads_the_page(
    make_cli: Any, tmp_path: Path
) -> None:
    cli = make_cli(tmp_path / "home")
    source = tmp_path / KEY
    make_pdf(source, 1, seed=7, lines=3)
    formats = ("--formats", ",".join(FORMATS))
    cli("run", source, *formats)
    folder = Store(cli.home / "store").document(DocumentKey(KEY))
    before = read_json(folder.transcription(1))
    assert len(_lacking(folder.exports)) == len(FORMATS)

    cli("corrections", "export", KEY, "--out", tmp_path / "sent.zip")
    back = corrected(tmp_path / "sent.zip", _as_a_person)
    cli("corrections", "import", back)
    cli("export", KEY, *formats)
    assert _lacking(folder.exports) == []

    # A network that reads as the bundled one does, but for one letter.
    network = ppocr_network(ModelLibrary().installed("ppocr-v6-latin").read())
    with torch.no_grad():
        network.nn.head.fc.bias[network.codec.c2l[NEVER][0]] -= 100
    install(write(network, tmp_path / "another.safetensors"), cli.home / "models")
    cli("run", source, "--model", "another", *formats)
    after = read_json(folder.transcription(1))
    assert NEVER in before["page"]["regions"][0]["lines"][0]["text"]
    read = [line["text"] for region in after["page"]["regions"] for line in region["lines"]]
    assert any(read)
    assert not any(NEVER in text for text in read)
    assert _lacking(folder.exports) == []
