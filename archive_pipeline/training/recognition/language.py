"""The language of a hand, from the very lines that it is trained with, and how much it is to say.

A network reads letters; which words a clerk writes again and again it hardly learns. What is counted in the pages of
the hand itself is little, and just what is needed: formulas, names of the place, how the writer spells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import torch
from pydantic import BaseModel, ConfigDict

from archive_pipeline.engines.language_decoding import LanguageDecoder
from archive_pipeline.engines.language_likelihood import LabelLanguage, Likelihood
from archive_pipeline.models.language import END, MOST, START, Language
from archive_pipeline.training.recognition.lines import CutLine
from archive_pipeline.training.recognition.network import TrainableNetwork
from archive_pipeline.training.recognition.reading import best_path, character_error_rate, line_logits

_USUAL = (0.5, 0.8)
_TRIED = (_USUAL, (0.3, 0.3), (0.7, 1.0), (1.0, 1.5))
"""Weight and bonus."""
_LINES = 100  # for validation, by which one of them is chosen
_ENOUGH = 20


class LearntLanguage(BaseModel):
    """How a language was chosen.

    Attributes:
        kept: The model reads with it; if not, the lines for validation were read no worse without.
        lines: For validation, by which it was chosen; with too few the usual weights are taken.
        cer_alone, cer: Of the network on those lines, without it and with it, in percent; None with too few.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kept: bool
    order: int
    weight: float
    bonus: float
    lines: int
    cer_alone: float | None
    cer: float | None

    def __str__(self) -> str:
        told = f"{self.order}-grams, weight {self.weight:g}, bonus {self.bonus:g}" if self.kept else "none"
        if self.cer_alone is None or self.cer is None:
            return f"{told}, the usual ones"
        return f"{told}: on {self.lines} lines CER {self.cer_alone:.2f} % without, {self.cer:.2f} % with it"


def learn_language(
    network: TrainableNetwork,
    train: Sequence[CutLine],
    validate: Sequence[CutLine],
    order: int,
    device: torch.device,
    said: Callable[[str], None],
) -> tuple[Language | None, LearntLanguage | None]:
    """Count what the lines say; no language where the network reads the lines for validation no worse without.

    Its weights are chosen with the lines that are trained with alone; then those for validation are counted, too.

    Args:
        order: Characters of an n-gram; 0 for no language.
    """
    if order == 0:
        return None, None
    symbols = network.symbols

    def written(lines: Iterable[CutLine]) -> list[str]:
        return ["".join(symbols.get(label, "") for label in network.labels(line.text)) for line in lines]

    held = validate[:: -(-len(validate) // _LINES) or 1]
    weights, used, alone, cer = _USUAL, 0, None, None
    if len(held) >= _ENOUGH:
        said(f"What the language of the hand is to say is weighed on {len(held)} lines.")
        likelihood, used = Likelihood(counts_of(written(train), order), order), len(held)
        alone, rates = _rates(network, held, [LabelLanguage(likelihood, *each, symbols) for each in _TRIED], device)
        cer, weights = min(zip(rates, _TRIED, strict=True), key=lambda pair: pair[0])
    weight, bonus = weights
    kept = alone is None or cer is None or cer < alone
    learnt = LearntLanguage(kept=kept, order=order, weight=weight, bonus=bonus, lines=used, cer_alone=alone, cer=cer)
    said(f"The language of the hand: {learnt}.")
    if not kept:
        return None, learnt
    counts = counts_of(written([*train, *validate]), order)
    return Language(order=order, weight=weight, bonus=bonus, counts=counts), learnt


def counts_of(lines: Iterable[str], order: int) -> dict[str, dict[str, int]]:
    """What is counted in some lines, sorted. Where that is too much, the rarest are counted with less before them."""
    found: Counter[tuple[str, str]] = Counter()
    for line in lines:
        text = f"{START}{line}{END}"
        for at in range(1, len(text)):
            found[text[max(0, at - order + 1) : at], text[at]] += 1
    rare = 1
    while len(found) > MOST and rare <= 2 * max(found.values()):
        for longest in range(order - 1, 0, -1):
            if len(found) > MOST:
                found = _shortened(found, longest, rare)
        rare *= 2
    counts: dict[str, dict[str, int]] = {}
    for (context, character), count in sorted(found.items()):
        counts.setdefault(context, {})[character] = count
    return counts


def _shortened(found: Counter[tuple[str, str]], longest: int, rare: int) -> Counter[tuple[str, str]]:
    """What is rare with so much before it is counted with less; what else came there is a little surer then."""
    shorter: Counter[tuple[str, str]] = Counter()
    for (context, character), count in found.items():
        less = len(context) == longest and count <= rare
        shorter[context[1:] if less else context, character] += count
    return shorter


def _rates(
    network: TrainableNetwork, lines: Sequence[CutLine], tried: Sequence[LabelLanguage], device: torch.device
) -> tuple[float, list[float]]:
    """CER without a language, and with each."""
    decoders = [LanguageDecoder(language) for language in tried]
    truths: list[str] = []
    read: list[list[str]] = [[] for _ in range(len(tried) + 1)]
    for index, logits in line_logits(network, lines, device):
        truths.append(lines[index].text)
        outputs = logits.float().softmax(0).cpu()
        found = [best_path(logits), *(decoder.labels(outputs) for decoder in decoders)]
        for texts, labels in zip(read, found, strict=True):
            texts.append(network.text(labels))
    alone, *rates = (character_error_rate(truths, texts) for texts in read)
    return alone, rates
