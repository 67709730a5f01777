"""Reads a folder of exports with programs that are not ours, in their own environment; prints what each said as JSON.

``python read_exports.py FOLDER`` prints a list of ``[format, reader, file, problem]``, with an empty problem for what
was accepted. A file that makes a reader fail is a problem, whatever the error is.
"""

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from lxml import etree
from ocrd_models.ocrd_page import parse as parse_page
from ocrd_page_to_alto.convert import OcrdPageAltoConverter
from pagexml.parser import parse_pagexml_file

BIN = Path(sys.executable).parent
PAGE = "{http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15}"


def texts(path: Path, *, corrected: bool = True) -> list[str]:
    """The text of each line of a PAGE file, by its XML alone; empty, on request, where a person corrected it."""
    lines = list(etree.parse(path).iterfind(f".//{PAGE}TextLine"))
    # The tools by the name of pagexml see no text in a line that has two: the correction and what the machine read.
    one = [corrected or len(line.findall(f"{PAGE}TextEquiv")) < 2 for line in lines]
    found = [line.findtext(f"{PAGE}TextEquiv/{PAGE}Unicode") or "" for line in lines]
    return [text if seen else "" for text, seen in zip(found, one, strict=True)]


def by_pagexml_tools(path: Path) -> str:
    scan = parse_pagexml_file(str(path))
    read = sorted(" ".join((line.text or "").split()) for line in scan.get_lines())
    written = sorted(" ".join(text.split()) for text in texts(path, corrected=False))
    return "" if read == written else f"{len(read)} lines of {len(written)}, or other texts"


def by_ocrd(path: Path) -> str:
    page = parse_page(str(path), silence=True).get_Page()
    regions = page.get_AllRegions(classes=["Text"], order="reading-order")
    lines = [line for region in regions for line in region.get_TextLine()]
    read = [line.get_TextEquiv()[0].get_Unicode() if line.get_TextEquiv() else "" for line in lines]
    return "" if [text or "" for text in read] == texts(path) else "other texts, or in another order"


def by_page_to_alto(path: Path) -> str:
    converter = OcrdPageAltoConverter(page_filename=str(path), logger=logging.getLogger("silent"))
    converter.convert()
    alto = etree.fromstring(str(converter).encode())
    words = [word for each in alto.iterfind(".//{*}String") for word in (each.get("CONTENT") or "").split()]
    text = path.parent.parent / "text" / path.with_suffix(".txt").name
    return "" if words == text.read_text("utf-8").split() else "other words than in the text file"


def by_hocr_check(path: Path) -> str:
    # Whether lines overlap is a matter of the page, not of the file.
    done = subprocess.run([BIN / "hocr-check", "-o", path], capture_output=True, text=True, check=False)
    failed = [line for line in done.stderr.splitlines() if not line.startswith("ok")]
    return "; ".join(failed) or ("" if done.returncode == 0 else "it failed")


def by_hocr_lines(path: Path) -> str:
    done = subprocess.run([BIN / "hocr-lines", path], capture_output=True, text=True, check=True)
    text = path.parent.parent / "text" / path.with_suffix(".txt").name
    return "" if done.stdout.split() == text.read_text("utf-8").split() else "other words than in the text file"


def by_ocrd_validate(path: Path) -> str:
    command = [BIN / "ocrd", "-l", "OFF", "workspace", "validate", path.name]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)
    report = etree.fromstring(done.stdout[done.stdout.index("<report") :])
    # A notice is about the scan, such as an image without a resolution.
    return "; ".join(f"{found.tag}: {found.text}" for found in report if found.tag != "notice")


READERS: list[tuple[str, str, str, Callable[[Path], str]]] = [
    ("page", "pagexml-tools", "page/*.xml", by_pagexml_tools),
    ("page", "OCR-D's model", "page/*.xml", by_ocrd),
    ("page", "ocrd-page-to-alto", "ocr-d/*.xml", by_page_to_alto),
    ("hocr", "hocr-check", "hocr/*.hocr", by_hocr_check),
    ("hocr", "hocr-lines", "hocr/*.hocr", by_hocr_lines),
    ("mets", "ocrd workspace validate", "mets.xml", by_ocrd_validate),
]


def read(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    for name, reader, files, check in READERS:
        found = sorted(folder.glob(files))
        if not found:
            yield name, reader, files, "there is no such file"
        for path in found:
            try:
                problem = check(path)
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
            yield name, reader, path.relative_to(folder).as_posix(), problem


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(list(read(Path(sys.argv[1]).resolve()))))
