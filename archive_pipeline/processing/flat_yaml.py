"""A list of settings in YAML, of which no more is taken than that needs: one mapping of names to plain values.

Anchors and aliases (with which a kilobyte unfolds to gigabytes), tags and nested values are refused before anything is
made of them, and every value is the text that stands there: ``language: no`` is Norwegian, not False.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import yaml

from archive_pipeline.errors import BadSettings, printable


def read_flat(data: bytes, fields: Sequence[str]) -> tuple[dict[str, str], dict[str, int]]:
    """Read such a list; an empty one, or one that is all commented out, says nothing.

    Args:
        fields: The names that there may be.

    Returns:
        The text of each field that has one (a field without a value says nothing, like a variable that is set but
        empty), and on which line each field stands, from 1.

    Raises:
        BadSettings: It cannot be obeyed; the message begins with the line, if one is to blame.
    """
    try:
        nodes = _pairs(data)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise BadSettings(f"{where}this is no YAML: {printable(error.problem or error.context or 'damaged')}") from None
    except (yaml.YAMLError, UnicodeError) as error:
        reason = printable(str(error).splitlines()[0])
        raise BadSettings(f"this is no text in UTF-8: {reason}", remedy="Save it as UTF-8.") from None
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for name, (value, line) in nodes.items():
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1)
            remedy = f"Did you mean {near[0]}?" if near else f"There are {', '.join(fields)}."
            raise BadSettings(f"line {line}: there is no field '{printable(name[:80])}'", remedy=remedy)
        lines[name] = line
        if value:
            values[name] = value
    return values, lines


def _pairs(data: bytes) -> dict[str, tuple[str, int]]:
    """Each field with its text and its line."""
    _require_flat(data)
    node = yaml.compose(data, Loader=yaml.BaseLoader)
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise BadSettings("line 1: it has no fields", remedy="Write each as name: value, such as language: de.")
    found: dict[str, tuple[str, int]] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if key.value in found:
            raise BadSettings(f"line {line}: {printable(str(key.value)[:80])} is there twice")
        found[key.value] = (value.value, line)
    return found


def _require_flat(data: bytes) -> None:
    """Look through the events, of which the parser makes one at a time: nothing large or deep is built."""
    depth = 0
    for event in yaml.parse(data, Loader=yaml.BaseLoader):
        line = (event.start_mark.line if event.start_mark else 0) + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise BadSettings(
                f"line {line}: anchors and aliases (& and *) are not taken", remedy="Write the value out."
            )
        if getattr(event, "tag", None) is not None:
            raise BadSettings(f"line {line}: tags (!) are not taken", remedy="Write the plain value.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > 1 or isinstance(event, yaml.SequenceStartEvent):
                raise BadSettings(
                    f"line {line}: lists and nested values are not taken",
                    remedy="Write one name: value on each line, such as language: de.",
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
