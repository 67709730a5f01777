"""What a hand writes: how often a character came after others, as it lies in a file beside a model.

The file is JSON: it can be read by eye, and nothing in it can be run. It has counts and no texts; but a text can be put
together again from them, piece by piece, so it is as private as the pages that it was counted in.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from archive_pipeline.errors import ModelError, printable

LANGUAGE = "language.json"
"""What the file is called, in the folder of a model."""
MOST_CHARACTERS = 8  # of an n-gram
START, END = "\x02", "\x03"
"""Of a line. No text has these characters."""
MOST = 100_000
"""N-grams of a file: those of some hundred pages. Their tables take some tens of MB, and 200 MB at worst."""
_MOST_BYTES = 16_000_000
_REMEDY = "Train the hand again; or import the model without that file, and it reads without a language."

Count = Annotated[int, Field(ge=1, le=10**9, strict=True)]
Weight = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


class Language(BaseModel):
    """A character n-gram model of a hand.

    Attributes:
        weight: Of its logarithms, beside those of the network.
        bonus: For each label, since every one more makes a line less likely.
        counts: How often a character came (the inner key) after those before it (the outer one), of which there are
            ``order`` - 1, and less where a line begins.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    order: Annotated[int, Field(ge=1, le=MOST_CHARACTERS, strict=True)]
    weight: Weight
    bonus: Weight
    counts: dict[str, Annotated[dict[str, Count], Field(min_length=1)]]

    @model_validator(mode="after")
    def _in_bounds(self) -> Language:
        if any(len(context) >= self.order for context in self.counts):
            raise ValueError(f"a context is longer than {self.order - 1} characters")
        if any(len(character) != 1 for after in self.counts.values() for character in after):
            raise ValueError("what follows is counted by single characters")
        if sum(map(len, self.counts.values())) > MOST:
            raise ValueError(f"there are more than {MOST:,} n-grams")
        return self


def language_from(data: bytes, name: str) -> Language:
    """Read a file.

    Raises:
        ModelError: It is none.
    """
    if len(data) > _MOST_BYTES:
        raise ModelError(
            f"{printable(name)} has {len(data):,} bytes, and a language has {_MOST_BYTES:,} at most", remedy=_REMEDY
        )
    try:
        return Language.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        told = " ".join([*map(str, first["loc"][:1]), first["msg"]])
        raise ModelError(f"{printable(name)} is no language of a hand: {printable(told)}", remedy=_REMEDY) from None
