"""Zenodo's REST interface: a record's files with their size and MD5, and its licence.

https://developers.zenodo.org/#records
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field, ValidationError

from archive_pipeline.errors import ModelError, printable
from archive_pipeline.models.entry import Zenodo
from archive_pipeline.models.network import Network, is_safe
from archive_pipeline.models.remote import RemoteFile

LARGEST_RECORD = 5_000_000
"""Bytes of a record's description."""


class _Links(BaseModel):
    self: str


class RecordFile(BaseModel):
    """A file of a record."""

    key: str
    size: int = Field(gt=0)
    checksum: str = Field(pattern=r"^md5:[0-9a-f]{32}$")
    links: _Links

    def remote(self) -> RemoteFile:
        return RemoteFile(
            name=self.key,
            url=self.links.self,
            size=self.size,
            digests={"md5": self.checksum.removeprefix("md5:")},
        )


class _Licence(BaseModel):
    id: str


class _Metadata(BaseModel):
    title: str = ""
    publication_date: str = ""
    license: _Licence | None = None


class Record(BaseModel):
    """A record, as much of it as is used."""

    id: int
    doi: str
    conceptdoi: str = ""
    metadata: _Metadata = _Metadata()
    files: tuple[RecordFile, ...] = ()


def read_record(number: str, network: Network) -> Record:
    """The record of that number. The number of all versions of a record leads to the newest one.

    Raises:
        ModelError: There is none, or Zenodo is away.
    """
    url = f"{network.zenodo.rstrip('/')}/records/{number}"
    try:
        record = Record.model_validate_json(network.read(url, largest=LARGEST_RECORD))
    except ValidationError as error:
        first = error.errors()[0]
        raise ModelError(
            f"{printable(url)} is no record of Zenodo: {'.'.join(map(str, first['loc']))}: {printable(first['msg'])}",
            remedy="Check MODEL_REPO_URL, or try again later.",
        ) from None
    for file in record.files:
        if not is_safe(file.links.self, network.zenodo):
            raise ModelError(f"{printable(url)} names an address that is not safe: {printable(file.links.self)}")
    return record


def locate(source: Zenodo, names: Sequence[str], network: Network) -> list[RemoteFile]:
    """Where the files of a record are.

    Raises:
        ModelError: There is no such record, it has no such files, or it stands for several versions.
    """
    record = read_record(source.record, network)
    if str(record.id) != source.record:
        raise ModelError(
            f"doi:{source.doi} stands for all versions of a record, and is now {printable(record.doi)}",
            remedy="Give the DOI of one version in the catalogue.",
        )
    files = {file.key: file for file in record.files}
    for name in names:
        if name not in files:
            there = ", ".join(map(printable, files)) or "nothing"
            raise ModelError(f"doi:{source.doi} has no file {name}", remedy=f"It has {there}: correct the entry.")
    return [files[name].remote() for name in names]
