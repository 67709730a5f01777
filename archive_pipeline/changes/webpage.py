"""The changes of a document as one file for a browser, without scripts, a network or another file."""

from __future__ import annotations

import base64
import functools
import hashlib
import math
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from archive_pipeline import __version__
from archive_pipeline.changes.document import DocumentChanges
from archive_pipeline.errors import printable
from archive_pipeline.page import clean_text


def changes_page(changes: DocumentChanges) -> str:
    """HTML of a document's changes; all that comes from the document is escaped."""
    style = resources.files(__package__).joinpath("templates", "changes.css").read_text("utf-8")
    # The one style that may apply is this one, whatever the document's text says.
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        _environment()
        .get_template("changes.html")
        .render(
            changes=changes,
            style=style,
            policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        )
    )


def percent(confidence: float | None) -> str:
    """Rounded down, as everywhere: what is not certain is not called so."""
    return "" if confidence is None else f"{math.floor(confidence * 1000 + 1e-6) / 10:.1f} %"


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("archive_pipeline.changes"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["version"] = __version__
    made.filters |= {"percent": percent, "shown": lambda text: clean_text(printable(text))}
    return made
