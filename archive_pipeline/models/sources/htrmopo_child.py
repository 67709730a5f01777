"""The handler of the sealed child that reads what HTRMoPo gives: XML, YAML and JSON that anybody may have uploaded."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from htrmopo.record import DCATRecord
from htrmopo.repo import _build_v0_record, _build_v1_record
from lxml import etree

from archive_pipeline.errors import ModelError, printable

_DOI = re.compile(r"10\.5281/zenodo\.[0-9]+")


def handle(request: dict[str, Any], _files: list[BinaryIO], _scratch: Path) -> dict[str, Any]:
    """Read a page of the listing, or a card."""
    if "listing" in request:
        return _listing(str(request["listing"]))
    return {"record": _card(str(request["card"]), request["version"], dict(request["metadata"]))}


def _listing(text: str) -> dict[str, Any]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise ModelError(f"the listing of HTRMoPo cannot be read: {error.msg}", remedy="Try again later.") from None
    refusal = root.find("./{*}error")
    if refusal is not None:
        if refusal.get("code") == "noRecordsMatch":
            return {"records": [], "next": None}
        raise ModelError(f"HTRMoPo has no listing: {refusal.text or refusal.get('code')}", remedy="Try again later.")
    records = [DCATRecord(element, strip_ns=True) for element in root.iterfind("./{*}ListRecords/{*}record")]
    token = root.find(".//{*}resumptionToken")
    found = [_listed(record) for record in records if not record.deleted]
    return {"records": [each for each in found if each], "next": token.text if token is not None else None}


def _listed(record: Any) -> dict[str, Any] | None:
    metadata = record.metadata
    doi = _DOI.search(metadata["doi"] or "")
    if doi is None:
        return None
    files = metadata.pop("distribution")
    return {"doi": doi[0], "datestamp": record.header.datestamp, "metadata": metadata, "files": files}


def _card(text: str, version: str, metadata: dict[str, Any]) -> dict[str, Any]:
    # What htrmopo takes from the listing and a REST record does not have.
    given = {"creators": [], "keywords": [], "distribution": [], "summary": "", "concept_doi": "", **metadata}
    given["doi"] = f"https://doi.org/{_doi(given['doi'])}"
    given["concept_doi"] = str(given["concept_doi"] or "")
    try:
        if version == "v1":
            record = _build_v1_record(given, text)
        else:
            record = _build_v0_record(given, SimpleNamespace(json=lambda: json.loads(text)))
    except Exception as error:  # whatever htrmopo and its libraries raise at a card that somebody wrote by hand
        why = " ".join(str(getattr(error, "message", error)).split())[:200]
        raise ModelError(f"its card does not follow HTRMoPo's schema: {printable(why)}") from None
    return asdict(record)


def _doi(text: str) -> str:
    return urlsplit(text).path.lstrip("/") if "://" in text else text
