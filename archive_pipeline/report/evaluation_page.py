"""An evaluation for a browser: one file without scripts, which loads nothing.

What comes from ground truth and from models (texts, names) is escaped. Pictures of lines are in the file itself, and
the one stylesheet is allowed by its digest, so that the strictest Content-Security-Policy may stand.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from archive_pipeline.durable import write_bytes
from archive_pipeline.evaluation.graphemes import segments
from archive_pipeline.evaluation.pictures import CONFUSIONS, PER_CONFUSION, Place, worst_lines
from archive_pipeline.evaluation.record import Evaluation
from archive_pipeline.report.templating import environment, stylesheet

_STYLES = ("style.css", "evaluation.css")
_NAMES = {"": "nothing", " ": "a blank"}


def write_evaluation(evaluation: Evaluation, pictures: Mapping[Place, bytes], path: Path) -> None:
    """Write the page.

    Args:
        pictures: JPEGs of lines.

    Raises:
        StorageError, NoSpaceLeft: It cannot be written.
    """
    page = environment().get_template("evaluation.html").render(**values(evaluation, pictures))
    write_bytes(path, page.encode())


def values(evaluation: Evaluation, pictures: Mapping[Place, bytes]) -> dict[str, Any]:
    """What the template shows."""
    style = "".join(stylesheet(name).decode() for name in _STYLES)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    lines = {(page.id, line.index): line for page in evaluation.pages for line in page.lines}

    def picture(place: Place) -> str:
        data = pictures.get(place, b"")
        return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}" if data else ""

    def line(place: Place) -> dict[str, Any]:
        record = lines[place]
        return {
            "place": _name(place),
            "record": record,
            "picture": picture(place),
            "segments": segments(record.truth, record.read),
        }

    return {
        "policy": (
            f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        ),
        "style": Markup(style),  # noqa: S704 - our own
        "evaluation": evaluation,
        "lines": len(lines),
        "parts": [("Documents", evaluation.documents), ("Scripts", evaluation.scripts)],
        "confusions": [
            {
                "truth": _NAMES.get(each.truth, each.truth),
                "read": _NAMES.get(each.read, each.read),
                "count": each.count,
                "examples": [line(place) for place in each.places[:PER_CONFUSION]],
            }
            for each in evaluation.confusions[:CONFUSIONS]
        ],
        "others": evaluation.confusions[CONFUSIONS:],
        "worst": [line(place) for place, _ in worst_lines(evaluation)],
    }


def _name(place: Place) -> str:
    page, index = place
    return page if index is None else f"{page}, line {index + 1}"
