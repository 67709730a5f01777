"""From the output of kraken's networks to characters with places and confidences."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from kraken.lib.ctc_decoder import greedy_decoder

from archive_pipeline.engines.language_decoding import Decoded, LanguageDecoder
from archive_pipeline.engines.language_likelihood import LabelLanguage, Likelihood
from archive_pipeline.models.language import Language

Decoder = Callable[[torch.Tensor, torch.Tensor | None], list[Decoded]]


def decoder_for(codec: Any, language: Language | None) -> Decoder:
    """What kraken is given as its decoder: the best path, or the likeliest line where there is a language.

    Each character reaches half-way to its neighbours. A network says it in one time step, somewhere in its middle:
    boxes of words made from those alone would cut off half a letter at both ends.
    """
    read: Decoder = greedy_decoder
    if language is not None:
        likelihood = Likelihood(language.counts, language.order)
        read = LanguageDecoder(LabelLanguage(likelihood, language.weight, language.bonus, symbols_of(codec)))

    def decode(outputs: torch.Tensor, lengths: torch.Tensor | None = None) -> list[Decoded]:
        widths = [outputs.shape[-1]] * outputs.shape[0] if lengths is None else lengths.tolist()
        return [_widened(line, int(width)) for line, width in zip(read(outputs, lengths), widths, strict=True)]

    return decode


def symbols_of(codec: Any) -> dict[int, str]:
    """The text of each label of a codec.

    A few codecs write a character with several labels: these have no text but that of the characters which they alone
    stand for, if there are such, so that a language of such a network is a rough one.
    """
    return {labels[0]: text for labels, text in codec.l2c.items() if len(labels) == 1}


def _widened(decoded: Decoded, width: int) -> Decoded:
    centres = [(start + end + 1) / 2 for _, start, end, _ in decoded]
    gaps = sorted(after - before for before, after in pairwise(centres))
    half = gaps[len(gaps) // 2] / 2 if gaps else min(2.0, width / 2)
    widened = []
    for index, (label, start, end, confidence) in enumerate(decoded):
        left, right = centres[index] - half, centres[index] + half
        if index:
            left = max(left, (centres[index - 1] + centres[index]) / 2)
        if index + 1 < len(decoded):
            right = min(right, (centres[index] + centres[index + 1]) / 2)
        widened.append((label, max(0, min(start, round(left))), min(width, max(end + 1, round(right))), confidence))
    return widened
