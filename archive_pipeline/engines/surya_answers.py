"""Whether what surya's parsers make of an answer is all that the answer says.

They pass over what they do not understand; a block that is passed over is text that is lost.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

_MOST = 5_000  # blocks of a page
_OUTSIDE = 1_100  # places are in thousandths of the page; a little beyond an edge is cut off later


def layout_problem(raw: str, parse: Callable[[str], Sequence[Any]]) -> str:
    """What is wrong with a layout; empty if nothing is."""
    try:
        blocks = parse(raw)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return "no list of blocks"
    return _places_problem(blocks)


def full_page_problem(raw: str, parse: Callable[[str], Sequence[Any]]) -> str:
    """What is wrong with the HTML of a page; empty if nothing is."""
    try:
        blocks = parse(raw)
        top = list(BeautifulSoup(_without_fences(raw), "html.parser").children)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return "no HTML"
    if not blocks:
        return "no blocks"
    outside = [node for node in top if not isinstance(node, Tag) and type(node) is NavigableString and node.strip()]
    tags = [node for node in top if isinstance(node, Tag)]
    if outside or len(tags) != len(blocks):
        return "something stands outside of its blocks, or a block has no label or place"
    return _places_problem(blocks)


def block_probabilities(raw: str, tokens: Sequence[dict[str, Any]] | None) -> list[float]:
    """Mean probability of the tokens of each block of a page; empty where it cannot be said whose a token is.

    Args:
        raw: HTML of which :func:`full_page_problem` has nothing to say.
        tokens: As the server gives them: ``token`` and ``logprob``.
    """
    pieces = [(str(token.get("token")), token.get("logprob")) for token in tokens or ()]
    if "".join(text for text, _ in pieces) != raw or raw.strip().startswith("```"):
        return []
    lines = [0, *(place + 1 for place, char in enumerate(raw) if char == "\n")]
    blocks = BeautifulSoup(raw, "html.parser").find_all("div", recursive=False)
    starts = [lines[(block.sourceline or 1) - 1] + (block.sourcepos or 0) for block in blocks]
    found: list[list[float]] = [[] for _ in starts]
    place = 0
    for text, logprob in pieces:
        number = bisect_right(starts, place) - 1
        if number >= 0 and isinstance(logprob, int | float) and -math.inf < logprob <= 0:
            found[number].append(math.exp(logprob))
        place += len(text)
    return [sum(each) / len(each) for each in found] if all(found) else []


def _places_problem(blocks: Sequence[Any]) -> str:
    if len(blocks) > _MOST:
        return f"more than {_MOST} blocks"
    for block in blocks:
        if not all(math.isfinite(value) and -_OUTSIDE <= value <= _OUTSIDE for value in block.bbox):
            return "a block that lies outside of the page"
    return ""


def _without_fences(raw: str) -> str:
    """As surya takes the fence of a code block away."""
    text = raw.strip()
    return text.split("\n", 1)[-1].removesuffix("```") if text.startswith("```") else text
