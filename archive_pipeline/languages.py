"""Language tags: what people write becomes the one form that XML, HTML and IIIF take (RFC 5646, "BCP 47").

A tag begins with a language of ISO 639, which is looked up, so that ``deu``, ``ger`` and ``de`` are one language and a
slip is none. What follows it (script, region, variants) is checked by its form alone: ``de-Latf``, ``fr-CA``,
``de-1901``.
"""

from __future__ import annotations

import re

from iso639 import Lang
from iso639.exceptions import DeprecatedLanguageValue, InvalidLanguageValue

_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)(?P<private>-x(?:-[a-z0-9]{1,8})+)?",
    re.ASCII,
)


def normalise_language(text: str) -> str:
    """The language tag for a tag or for a code of ISO 639, in the case that RFC 5646 recommends.

    The language is given by its shortest code, as RFC 5646 (2.2.1) demands: ``deu`` becomes ``de``, ``gsw`` stays.

    Raises:
        ValueError: It is none; the message says why, as a clause.
    """
    found = _TAG.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError("a language is a tag such as de, fr-CA or de-Latf, or a code of ISO 639-3 such as deu")
    try:
        language = Lang(found["language"])
    except DeprecatedLanguageValue as error:
        raise ValueError(f"'{found['language']}' is no code of ISO 639 any more. {error}") from None
    except InvalidLanguageValue:
        raise ValueError(f"'{found['language']}' is no language of ISO 639") from None
    code = language.pt1 or language.pt3
    if not code:
        raise ValueError(f"'{found['language']}' is a family of languages, not one")
    parts = [code]
    if found["script"]:
        parts.append(found["script"].title())
    if found["region"]:
        parts.append(found["region"].upper())
    return "-".join(parts) + found["variants"] + (found["private"] or "")
