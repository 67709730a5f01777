"""Which models the stored results were made with."""

from __future__ import annotations

from collections import Counter

from archive_pipeline.durable import read_json
from archive_pipeline.errors import StorageError, printable
from archive_pipeline.store import Store


def used_models(store: Store) -> Counter[str] | None:
    """Digests of models, with the number of documents that have a result of theirs.

    A page names what it was made with in its ``steps``.

    Returns:
        None if there is no store: it may only not be mounted, and nobody can say what its results were made with.

    Raises:
        StorageError: A stored page cannot be read, so that nobody can say what it was made with.
    """
    if not store.is_there:
        return None
    documents: Counter[str] = Counter()
    for key in store.keys():  # noqa: SIM118 - a method of ours, not of a mapping
        folder = store.document(key).root
        digests: set[str] = set()
        for name in ("layouts", "transcriptions"):
            for path in sorted((folder / name).glob("*.json")):
                try:
                    steps = read_json(path)["page"]["steps"]
                    digests.update(step["model_digest"] for step in steps if step.get("model_digest"))
                except (KeyError, TypeError, AttributeError):
                    raise StorageError(
                        f"{printable(path)} does not say what it was made with", remedy="Run the document again."
                    ) from None
        documents.update(digests)
    return documents
