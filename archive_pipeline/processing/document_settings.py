"""What an ``archive.yaml`` says. It is an upload, so it is parsed in a sealed child, and by a narrow rule.

YAML is taken as far as a list of settings needs it: one mapping of names to plain values. Anchors and aliases (with
which a kilobyte unfolds to gigabytes), tags and nested values are refused before anything is made of them, and every
value is the text that stands there: ``language: no`` is Norwegian, not False.
"""

from __future__ import annotations

import difflib
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from archive_pipeline.errors import BadSettings, printable
from archive_pipeline.languages import normalise_language
from archive_pipeline.page import Direction, clean_text


def _one_line(text: str) -> str:
    text = " ".join(clean_text(text).split())
    if not text:
        raise ValueError("it is empty")
    if len(text) > _LONGEST:
        raise ValueError(f"it has more than {_LONGEST} characters")
    return text


_LONGEST = 200
_Name = Annotated[str, AfterValidator(_one_line)]


class Wishes(BaseModel):
    """What one place says of a document; None where it says nothing.

    Attributes:
        engine: How lines are found.
        segmentation_model: Id of the segmentation model.
        model: Id of the recognition model.
        language: A language tag (RFC 5646); codes of ISO 639-3 become one.
        direction: In which the text runs.
        hand: Whose hand it is, under any name. It is noted, and chooses nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: _Name | None = None
    segmentation_model: _Name | None = None
    model: _Name | None = None
    language: Annotated[str, AfterValidator(normalise_language)] | None = None
    direction: Direction | None = None
    hand: _Name | None = None


FIELDS = tuple(Wishes.model_fields)


class FileSettings(BaseModel):
    """A settings file, read.

    Attributes:
        lines: On which line each field stands, from 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    wishes: Wishes
    lines: dict[str, int]


def parse_settings(data: bytes) -> FileSettings:
    """Read a settings file; one without any setting (empty, or all commented out) says nothing.

    A field without a value says nothing, like a variable that is set but empty.

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
        if name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, n=1)
            remedy = f"Did you mean {near[0]}?" if near else f"There are {', '.join(FIELDS)}."
            raise BadSettings(f"line {line}: there is no field '{printable(name[:80])}'", remedy=remedy)
        lines[name] = line
        if value:
            values[name] = value
    try:
        return FileSettings(wishes=Wishes.model_validate(values), lines=lines)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise BadSettings(f"line {lines[name]}: {reason_of(error)}") from None


def reason_of(error: ValidationError) -> str:
    """What is wrong with the first value that cannot be, in a clause."""
    first = error.errors()[0]
    why = first["msg"].removeprefix("Value error, ")
    return f"{first['loc'][0]} cannot be '{printable(str(first['input'])[:80])}': {why[:1].lower()}{why[1:]}"


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
