"""Where models come from: one module a source, each of which says where the files of an entry are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archive_pipeline.errors import ModelError, printable
from archive_pipeline.models.entry import HuggingFace, ModelEntry, ModelFile, Web, Zenodo
from archive_pipeline.models.network import Network
from archive_pipeline.models.remote import Algorithm, RemoteFile
from archive_pipeline.models.sources import huggingface, web, zenodo


def locate(entry: ModelEntry, files: Sequence[ModelFile], network: Network) -> list[RemoteFile]:
    """Where the files of an entry are, with all that is known of them: by us, and by their source.

    Args:
        files: The entry's files, pinned ones with their digest.

    Raises:
        ModelError: The source is away, does not have them, or has others under their names.
    """
    names = [file.name for file in files]
    source = entry.source
    if isinstance(source, Zenodo):
        found = zenodo.locate(source, names, network)
    elif isinstance(source, HuggingFace):
        found = huggingface.locate(source, names, network)
    elif isinstance(source, Web):
        found = web.locate(source, names)
    else:
        raise ModelError(f"model {entry.id} has no source that it could be fetched from")
    return [_with_what_we_know(entry, known, offered) for known, offered in zip(files, found, strict=True)]


def _with_what_we_know(entry: ModelEntry, known: ModelFile, offered: RemoteFile) -> RemoteFile:
    digests: Mapping[Algorithm, str] = {"sha256": known.sha256} if known.sha256 else {}
    changed = None not in (known.size, offered.size) and known.size != offered.size
    if changed or (digests and offered.digests.get("sha256", known.sha256) != known.sha256):
        raise ModelError(
            f"{printable(entry.source)} offers another {known.name} than model {entry.id} must have",
            remedy="Nothing was fetched. It was changed at its source; the entry would have to be changed with it.",
        )
    return RemoteFile(
        name=offered.name,
        url=offered.url,
        size=offered.size if known.size is None else known.size,
        digests={**offered.digests, **digests},
        headers=offered.headers,
    )
