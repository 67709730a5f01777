"""What each document should be by now: of its source as it lies there, with the models that are installed today."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from archive_pipeline.document_states import DocumentState
from archive_pipeline.durable import read_json
from archive_pipeline.errors import ArchiveError
from archive_pipeline.keys import DocumentKey
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.nights.outsides import Outsides
from archive_pipeline.nights.plan import Wanted
from archive_pipeline.page import Direction
from archive_pipeline.processing.choice import Decision, decide
from archive_pipeline.processing.document_settings import Wishes
from archive_pipeline.processing.hand_trial import promoted_digest, promoted_now
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.said import Said, said_again, said_by_options, said_of, wishes_of_run
from archive_pipeline.processing.standing import made_with
from archive_pipeline.spelling.lists import find_lists, of_language
from archive_pipeline.store import Store


class Today:
    """Answers for one plan, as things stand when it is made.

    Nothing of an upload is opened, so nobody knows what a changed ``archive.yaml`` says: its document is a changed one.
    As long as it is unchanged, it says what it said when the document was done; which model that means, as the one that
    is promoted for its hand, is found out anew.

    Args:
        options: Those of the installation.
        places: Paths of documents that are known; of others the store is asked.
        until: Of the monotonic clock: what is not looked at by then is taken to be as it was.

    Attributes:
        unseen: How many documents there was no time to look at.

    Raises:
        UsageError, ModelError: The models that the settings name cannot be used.
    """

    def __init__(
        self,
        store: Store,
        options: ProcessingOptions,
        places: Mapping[str, str] | None = None,
        until: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._places = places or {}
        self._until, self._clock = until, clock
        self._library = ModelLibrary(options.models_dir)
        self._settings = said_by_options(options)[1]
        self._options = options
        self._spelling = find_lists(options.spelling or ())
        uploads = options.uploads_dir or Path("/nowhere")
        self._outsides = Outsides(uploads, max_file_mb=options.max_file_mb, max_pages=options.max_pages)
        self._decisions: dict[str, Decision | None] = {said_of(()): self._decide()}
        self._made_with: dict[tuple[str, str, str], str] = {}
        self._promoted = self._promoted_digest()
        self.unseen = 0

    def __call__(self, key: str, state: DocumentState | None) -> Wanted:
        """What a document should be."""
        if self._clock() < self._until:
            fingerprint = self._fingerprint(key)
        else:
            self.unseen += 1
            # It may be gone: then the run says so.
            fingerprint = state.fingerprint if state is not None else "not looked at"
        segmentation, recognition, made = self._should_be_read_with(state)
        return Wanted(fingerprint, made, (segmentation, recognition))

    def _fingerprint(self, key: str) -> str:
        place = self._places.get(key)
        if place is None:
            try:
                record = read_json(self._store.document(DocumentKey(key)).source)
                place = str(record["origin"])
            except (ArchiveError, KeyError, TypeError):
                return ""  # nobody has registered it, or not as a document
        return self._outsides.fingerprint(place)

    def _should_be_read_with(self, state: DocumentState | None) -> tuple[str, str, str]:
        """Ids of both models, and what a document is made with by them."""
        if state is None:
            return "", "", ""  # it was never read with anything
        as_it_is = state.segmentation, state.recognition, state.made_with
        if state.chosen_by == "run":
            return as_it_is  # with options that are known to nobody any more
        if state.tried and self._promoted not in ("", state.tried):
            return "", "", ""  # other models are to be tried for its hand: which one it is, a run finds out
        said = state.said or said_of(_kept(state))
        if said not in self._decisions:
            try:
                self._decisions[said] = self._decide(*said_again(said))
            except (ArchiveError, ValueError):
                # What was chosen for it is not here any more: it can only stay as it is.
                self._decisions[said] = None
        decision = self._decisions[said]
        if decision is None:
            return as_it_is
        told = said, state.direction, state.language
        if told not in self._made_with:
            self._made_with[told] = made_with(
                self._options,
                decision.segmentation,
                decision.recognition,
                cast(Direction, state.direction) if state.direction else None,
                of_language(self._spelling, state.language or None),
            )
        return decision.segmentation.id, decision.recognition.id, self._made_with[told]

    def _promoted_digest(self) -> str:
        try:
            return promoted_digest(promoted_now(self._library))
        except ArchiveError:
            return ""  # what is noted of a hand is damaged: nothing can be tried

    def _decide(self, *said: Said) -> Decision:
        return decide((*said, self._settings), self._library, served=self._options.surya_url is not None)


def _kept(state: DocumentState) -> tuple[Wishes, ...]:
    """What files must have said of a document, by a state that does not note it: its models, where they chose them.

    Its hand goes first: once a model is promoted for it, a run has to find out whether that goes before what they say.
    """
    by_files = state.chosen_by == "document"
    models = wishes_of_run(segmentation_model=state.segmentation, model=state.recognition) if by_files else Wishes()
    return Wishes(hand=state.hand or None), models
