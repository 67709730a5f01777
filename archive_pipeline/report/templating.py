"""The templates, and what all of them know."""

from __future__ import annotations

import functools
import math
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from archive_pipeline import __version__
from archive_pipeline.errors import printable
from archive_pipeline.page import clean_text
from archive_pipeline.report import plots, wording


@functools.cache
def environment() -> Environment:
    """The templates; everything that they put into HTML is escaped."""
    made = Environment(
        loader=PackageLoader("archive_pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "version": __version__,
        "bar": plots.bar,
        "count": wording.count,
        "class_name": wording.class_name,
    }
    made.filters |= {
        "percent": _percent,
        "rate": wording.percent,
        "size": wording.size,
        "shown": lambda text: clean_text(printable(text)),
        "number": lambda value: f"{value:,}",
    }
    return made


def stylesheet(name: str) -> bytes:
    """A stylesheet beside the templates."""
    return resources.files(__package__).joinpath("templates", name).read_bytes()


def _percent(confidence: float | None) -> str:
    # Rounded down: what is not certain is not called so.
    return "" if confidence is None else f"{math.floor(confidence * 1000 + 1e-6) / 10:.1f} %"
