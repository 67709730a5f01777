"""Every text that the reading view shows, in one place, so that it can be translated.

``{n}`` and the like are filled in. A key with ``.one`` has a second one with ``.other``, for one thing and for several.
The scripts get those under ``script.`` only.
"""

from __future__ import annotations

LANGUAGE = "en"

TEXTS: dict[str, str] = {
    "skip.text": "Skip to the text",
    "skip.main": "Skip to the content",
    "no-script": "Without JavaScript the pages can be read; search, filter and keys need it.",
    "made-by": "Made by archive-pipeline {version}. Nothing on this page is loaded from elsewhere.",
    # The document
    "kind": "Document",
    "pages": "Pages",
    "pages.one": "{n} page",
    "pages.other": "{n} pages",
    "lines.one": "{n} line",
    "lines.other": "{n} lines",
    "doubtful.one": "{n} doubtful line",
    "doubtful.other": "{n} doubtful lines",
    "corrected.one": "{n} corrected line",
    "corrected.other": "{n} corrected lines",
    "confidence.mean": "{percent} mean confidence",
    "notes": "Notes",
    "column.page": "Page",
    "column.status": "Status",
    "column.lines": "Lines",
    "column.confidence": "Confidence",
    "column.doubtful": "Doubtful",
    "column.corrected": "Corrected",
    "pages.hint": "A line is doubtful where the machine’s confidence is below {percent} % or it read nothing.",
    "eye": "Only pages that need an eye",
    "status.done": "Read",
    "status.blank": "Blank",
    "status.born_digital": "Born digital",
    "status.skipped": "Skipped",
    "status.failed": "Failed",
    "exports": "The whole document as",
    "provenance": "Provenance",
    "provenance.key": "Key",
    "provenance.source": "Source file, SHA-256",
    "provenance.date": "Source file, date",
    "provenance.date.unknown": "unknown",
    "provenance.steps": "What was done to the pages",
    "step.rendering": "Rendering",
    "step.segmentation": "Finding the lines",
    "step.recognition": "Reading",
    "step.spelling": "Proposing other spellings",
    "step.text-extraction": "Taking over the text of the source",
    "step.model": "Model",
    "step.parameters": "Parameters",
    "step.digest": "SHA-256 of the model",
    # A page
    "page": "Page {n}",
    "page.of": "of {n}",
    "navigation": "Pages of the document",
    "previous": "Previous",
    "next": "Next",
    "up": "All pages",
    "image": "Page image",
    "image.alt": "Image of page {n}",
    "image.none": "There is no image of this page.",
    "image.zoom": "Size of the image",
    "image.larger": "Enlarge",
    "image.smaller": "Reduce",
    "image.open": "Open the image alone",
    "text": "Text",
    "page.exports": "This page as",
    "notice.failed": "This page failed and was not read.",
    "notice.skipped": "This page was skipped.",
    "notice.blank": "This page is blank: there is no text on it.",
    "notice.done": "No text was found on this page.",
    "notice.born_digital": "This page is born digital, but holds no text.",
    "reason": "Reason:",
    "line": "Line {n}:",
    "line.confidence": "confidence {percent} %",
    "line.empty": "nothing read",
    "line.emptied": "no text",
    "word.confidence": "Confidence {percent} %",
    "word.alternatives": "Confidence {percent} %; perhaps: {words}",
    "corrected": "corrected",
    "corrected.machine": "The machine read:",
    "filter": "Confidence",
    "filter.only": "Only doubtful lines",
    "filter.threshold": "Doubtful is below",
    "legend.fair": "fair",
    "legend.doubtful": "doubtful",
    "legend.poor": "poor",
    "legend.corrected": "corrected by a person",
    "region.text": "Text",
    "region.heading": "Heading",
    "region.header": "Header",
    "region.footer": "Footer",
    "region.page-number": "Page number",
    "region.marginalia": "Marginal note",
    "region.table": "Table",
    "region.caption": "Caption",
    "region.stamp": "Stamp",
    "region.graphic": "Picture",
    "region.other": "Other",
    # Search, colours, keys
    "search": "Search",
    "search.label": "Search the text of the document",
    "search.hint": "Capitals, accents and line breaks do not matter.",
    "search.go": "Search",
    "theme": "Dark",
    "help": "Keys",
    "help.title": "Keys",
    "help.close": "Close",
    "help.single": "Keys that are single characters are on",
    "key.pages": "Previous and next page",
    "key.lines": "Next and previous line; of the doubtful ones, if only these are shown",
    "key.zoom": "Enlarge and reduce the image",
    "key.search": "Search",
    "key.help": "These keys",
    "key.escape": "Leave the line, the search field or this list",
    "key.left": "Left",
    "key.right": "Right",
    # Used by the scripts
    "script.loading": "Loading the text of the document…",
    "script.missing": "The search cannot work: {file} could not be loaded.",
    "script.short": "Type at least two letters.",
    "script.none": "“{query}” was not found.",
    "script.places.one": "{n} place",
    "script.places.other": "{n} places",
    "script.pages.one": "{places} on one page",
    "script.pages.other": "{places} on {n} pages",
    "script.apart": "These words stand nowhere together. {found} that have them all.",
    "script.more": "Show all {n} places",
    "script.page": "Page {n}",
    "script.line": "Line {n}",
    "script.eye.one": "{n} page needs an eye.",
    "script.eye.other": "{n} pages need an eye.",
    "script.filter.one": "{n} of {all} lines is doubtful.",
    "script.filter.other": "{n} of {all} lines are doubtful.",
    "script.marked.one": "{n} place with “{query}” is marked.",
    "script.marked.other": "{n} places with “{query}” are marked.",
    "script.marked.none": "“{query}” is not on this page.",
    "script.back": "Back to the results",
    "script.unmark": "Remove the marks",
}

FORMATS = {
    "pdf": "Searchable PDF",
    "text": "Plain text",
    "page": "PAGE XML",
    "alto": "ALTO XML",
    "hocr": "hOCR",
    "iiif": "IIIF manifest",
    "mets": "METS",
    "tei": "TEI",
    "lines": "Table of lines",
    "json": "JSON",
}
"""Names of the formats for people; one that is not here goes by its own name."""


def text(key: str, **values: object) -> str:
    """The text of a key, filled in.

    Raises:
        KeyError: There is no such text.
    """
    return TEXTS[key].format(**values)


def count(key: str, n: int) -> str:
    """The text of a key for ``n`` things."""
    return text(f"{key}.one" if n == 1 else f"{key}.other", n=n)


def script_texts() -> dict[str, str]:
    """What the scripts show, by keys without ``script.``."""
    return {key.removeprefix("script."): value for key, value in TEXTS.items() if key.startswith("script.")}
