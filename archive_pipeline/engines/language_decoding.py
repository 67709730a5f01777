"""kraken's decoder for a network that reads with a language: what the line says, where each character is, how sure."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from archive_pipeline.engines.ctc_alignment import aligned
from archive_pipeline.engines.ctc_beam_search import likeliest_labels, possible_labels
from archive_pipeline.engines.language_likelihood import LabelLanguage, Place

_SHARPNESS = 0.5
"""Of certainties: a network and a language are not independent, and both together are too sure of themselves. With this
there are as few wrong words among the sure ones as where a network reads alone."""

Decoded = list[tuple[int, int, int, float]]
"""Label, first and last time step, confidence of each character."""


class LanguageDecoder:
    """In the place of ``kraken.lib.ctc_decoder.greedy_decoder``."""

    def __init__(self, language: LabelLanguage) -> None:
        self._language = language

    def __call__(self, outputs: torch.Tensor, lengths: torch.Tensor | None = None) -> list[Decoded]:
        """Decode lines.

        Args:
            outputs: Lines x classes x time steps, probabilities.
            lengths: Of the lines; None where none is padded.
        """
        widths = [outputs.shape[-1]] * len(outputs) if lengths is None else lengths.tolist()
        return [self._line(line[:, : int(width)]) for line, width in zip(outputs, widths, strict=True)]

    def labels(self, probabilities: torch.Tensor) -> list[int]:
        """Those of the likeliest line.

        Args:
            probabilities: Classes x time steps.
        """
        return likeliest_labels(_logarithms(probabilities), self._language)

    def _line(self, probabilities: torch.Tensor) -> Decoded:
        values = _logarithms(probabilities)
        if not np.isfinite(values).all():  # a network that is broken says nothing
            return []
        labels = likeliest_labels(values, self._language)
        spans = aligned(values, labels)
        sure = self._certainties(values, labels, spans)
        return [(label, *span, each) for label, span, each in zip(labels, spans, sure, strict=True)]

    def _certainties(self, values: NDArray[np.float32], labels: list[int], spans: list[tuple[int, int]]) -> list[float]:
        """How sure each label is, against all that could stand in its place with the rest as it is."""
        found, place = [], self._language.start
        for index, (label, (first, last)) in enumerate(zip(labels, spans, strict=True)):
            step = values[first + int(values[first : last + 1, label].argmax())]
            others = dict(possible_labels(step)) | {label: float(step[label])}
            following = labels[index + 1 : index + self._language.order]
            ends = index + self._language.order > len(labels)
            scores = np.array([value + self._said(place, each, following, ends=ends) for each, value in others.items()])
            shares = np.exp(_SHARPNESS * (scores - scores.max()))
            found.append(float(shares[list(others).index(label)] / shares.sum()))
            place, _ = self._language.say(place, label)
        return found

    def _said(self, place: Place, label: int, following: list[int], *, ends: bool) -> float:
        """What the language says of a label, the blank among them, and what follows it."""
        said = 0.0
        for each in (label, *following) if label else following:
            place, more = self._language.say(place, each)
            said += more
        return said + self._language.end(place) if ends else said


def _logarithms(probabilities: torch.Tensor) -> NDArray[np.float32]:
    """Of classes x time steps, with the steps first."""
    values: NDArray[np.float32] = probabilities.T.clamp_min(torch.finfo(torch.float32).tiny).log().numpy()
    return values
