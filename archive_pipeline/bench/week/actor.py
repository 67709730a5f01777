"""The people of the week: they upload in bursts, replace, rename, move, delete, restore, and upload bad files."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from archive_pipeline.bench.week.bad import write_bad
from archive_pipeline.bench.week.papers import bytes_of, draw_suffix, write_paper

_ODD = ("Brief an Müller & Söhne", "a 'quoted' name", "日誌", "two  blanks", "#1, 100% [x]", "new\nline", "byte-\udcff")
"""Names that scanners and people give."""


@dataclass
class Line:
    """A document through its renames.

    Attributes:
        versions: How often somebody wrote or touched it.
        paths: Where it was, below the upload folder.
    """

    versions: int = 0
    paths: set[str] = field(default_factory=set)


@dataclass
class Actor:
    """Acts in one upload folder and keeps account of it.

    Attributes:
        kept: Where replaced versions lie, outside the upload folder.
        here: What should lie in the upload folder, by path; a bad one with its kind, a document with its digest.
        lines: By every path that a document ever had.
        did: How often each thing was done.
    """

    uploads: Path
    kept: Path
    draw: random.Random
    here: dict[str, str] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    did: Counter[str] = field(default_factory=Counter)
    _names: int = 0
    _unfinished: list[tuple[Path, bytes]] = field(default_factory=list)

    def upload(self, count: int) -> None:
        """A burst of new documents."""
        for _ in range(count):
            path = self._new_path(draw_suffix(self.draw))
            write_paper(path, self.draw)
            self._wrote(path, "uploaded")

    def upload_slowly(self) -> None:
        """Half a file, whose rest comes with :meth:`finish_slow`."""
        path = self._new_path(".png")
        write_paper(path, self.draw)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        self._unfinished.append((path, whole))
        self._line(path).versions += 1  # the half may be taken for whole: it is quiet for long

    def finish_slow(self) -> None:
        for path, whole in self._unfinished:
            path.write_bytes(whole)
            self._wrote(path, "uploaded slowly")
        self._unfinished.clear()

    def upload_bad(self) -> None:
        path, kind = write_bad(self.uploads, self.did["bad"], self.draw)
        self.bad[self._name(path)] = kind
        self.did["bad"] += 1

    def replace(self) -> None:
        """A better scan in the place of another; the older one is kept for :meth:`restore`."""
        path = self._any(file=True)
        if path is not None:
            shutil.copy2(path, self.kept / "older")
            (self.kept / "name").write_text(self._name(path), "utf-8", "surrogateescape")
            write_paper(path, self.draw)
            self._wrote(path, "replaced")

    def restore(self) -> None:
        """The older scan comes back from a backup, with its old time."""
        older, name = self.kept / "older", self.kept / "name"
        path = self.uploads / name.read_text("utf-8", "surrogateescape") if name.exists() else None
        if path is not None and self._name(path) in self.here and path.is_file():
            shutil.copy2(older, path)
            self._wrote(path, "restored from a backup")

    def touch(self) -> None:
        path = self._any(file=True)
        if path is not None:
            os.utime(path)
            self._wrote(path, "touched")

    def rename(self) -> None:
        path = self._any()
        if path is not None:
            self._move(path, self._new_path(path.suffix), "renamed")

    def move(self) -> None:
        """Into a subfolder; not images, which would be the pages of one document there."""
        path = self._any(file=True)
        if path is not None and path.suffix == ".pdf":
            folder = self.uploads / f"box {self.draw.randrange(4)}"
            folder.mkdir(exist_ok=True)
            self._move(path, self._new_path(path.suffix, folder), "moved to a subfolder")

    def delete(self) -> None:
        path = self._any()
        if path is not None:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            del self.here[self._name(path)]
            self.did["deleted"] += 1

    def upload_again(self) -> None:
        """The same bytes under another name."""
        path = self._any(file=True)
        if path is not None:
            copy = self._new_path(path.suffix)
            shutil.copyfile(path, copy)
            self._wrote(copy, "same bytes again")

    def _move(self, path: Path, target: Path, what: str) -> None:
        path.rename(target)
        line = self._line(path)
        self.lines[self._name(target)] = line
        line.paths.add(self._name(target))
        self.here[self._name(target)] = self.here.pop(self._name(path))
        self.did[what] += 1

    def _wrote(self, path: Path, what: str) -> None:
        self._line(path).versions += 1
        self.here[self._name(path)] = bytes_of(path)
        self.did[what] += 1

    def _line(self, path: Path) -> Line:
        line = self.lines.setdefault(self._name(path), Line())
        line.paths.add(self._name(path))
        return line

    def _any(self, *, file: bool = False) -> Path | None:
        paths = [self.uploads / name for name in self.here]
        paths = [path for path in paths if path.is_file() or not file]
        return self.draw.choice(paths) if paths else None

    def _new_path(self, suffix: str, folder: Path | None = None) -> Path:
        self._names += 1
        odd = f" {self.draw.choice(_ODD)}" if self.draw.random() < 0.05 else ""
        return (folder or self.uploads) / f"slip {self._names:05d}{odd}{suffix}"

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.uploads))
