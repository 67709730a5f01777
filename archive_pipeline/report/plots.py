"""Small plots in SVG, without scripts and inline styles: colours come from a stylesheet, words stand beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

_BLOCKS = "▁▂▃▄▅▆▇█"


def columns(values: Sequence[float], label: str, marked: Sequence[bool] = ()) -> Markup:
    """Upright bars over the whole width, as for days or classes.

    Args:
        values: Not negative.
        label: What it shows, for people who do not see it.
        marked: Which bars stand out.
    """
    count, most = max(len(values), 1), max([*values, 0.0]) or 1.0
    bars = []
    for place, value in enumerate(values):
        height = 100 * value / most
        height = max(height, 1.0) if value else 0.0
        kind = "bar marked" if place < len(marked) and marked[place] else "bar"
        bars.append(
            f'<rect class="{kind}" x="{place + 0.08:.2f}" y="{100 - height:.2f}" width="0.84" height="{height:.2f}"/>'
        )
    return _svg(f"0 0 {count} 100", "columns", label, bars)


def bar(value: float, most: float, low: float | None = None, high: float | None = None) -> Markup:
    """One lying bar of a table's row; with an interval as a line over it. Beside its figure, so that it is mute."""
    most = most or 1.0
    parts = [f'<rect class="bar" x="0" y="1" width="{100 * min(value / most, 1):.2f}" height="8"/>']
    if low is not None and high is not None:
        left, right = 100 * min(low / most, 1), 100 * min(high / most, 1)
        parts.append(
            f'<rect class="interval" x="{left:.2f}" y="4.2" width="{max(right - left, 0.5):.2f}" height="1.6"/>'
        )
    return _svg("0 0 100 10", "row", None, parts)


def _svg(box: str, kind: str, label: str | None, parts: Sequence[str]) -> Markup:
    said = f'role="img" aria-label="{escape(label)}"' if label is not None else 'aria-hidden="true"'
    return Markup(  # noqa: S704 - numbers and an escaped label
        f'<svg class="{kind}" viewBox="{box}" preserveAspectRatio="none" focusable="false" {said}>'
        f"{''.join(parts)}</svg>"
    )


def in_text(values: Sequence[float]) -> str:
    """Upright bars made of letters, where only text is shown: one letter a value, a dot for nothing."""
    most = max([*values, 0.0]) or 1.0
    return "".join(_BLOCKS[math.ceil(8 * value / most) - 1] if value > 0 else "·" for value in values)


def length_in_text(value: float, most: float, longest: int = 20) -> str:
    """A lying bar made of letters; something is never shown as nothing."""
    return "█" * math.ceil(longest * value / most) if value > 0 else ""
