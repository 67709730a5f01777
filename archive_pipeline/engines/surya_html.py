"""The HTML of a block as lines of plain text; nothing of the HTML is left.

A paragraph, a heading, an item of a list and a row of a table are lines of their own, and ``br`` ends one. The cells
of a row stand two blanks apart (a tab would not outlive the page model, which knows blanks only). Formulas keep their
LaTeX, raised and lowered letters become plain, a box to tick is ☑ or ☐. What describes a picture is no text of the
page and is left out.
"""

from __future__ import annotations

import re

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, Tag

CELL_GAP = "  "

_LINES = frozenset(
    {"address", "article", "blockquote", "br", "caption", "center", "dd", "div", "dl", "dt", "fieldset", "figcaption"}
    | {"figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p"}
    | {"pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul"}
)
_CELLS = frozenset({"td", "th"})
_SILENT = frozenset(
    {"head", "img", "link", "meta", "noscript", "object", "script", "style", "svg", "template", "title"}
)
_AS_IT_STANDS = frozenset({"pre", "code"})
_BLANKS = re.compile(r"\s+")


def html_lines(html: str) -> tuple[str, ...]:
    """Lines of text, none of them empty."""
    lines: list[str] = []
    current: list[str] = []

    def finish() -> None:
        cells = [_BLANKS.sub(" ", cell).strip() for cell in "".join(current).split("\0")]
        text = CELL_GAP.join(cells).strip()
        if text:
            lines.append(text)
        current.clear()

    # A stack and not a recursion: how deep an answer is nested is up to the server.
    waiting: list[tuple[PageElement | str, bool]] = [(BeautifulSoup(html.replace("\0", ""), "html.parser"), False)]
    while waiting:
        node, verbatim = waiting.pop()
        if isinstance(node, str) and not isinstance(node, PageElement):
            finish()
        elif isinstance(node, Tag):
            if node.name in _SILENT:
                continue
            if node.name == "input":
                current.append("☑ " if node.has_attr("checked") else "☐ ")
            if node.name in _LINES:
                finish()
                waiting.append(("end", False))
            elif node.name in _CELLS and node.find_previous_sibling(["td", "th"]) is not None:
                current.append("\0")
            inside = _cell_parts(node) if node.name in _CELLS else list(node.children)
            waiting += [(child, verbatim or node.name in _AS_IT_STANDS) for child in reversed(inside)]
        elif type(node) is NavigableString:  # and none of its kinds: comments, declarations
            for number, part in enumerate(str(node).split("\n") if verbatim else [str(node)]):
                if number:
                    finish()
                current.append(part)
    finish()
    return tuple(lines)


def _cell_parts(cell: Tag) -> list[PageElement]:
    """What is in a cell, in one line: a row is a line, whatever its cells hold."""
    return [NavigableString(f"{text} ") for text in cell.stripped_strings]
