"""Page selections as people write them."""

from __future__ import annotations

import re

from archive_pipeline.errors import UsageError


def parse_pages(text: str, pages: int) -> frozenset[int]:
    """The pages of a selection such as ``1-3,7`` or ``5-``.

    Args:
        text: Numbers and ranges from 1, separated by commas; an open end means the last page.
        pages: How many pages the document has; what lies beyond is left out.

    Raises:
        UsageError: It is not written like that.
    """
    chosen: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(-\s*(\d{1,9})?)?\s*", part)
        first = int(match[1]) if match else 0
        last = (int(match[3]) if match[3] else pages if match[2] else first) if match else 0
        if first < 1 or (match and match[3] and last < first):
            raise UsageError(f"'{text}' is no selection of pages", remedy="Write it like 1-3,7 or 5-.")
        chosen.update(range(first, min(last, pages) + 1))
    return frozenset(chosen)
