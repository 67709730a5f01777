"""The templates, and what all of them know."""

from __future__ import annotations

import functools
import json
import math

from jinja2 import Environment, PackageLoader, StrictUndefined

from archive_pipeline import __version__
from archive_pipeline.exports.reading_view import texts
from archive_pipeline.exports.reading_view.page_view import DOUBTFUL, POOR, SURE
from archive_pipeline.page import clean_text

POLICY = (
    # What 'self' means in a file that was opened from a folder is left open by the specification, hence file: as well.
    "default-src 'none'; img-src 'self' file:; style-src 'self' file:; script-src 'self' file:; "
    "base-uri 'none'; form-action 'none'"
)


def _percent(confidence: float | None) -> str:
    # Rounded down, as those of lines are: what is not certain is not called so.
    return "" if confidence is None else f"{math.floor(confidence * 1000 + 1e-6) / 10:.1f} %"


def _parameter(value: str | int | float | bool) -> str:
    return clean_text(value if isinstance(value, str) else json.dumps(value))


@functools.cache
def environment() -> Environment:
    """The templates; everything that they put into HTML is escaped."""
    made = Environment(
        loader=PackageLoader("archive_pipeline.exports.reading_view"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "t": texts.text,
        "count": texts.count,
        "ui_language": texts.LANGUAGE,
        "policy": POLICY,
        "version": __version__,
        "sure_from": SURE,
        "doubtful_below": DOUBTFUL,
        "poor_below": POOR,
    }
    made.filters |= {"percent": _percent, "parameter": _parameter, "clean": clean_text}
    return made
