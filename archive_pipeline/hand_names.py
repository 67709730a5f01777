"""Names of hands: when two ways to write one mean the same hand, and the key that files and partitions know it by."""

from __future__ import annotations

from archive_pipeline.errors import UsageError
from archive_pipeline.keys import DocumentKey
from archive_pipeline.page import clean_text

UNKNOWN = "auto"
"""The hand of a document whose hand nobody knows, as archive.yaml has it."""


def is_unknown(name: str | None) -> bool:
    """Whether somebody said that the hand is not known."""
    return same_hand(name, UNKNOWN)


def folded_name(name: str | None) -> str:
    """A hand's name as it is compared; empty for nobody's."""
    return " ".join(clean_text(name or "").split()).casefold()


def same_hand(one: str | None, other: str | None) -> bool:
    """Whether two names of hands mean one; nobody's is nobody else's."""
    return folded_name(one) == folded_name(other) != ""


def hand_key(name: str) -> str:
    """The key of a hand; the same for two names exactly if they mean one hand (:func:`same_hand`).

    Raises:
        UsageError: The name is empty.
    """
    folded = folded_name(name)
    if not folded:
        raise UsageError("a hand needs a name", remedy="Give it as archive.yaml has it, in 'hand'.")
    if "/" not in folded and folded.strip("."):
        return str(DocumentKey.from_path(folded))
    # A key is made of a path, and to a path slashes and dots are more than letters: then the whole name is in its mark.
    return str(DocumentKey.from_path(folded.replace("/", " ").strip(" .") or "hand", origin=folded))
