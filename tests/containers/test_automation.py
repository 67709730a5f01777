"""Uploads in containers: taken by themselves, refused with a note, and the folder read-only for whoever opens them."""

import json
from collections.abc import Callable
from pathlib import Path

from containers.stack import Stack, docker

_LATEST = """query($k: AssetKeyInput!) { assetOrError(assetKey: $k) { ... on Asset {
  assetMaterializations(limit: 1) { metadataEntries { label
    ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text }
    ... on TableMetadataEntry { table { records } } } } } } }"""
_PARTITION = """query($k: AssetKeyInput!, $p: [String!]) { assetOrError(assetKey: $k) { ... on Asset {
  assetMaterializations(partitions: $p, limit: 1) { runId } } } }"""


def _done(stack: Stack, key: str) -> bool:
    asset = stack.ask(_PARTITION, k={"path": ["document_exports"]}, p=[key])["assetOrError"]
    return bool(asset.get("assetMaterializations"))


def _refused(stack: Stack) -> set[str]:
    """Uploads in the table of the asset."""
    latest = stack.ask(_LATEST, k={"path": ["uploads"]})["assetOrError"]["assetMaterializations"][0]
    table = next(entry["table"] for entry in latest["metadataEntries"] if entry["label"] == "refused uploads")
    return {json.loads(record)["upload"] for record in table["records"]}


def test_uploads_are_taken_by_themselves_and_what_is_refused_is_said_beside_the_file_and_in_the_ui(
    automatic: Stack, scan: Callable[[str, int], Path]
) -> None:
    stack = automatic
    (stack.uploads / "letter.pdf").write_bytes(scan("letter.pdf", 1).read_bytes())
    (stack.uploads / "broken.pdf").write_bytes(b"%PDF-1.7 and then nothing that is one")
    (stack.uploads / "list.docx").write_bytes(b"x")
    for path in stack.uploads.iterdir():
        path.chmod(0o644)
    stack.until(lambda: _done(stack, "letter.pdf"))
    note = stack.uploads / "broken.pdf.refused.txt"
    stack.until(note.exists)
    assert "What to do: " in note.read_text()
    assert note.stat().st_uid == 1000
    assert (stack.uploads / "list.docx.refused.txt").exists()
    stack.until(lambda: _refused(stack) == {"list.docx", "broken.pdf"})
    # What opens uploads cannot write to their folder; what writes notes opens none.
    runs = [json.loads(docker("inspect", name))[0] for name in stack.run_containers()]
    assert runs
    for run in runs:
        (mount,) = [mount for mount in run["Mounts"] if mount["Destination"] == "/data/uploads"]
        assert mount["RW"] is False
    broken = stack.uploads / "broken.pdf"
    broken.unlink()
    stack.until(lambda: not note.exists())
