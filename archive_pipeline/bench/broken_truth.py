"""Transcription files that are broken, each with what is wrong with it."""

from __future__ import annotations

PAGE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
COORDS = '<Coords points="0,0 90,0 90,40 0,40"/>'


def page(body: str = "", size: str = 'imageWidth="100" imageHeight="200"', head: str = "") -> str:
    return f'{head}<PcGts xmlns="{PAGE}"><Page imageFilename="a.jpg" {size}>{body}</Page></PcGts>'


def region(lines: str) -> str:
    return f'<TextRegion id="r">{COORDS}{lines}</TextRegion>'


def line(inner: str, attributes: str = 'id="l"') -> str:
    return f"<TextLine {attributes}>{inner}<TextEquiv><Unicode>text</Unicode></TextEquiv></TextLine>"


def alto(body: str = "", size: str = 'WIDTH="100" HEIGHT="200"', head: str = "") -> str:
    return f'<alto xmlns="{ALTO}">{head}<Layout><Page {size}><PrintSpace>{body}</PrintSpace></Page></Layout></alto>'


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "line 1"),
    "no-xml": ("just text", "line 1"),
    "cut-off": (page(region(line(COORDS)))[:200], "line 1"),
    "not-utf-8": (b'<?xml version="1.0" encoding="UTF-8"?><PcGts>\xff\xfe</PcGts>', "line 1"),
    "html": ("<html><body/></html>", "neither PAGE nor ALTO"),
    "tei": ('<TEI xmlns="http://www.tei-c.org/ns/1.0"/>', "neither PAGE nor ALTO"),
    "an-entity": (page(head='<!DOCTYPE a [<!ENTITY b "c">]>'), "document type declaration"),
    "a-bomb-of-entities": (
        page("&d;", head='<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;"><!ENTITY d "&c;&c;">]>'),
        "",
    ),
    "a-foreign-file": (page("&b;", head='<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'), "document type"),
    "a-foreign-dtd": (page(head='<!DOCTYPE a SYSTEM "http://example.org/a.dtd">'), "document type declaration"),
    "too-deep": ("<a>" * 5000 + "</a>" * 5000, "line 1"),
    "no-page": (f'<PcGts xmlns="{PAGE}"/>', "there is no Page in it"),
    "no-size": (page(size=""), "imageWidth and imageHeight"),
    "a-size-of-nought": (page(size='imageWidth="0" imageHeight="0"'), "imageWidth and imageHeight"),
    "a-negative-size": (page(size='imageWidth="-5" imageHeight="5"'), "imageWidth and imageHeight"),
    "a-size-in-words": (page(size='imageWidth="wide" imageHeight="high"'), "is no number"),
    "a-size-beyond-all": (page(size='imageWidth="99999999" imageHeight="5"'), "is no number that a page can have"),
    "a-size-that-is-not-a-number": (page(size='imageWidth="NaN" imageHeight="5"'), "is no number"),
    "points-in-words": (page(region(line('<Coords points="here,there"/>'))), "are no points"),
    "half-a-point": (page(region(line('<Coords points="1,2 3"/>'))), "are no points"),
    "points-beyond-all": (page(region(line('<Coords points="1,2 99999999,4 5,6"/>'))), "are no points"),
    "a-baseline-in-words": (page(region(line(f'{COORDS}<Baseline points="a b"/>'))), "are no points"),
    "alto-without-a-layout": (f'<alto xmlns="{ALTO}"/>', "there is no Layout/Page in it"),
    "alto-without-a-size": (alto(size=""), "WIDTH and HEIGHT"),
    "alto-of-two-pages": (alto().replace("</Layout>", '<Page WIDTH="1" HEIGHT="1"/></Layout>'), "several pages"),
    "alto-in-millimetres": (
        alto(head="<Description><MeasurementUnit>mm10</MeasurementUnit></Description>"),
        "it measures in mm10",
    ),
    "alto-points-in-words": (
        alto('<TextBlock><TextLine><Shape><Polygon POINTS="a"/></Shape></TextLine></TextBlock>'),
        "are no points",
    ),
    "alto-places-in-words": (
        alto('<TextBlock><TextLine HPOS="left" VPOS="1" WIDTH="1" HEIGHT="1"/></TextBlock>'),
        "is no number",
    ),
}
"""Nothing of them is read; beside each a part of what is said."""

READ: dict[str, str] = {
    "no-lines": page(),
    "a-region-without-an-outline": page('<TextRegion id="r"/>'),
    "a-line-without-a-place": page(region(line(""))),
    "a-line-without-a-name": page(region(line(COORDS, ""))),
    "a-line-without-text": page(region(f'<TextLine id="l">{COORDS}</TextLine>')),
    "two-lines-of-one-name": page(region(line(COORDS) * 2)),
    "an-order-of-what-is-not-there": page(
        '<ReadingOrder><OrderedGroup id="o"><RegionRefIndexed index="0" regionRef="x"/></OrderedGroup></ReadingOrder>'
        + region(line(COORDS))
    ),
    "a-custom-that-is-none": page(region(line(COORDS, 'id="l" custom="readingOrder {index:x;} {{}"'))),
    "elements-of-another-world": page(region(line(COORDS) + "<b/>") + "<a/>"),
    "alto-tags-that-are-not-there": alto('<TextBlock TAGREFS="X Y"><TextLine TAGREFS="Z"/></TextBlock>'),
    "alto-strings-without-contents": alto("<TextBlock><TextLine><String/><SP/><HYP/></TextLine></TextBlock>"),
    "alto-without-an-extent": alto('<TextBlock><TextLine HPOS="1" VPOS="1" WIDTH="0" HEIGHT="0"/></TextBlock>'),
}
"""They are read as far as they go."""
