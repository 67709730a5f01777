"""``hand.yaml``: whose hand a set of ground truth is in. It is an upload, so it is parsed in a sealed child."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from archive_pipeline.errors import BadSettings
from archive_pipeline.hand_names import folded_name, is_unknown, same_hand
from archive_pipeline.languages import normalise_language
from archive_pipeline.page import clean_text
from archive_pipeline.processing.document_settings import reason_of
from archive_pipeline.processing.flat_yaml import read_flat

__all__ = ["FIELDS", "HAND_FILE", "MAX_BYTES", "Hand", "folded_name", "parse_hand", "same_hand"]

HAND_FILE = "hand.yaml"
MAX_BYTES = 16_384
_LONGEST = 200
_REMEDY = "Mend hand.yaml; see ground-truth.md."


def _one_line(text: str) -> str:
    text = " ".join(clean_text(text).split())
    if not text:
        raise ValueError("it is empty")
    if len(text) > _LONGEST:
        raise ValueError(f"it has more than {_LONGEST} characters")
    return text


_Name = Annotated[str, AfterValidator(_one_line)]


class Hand(BaseModel):
    """What is known of a hand (or of a typewriter, or of a press); None where nobody said.

    Attributes:
        writer: Under which name ``archive.yaml`` files call it, in ``hand``.
        script: Such as ``Kurrent`` or ``Latin``.
        language: A language tag (RFC 5646).
        period: Such as ``1858`` or ``1850-1870``.
        licence: Of the transcriptions and images, such as ``CC-BY-4.0``; it goes with every model made of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    writer: _Name | None = None
    script: _Name | None = None
    language: Annotated[str, AfterValidator(normalise_language)] | None = None
    period: _Name | None = None
    licence: _Name | None = None


FIELDS = tuple(Hand.model_fields)


def parse_hand(data: bytes) -> Hand:
    """Read a ``hand.yaml``.

    Raises:
        BadSettings: It cannot be obeyed; the message begins with the line, if one is to blame.
    """
    try:
        values, lines = read_flat(data, FIELDS)
    except BadSettings as error:
        if error.remedy == BadSettings.default_remedy:  # which is of archive.yaml
            raise BadSettings(error.what, remedy=_REMEDY) from None
        raise
    try:
        hand = Hand.model_validate(values)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise BadSettings(f"line {lines[name]}: {reason_of(error)}", remedy=_REMEDY) from None
    # Not in the model: sets that were stored before this was refused must still load.
    if is_unknown(hand.writer):
        raise BadSettings(
            f"line {lines['writer']}: writer '{hand.writer}' stands for a hand that nobody knows",
            remedy="Name the hand in hand.yaml, or leave out writer.",
        )
    return hand
