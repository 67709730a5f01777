"""Data as a classic script."""

from __future__ import annotations

import json


def call(function: str, data: object) -> bytes:
    """A call of ``archiveView.<function>`` with ``data``, as a line of JavaScript.

    It belongs into a file of its own; inside HTML it would need more escaping.
    """
    # The two separators are line ends in the JavaScript of older browsers, which JSON does not know.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f"archiveView.{function}({text});\n".encode()
