"""The key of a hand: one name for all ways in which people write a hand's name, safe in paths and in Dagster."""

from __future__ import annotations

from archive_pipeline.errors import UsageError
from archive_pipeline.keys import DocumentKey
from archive_pipeline.training_sets.hand import folded_name


def hand_key(name: str) -> str:
    """The key of a hand; the same for two names exactly if they mean one hand (:func:`.hand.same_hand`).

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
