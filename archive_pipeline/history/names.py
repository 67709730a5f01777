"""What a document is called, found in text without taking another document's name for it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from archive_pipeline.errors import printable

FORGOTTEN = "forgotten"
"""Stands where a name was."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|])")


class Names:
    """The names of one document: its key, and the paths of its source.

    Args:
        key: Of the document.
        paths: Relative and absolute.
    """

    def __init__(self, key: str, paths: Sequence[str] = ()) -> None:
        self.key = key
        # Its file's own name, if that is another one: to be looked for where nothing else has that name.
        bare = next((name.rpartition("/")[2] for name in paths), "")
        self.in_its_runs = Names(key, [*paths, bare]) if bare not in ("", key, *paths) else None
        plain = dict.fromkeys(name for name in (key, *paths) if name)
        said: dict[str, None] = {}
        for name in plain:
            # As an error, a log line, the metadata of an event, or its Markdown has it.
            for form in (name, printable(name), name.encode("utf-8", "backslashreplace").decode()):
                if form.isprintable():
                    said.update(dict.fromkeys((form, _MARKDOWN.sub(r"\\\1", form))))
        self._in_text = _pattern(key, [*said, *plain])
        # In a column of JSON, and in JSON that stands as a string in JSON.
        self.stored = tuple(dict.fromkeys(form for name in said for form in _escaped(name)))

    def are_in(self, stored: str) -> bool:
        """Whether a column, as it is stored, names the document.

        JSON is decoded first: there a letter may be the end of an escape, as in ``\\nest.pdf``, a line's end and
        another document.
        """
        try:
            return self._are_said(json.loads(stored))
        except ValueError:
            return self._in_text.search(stored) is not None

    def _are_said(self, data: Any) -> bool:
        if isinstance(data, dict):
            return any(self._are_said(each) for pair in data.items() for each in pair)
        if isinstance(data, list):
            return any(map(self._are_said, data))
        if not isinstance(data, str):
            return False
        # JSON that stands as a string in JSON.
        return self.are_in(data) if data[:1] in ("{", "[", '"') else self._in_text.search(data) is not None

    def taken_out(self, text: str) -> str:
        """Text with something else in the place of each name."""
        return self._in_text.sub(FORGOTTEN, text)

    def taken_out_of(self, data: Any, fields: Collection[str], *, inside: bool = False) -> Any:
        """JSON with the names taken out of its strings.

        Args:
            fields: Names of the fields below which strings are free text. Others are left alone: a document's key may
                be a word that the format itself needs.
            inside: Whether ``data`` stands below such a field.
        """
        if isinstance(data, str):
            return self.taken_out(data) if inside else data
        if isinstance(data, list):
            return [self.taken_out_of(each, fields, inside=inside) for each in data]
        if isinstance(data, dict):
            return {
                name: self.taken_out_of(each, fields, inside=(inside or name in fields) and not name.startswith("__"))
                for name, each in data.items()
            }
        return data


def _escaped(name: str) -> tuple[str, ...]:
    once = json.dumps(name)[1:-1]
    return (name, once, json.dumps(once)[1:-1])


def _pattern(key: str, names: Iterable[str]) -> re.Pattern[str]:
    # "a.pdf" is not in "aa.pdf", "box/a.pdf" or "a.pdf.tiff", but in "a.pdf: damaged." and at the end of a sentence.
    longest_first = sorted(names, key=len, reverse=True)
    either = "|".join(map(re.escape, longest_first))
    alone = rf"(?<![\w./-])(?:{either})(?![\w/-]|\.\w)"
    # A folder of the store, or the address of an export.
    folder = rf"(?<=/documents/){re.escape(key)}(?![\w.-])|(?<=/){re.escape(key)}(?=/(?:view/|text/|document\.))"
    return re.compile(f"{alone}|{folder}")
