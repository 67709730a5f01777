"""What the catalogue says of a model: where it comes from, what it must be, and what it is good for."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_validator, model_validator

Task = Literal["segmentation", "recognition"]
Engine = Literal["ppocr", "kraken", "surya"]

LOADED = frozenset({".safetensors", ".onnx", ".mlmodel", ".json"})
"""Suffixes of files that are loaded: weights that cannot carry code, and their configuration."""

UNSAFE = frozenset({".ckpt", ".pt", ".pth", ".bin", ".pkl", ".pickle", ".joblib", ".npy", ".npz", ".pyrnn", ".gz"})
"""Suffixes of files that are, or may be, pickles: loading one runs whatever its maker put in."""

DOI = r"^10\.5281/zenodo\.[0-9]+$"
"""Of a record of Zenodo."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=120)]
ModelId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=80)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bundled(_Frozen):
    """It comes inside a Python package of the lock file, and needs no download."""

    kind: Literal["bundled"]
    package: str
    folder: str = ""

    def __str__(self) -> str:
        return f"in the package {self.package}"


class Zenodo(_Frozen):
    """A record of Zenodo, where HTRMoPo's models lie."""

    kind: Literal["zenodo"]
    doi: str = Field(pattern=DOI)

    @property
    def record(self) -> str:
        return self.doi.rpartition(".")[2]

    def __str__(self) -> str:
        return f"doi:{self.doi}"


class HuggingFace(_Frozen):
    """A repository of the Hugging Face Hub at one commit: a branch could be given other files."""

    kind: Literal["huggingface"]
    repo: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$")
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")

    def __str__(self) -> str:
        return f"{self.repo} at {self.revision[:12]} on the Hugging Face Hub"


class Web(_Frozen):
    """A folder on a web server."""

    kind: Literal["web"]
    url: HttpUrl

    def __str__(self) -> str:
        return str(self.url)


class Imported(_Frozen):
    """A file that somebody brought along: ``models import``."""

    kind: Literal["imported"]
    name: str

    def __str__(self) -> str:
        return f"imported from {self.name}"


class Served(_Frozen):
    """It is not loaded here but asked over the network, at a server that the operator runs."""

    kind: Literal["served"]
    model: str

    def __str__(self) -> str:
        return f"{self.model}, by a server of yours"


Source = Annotated[Bundled | Zenodo | HuggingFace | Web | Imported | Served, Field(discriminator="kind")]


class ModelFile(_Frozen):
    """One file of a model.

    Attributes:
        sha256: What it must be; None where nobody has verified it yet: it is pinned on the first fetch.
        size: In bytes; None as for ``sha256``.
    """

    name: FileName
    sha256: Digest | None = None
    size: int | None = Field(None, gt=0)

    @field_validator("name")
    @classmethod
    def _no_code(cls, name: str) -> str:
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in UNSAFE:
            raise ValueError(f"{suffix} files can run code when they are loaded")
        if suffix not in LOADED:
            raise ValueError(f"only {', '.join(sorted(LOADED))} files are loaded")
        return name


class ModelEntry(_Frozen):
    """One model of the catalogue.

    Attributes:
        engine: Which engine loads it.
        scripts: ISO 15924; empty for any.
        languages: ISO 639-3; empty for any.
        licence: SPDX id where there is one.
        licence_note: What a person must know before a fetch, such as a limit on commercial use.
        files: The weights come first. Empty for a model that a server holds.
        good_for: What it is good for, in a few words for the list.
    """

    id: ModelId
    task: Task
    engine: Engine
    scripts: tuple[Annotated[str, Field(pattern=r"^[A-Z][a-z]{3}$")], ...] = ()
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{3}$")], ...] = ()
    licence: str
    licence_note: str = ""
    source: Source
    files: tuple[ModelFile, ...] = ()
    citation: str = ""
    good_for: str

    @model_validator(mode="after")
    def _files_fit_the_source(self) -> Self:
        if isinstance(self.source, Served) == bool(self.files):
            raise ValueError("a model has files, unless a server holds it")
        if isinstance(self.source, Bundled | Imported) and self.digest is None:
            raise ValueError("a model that is there already has a digest and a size")
        if len({file.name for file in self.files}) < len(self.files):
            raise ValueError("two files have the same name")
        return self

    @property
    def digest(self) -> str | None:
        """SHA-256 of the file, or over all of them; None as long as one is not known, and for served models."""
        return digest_of_files(self.files)

    @property
    def size(self) -> int | None:
        """Bytes of all files; None if one is not known."""
        sizes = [file.size for file in self.files]
        return sum(size for size in sizes if size) if sizes and None not in sizes else None


def digest_of_files(files: tuple[ModelFile, ...]) -> str | None:
    """The digest of a model: of its only file, or that of the list as ``sha256sum`` prints it, sorted by name."""
    digests = [file.sha256 for file in files]
    if not digests or None in digests:
        return None
    if len(files) == 1:
        return digests[0]
    listing = "".join(f"{file.sha256}  {file.name}\n" for file in sorted(files, key=lambda file: file.name))
    return hashlib.sha256(listing.encode()).hexdigest()
