"""What lies in a store when a week is over. ``python -m`` this module prints it as JSON, inside a container too."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from archive_pipeline.durable import file_digest, read_json
from archive_pipeline.keys import DocumentKey
from archive_pipeline.settings import read_settings
from archive_pipeline.store import DocumentFolder, Store
from archive_pipeline.uploads.register import UploadRegister


@dataclass(frozen=True)
class Found:
    """One row of the register of uploads, with what was made of it.

    Attributes:
        state, reason, remedy: Of the register.
        source: Digest of the bytes that its exports were made from, of a folder those of its files joined by ``+``;
            empty without exports.
        exports: Digests of all files of its exports, by path.
    """

    path: str
    key: str
    state: str
    reason: str
    remedy: str
    source: str
    exports: dict[str, str]


@dataclass(frozen=True)
class Outcome:
    """A store.

    Attributes:
        uploads: By path.
        torn: Temporary files that lie in exports.
    """

    uploads: dict[str, Found]
    torn: tuple[str, ...]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Outcome:
        said = json.loads(text)
        return cls({path: Found(**found) for path, found in said["uploads"].items()}, tuple(said["torn"]))


def look_at_store(root: Path) -> Outcome:
    """Read a store that nobody writes any more."""
    store, uploads = Store(root), UploadRegister(root).all().values()
    found = {each.path: Found(each.path, each.key, each.state, each.reason, each.remedy, "", {}) for each in uploads}
    for path, each in found.items():
        if each.key:
            folder = store.document(DocumentKey(each.key))
            found[path] = Found(**{**asdict(each), "source": _source(folder), "exports": export_digests(folder)})
    torn = tuple(str(path.relative_to(root)) for path in root.glob("documents/*/exports/**/.*.tmp"))
    return Outcome(found, torn)


def states_of(root: Path) -> Counter[str]:
    """How many uploads are in each state."""
    return UploadRegister(root).counts()


def export_digests(folder: DocumentFolder) -> dict[str, str]:
    """Digests of a document's exports, by path."""
    files = sorted(path for path in folder.exports.rglob("*") if path.is_file())
    return {str(path.relative_to(folder.exports)): file_digest(path) for path in files}


def _source(folder: DocumentFolder) -> str:
    """Of the inspection that the exports belong to; the manifest says which one that is."""
    inspection: dict[str, Any] | None = read_json(folder.inspection)
    manifest: dict[str, Any] | None = read_json(folder.exports / "manifest.json")
    if not inspection or not manifest or manifest["source"]["sha256"] != inspection["sha256"]:
        return ""
    return "+".join(file["sha256"] for file in inspection["files"])


def main(arguments: list[str]) -> None:
    """Print what lies in this archive's store: all of it, ``--states`` of uploads only, or ``--exports`` by key."""
    root = read_settings().store_dir
    store = Store(root)
    if "--states" in arguments:
        sys.stdout.write(json.dumps(states_of(root)))
    elif "--exports" in arguments:
        keys = store.keys()
        sys.stdout.write(json.dumps({key: export_digests(store.document(key)) for key in keys}))
    else:
        sys.stdout.write(look_at_store(root).to_json())


if __name__ == "__main__":
    main(sys.argv[1:])
