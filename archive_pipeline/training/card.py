"""Model cards as HTRMoPo has them (its metadata schema v1), so that a model can be deposited and found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from iso639 import Lang
from iso639.exceptions import DeprecatedLanguageValue, InvalidLanguageValue

from archive_pipeline.errors import printable

_ANY_SCRIPT, _ANY_LANGUAGE = "Zyyy", "und"
_SCRIPTS = {
    "latin": "Latn",
    "kurrent": "Latn",
    "fraktur": "Latf",
    "greek": "Grek",
    "cyrillic": "Cyrl",
    "arabic": "Arab",
}
_NOT_OPEN = "other-closed"
_LICENCES = {"CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0", "Apache-2.0", "MIT"}
"""That are called in HTRMoPo's list as SPDX calls them."""
_ASK_LITTLE = {"Apache-2.0", "MIT", "CC0-1.0", "BSD-3-Clause"}


@dataclass(frozen=True)
class Source:
    """Ground truth that a model was made of.

    Attributes:
        name: Of the set, or of the document whose pages were corrected.
        licence: None where nobody said.
    """

    name: str
    pages: int
    licence: str | None


@dataclass(frozen=True)
class CardFacts:
    """What a card says.

    Attributes:
        model_type: ``recognition`` or ``segmentation``.
        languages, scripts: As people wrote them.
        metrics: Such as ``{"cer": 6.1}``, in percent.
        software: Version of what loads it.
        recipe: As it can be run again.
    """

    id: str
    model_type: str
    hand: str
    base: str
    base_licence: str
    sources: Sequence[Source]
    languages: Sequence[str]
    scripts: Sequence[str]
    metrics: Mapping[str, float]
    software: str
    recipe: Mapping[str, Any]
    notes: Sequence[str] = ()


def licence_of(sources: Sequence[Source], base: str) -> str:
    """The licence of a model: that of all its ground truth if it is one, else none that is open.

    Nobody here may weaken what the owners of pages wrote, nor combine it for them.

    Args:
        base: Licence of the model that it was begun with. One that asks for more than to be named counts as well.
    """
    licences = {source.licence for source in sources} | ({base} - _ASK_LITTLE)
    only = licences.pop() if len(licences) == 1 else None
    return only if only in _LICENCES else _NOT_OPEN


def model_card(facts: CardFacts) -> str:
    """A card: Markdown with the metadata before it, as HTRMoPo keeps it."""
    licence = licence_of(facts.sources, facts.base_licence)
    metadata: dict[str, Any] = {
        "id": facts.id,
        "authors": [{"name": "archive-pipeline, with ground truth of the sets below"}],
        "summary": f"{facts.model_type.capitalize()} of the hand {printable(facts.hand)}",
        "license": licence,
        "software_name": "kraken",
        "software_hints": [f"version={facts.software}"],
        "language": sorted({_language(tag) for tag in facts.languages}) or [_ANY_LANGUAGE],
        "script": sorted({_script(name) for name in facts.scripts}) or [_ANY_SCRIPT],
        "model_type": [facts.model_type],
        "keywords": [printable(facts.hand)],
    }
    if licence == _NOT_OPEN:
        metadata["license_name"] = "As its ground truth: see below"
    if facts.metrics:
        metadata["metrics"] = dict(facts.metrics)
    header = yaml.safe_dump(metadata, allow_unicode=True, sort_keys=False)
    return f"---\n{header}---\n{_text(facts)}"


def _text(facts: CardFacts) -> str:
    sources = "\n".join(
        f"- {printable(source.name)}: {source.pages} pages, {printable(source.licence or 'no licence was told')}"
        for source in facts.sources
    )
    recipe = "\n".join(f"- {name}: {value}" for name, value in facts.recipe.items())
    notes = "".join(f"\n{note}\n" for note in facts.notes)
    return f"""# {printable(facts.hand)}

A model for {facts.model_type}, trained for one hand. It was begun with {facts.base} ({facts.base_licence}), and does
worse than that on other hands and print.
{notes}
## Ground truth

{sources}

## Recipe

{recipe}
"""


def _language(tag: str) -> str:
    try:
        return str(Lang(tag.partition("-")[0].lower()).pt3) or _ANY_LANGUAGE
    except (InvalidLanguageValue, DeprecatedLanguageValue):
        return _ANY_LANGUAGE


def _script(name: str) -> str:
    known = _SCRIPTS.get(name.strip().lower())
    if known:
        return known
    return name if len(name) == 4 and name.istitle() and name.isascii() else _ANY_SCRIPT
