"""The likeliest line by a network and a language together: prefix beam search over the output of a CTC network.

Graves & Jaitly, Towards end-to-end speech recognition with recurrent neural networks, 2014; Hannun et al., First-pass
large vocabulary continuous speech recognition using bi-directional recurrent DNNs, 2014.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from archive_pipeline.engines.language_likelihood import LabelLanguage, Place

_BEAMS = 16
_LABELS = 8  # of a time step that are gone on with, at most, the blank among them
_LEAST = -7.0  # logarithm of what is no possibility any more
_NONE = -math.inf


class _Prefix:
    """A beginning of a line.

    Attributes:
        said: What the language says of it.
        longer: By one label, as far as something of that is a possibility yet.
    """

    __slots__ = ("before", "label", "longer", "place", "said")

    def __init__(self, before: _Prefix | None, label: int, place: Place, said: float) -> None:
        self.before, self.label, self.place, self.said = before, label, place, said
        self.longer: dict[int, _Prefix] = {}

    def labels(self) -> list[int]:
        found, at = [], self
        while at.before is not None:
            found.append(at.label)
            at = at.before
        return found[::-1]


_Beams = dict[_Prefix, tuple[float, float]]
"""Of each beginning the logarithms of all paths to it that end with a blank, and with its last label."""


def likeliest_labels(log_probabilities: NDArray[np.float32], language: LabelLanguage) -> list[int]:
    """The labels of the likeliest line.

    Args:
        log_probabilities: Time steps x classes; class 0 is the blank.
    """
    beams: _Beams = {_Prefix(None, 0, language.start, 0.0): (0.0, _NONE)}
    for step in log_probabilities:
        following: _Beams = {}
        possible = possible_labels(step)
        for prefix, (blank, label) in beams.items():
            both = _sum(blank, label)
            for each, probability in possible:
                if each == 0:
                    _add(following, prefix, both + probability, _NONE)
                elif each == prefix.label:
                    # Said twice it is one; only after a blank it is another.
                    _add(following, prefix, _NONE, label + probability)
                    if blank > _NONE:
                        _add(following, _longer(prefix, each, language), _NONE, blank + probability)
                else:
                    _add(following, _longer(prefix, each, language), _NONE, both + probability)
        ranked = sorted(following.items(), key=lambda beam: -(_sum(*beam[1]) + beam[0].said))
        beams = dict(ranked[:_BEAMS])
        for prefix, _ in ranked[_BEAMS:]:
            _forget(prefix, beams)
    return max(beams, key=lambda prefix: _sum(*beams[prefix]) + prefix.said + language.end(prefix.place)).labels()


def possible_labels(step: NDArray[np.float32]) -> list[tuple[int, float]]:
    """The labels of a time step that are gone on with, and their logarithms, the likeliest first."""
    best = np.argpartition(-step, _LABELS)[:_LABELS] if len(step) > _LABELS else np.arange(len(step))
    best = best[np.argsort(-step[best], kind="stable")]
    kept = [(int(label), float(step[label])) for label in best]
    return [kept[0], *(each for each in kept[1:] if each[1] > _LEAST)]


def _longer(prefix: _Prefix, label: int, language: LabelLanguage) -> _Prefix:
    found = prefix.longer.get(label)
    if found is None:
        place, said = language.say(prefix.place, label)
        found = prefix.longer[label] = _Prefix(prefix, label, place, prefix.said + said)
    return found


def _forget(prefix: _Prefix, beams: _Beams) -> None:
    """Let go of what is no possibility any more, for lines can be long."""
    while prefix.before is not None and not prefix.longer and prefix not in beams:
        if prefix.before.longer.pop(prefix.label, None) is None:
            return
        prefix = prefix.before


def _add(beams: _Beams, prefix: _Prefix, blank: float, label: float) -> None:
    before = beams.get(prefix)
    beams[prefix] = (blank, label) if before is None else (_sum(before[0], blank), _sum(before[1], label))


def _sum(one: float, other: float) -> float:
    """The logarithm of the sum of what two are the logarithms of."""
    if one < other:
        one, other = other, one
    return one if other == _NONE else one + math.log1p(math.exp(other - one))
