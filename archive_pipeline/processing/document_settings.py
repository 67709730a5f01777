"""What an ``archive.yaml`` says. It is an upload, so it is parsed in a sealed child, and by a narrow rule.

See :mod:`archive_pipeline.processing.flat_yaml` for how much of YAML is taken.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from archive_pipeline.errors import BadSettings, printable
from archive_pipeline.languages import normalise_language
from archive_pipeline.page import Direction, clean_text
from archive_pipeline.processing.flat_yaml import read_flat


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
        hand: Whose hand it is, under any name; the model that was promoted for it reads the document.
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
    values, lines = read_flat(data, FIELDS)
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
