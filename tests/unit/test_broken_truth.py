"""Broken transcription files: each is refused with the place, or read as far as it says something, and none harms."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_pipeline.bench.broken_truth import COORDS, READ, REFUSED, alto, line, page, region
from archive_pipeline.errors import ArchiveError, BadTranscription, DocumentRefused, TooLarge
from archive_pipeline.page import Page
from archive_pipeline.training_sets.child import handle


def ask(content: str | bytes, do: str = "page", **more: Any) -> dict[str, Any]:
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return handle({"do": do, "name": "a.xml", **more}, [io.BytesIO(data)], Path("/nowhere"))


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_file_is_refused_with_what_is_wrong(name: str) -> None:
    content, expected = REFUSED[name]
    with pytest.raises(BadTranscription) as error:
        ask(content)
    assert expected in error.value.what
    assert error.value.remedy


@pytest.mark.parametrize("name", READ)
def test_a_file_with_gaps_is_read_as_far_as_it_goes(name: str) -> None:
    answer = ask(READ[name])
    found = Page.model_validate(answer["page"])
    assert len(answer["raw"]) == len(list(found.lines())) == READ[name].count("<TextLine")


def test_inches_need_the_resolution_of_the_image() -> None:
    content = alto(head="<Description><MeasurementUnit>inch1200</MeasurementUnit></Description>")
    assert Page.model_validate(ask(content, dpi=600)["page"]).width == 50


def test_what_a_file_says_of_its_image_is_found_without_reading_the_rest() -> None:
    assert ask(page(size=""), "told") == {"name": "a.jpg", "digest": ""}
    ours = page().replace(
        "<Page", f'<Metadata><MetadataItem type="imageProperties" name="sha256" value="{"a" * 64}"/></Metadata><Page', 1
    )
    assert ask(ours, "told")["digest"] == "a" * 64


@pytest.mark.parametrize(
    ("data", "error"), [(b"\xff\xfe", BadTranscription), (b"x" * 70_000, TooLarge)], ids=["not-utf-8", "a-book"]
)
def test_a_text_that_is_none_is_refused(data: bytes, error: type[ArchiveError]) -> None:
    with pytest.raises(error):
        ask(data, "text")


def test_a_text_loses_its_byte_order_mark_and_line_break_and_nothing_else() -> None:
    assert ask(b"\xef\xbb\xbf e\xcc\x81 \r\n", "text") == {"text": " e\u0301 "}


@given(st.binary(max_size=60), st.integers(0, 400), st.sampled_from([page(region(line(COORDS))), alto()]))
@settings(max_examples=150)
def test_a_file_with_any_bytes_changed_is_read_or_refused(noise: bytes, at: int, content: str) -> None:
    data = bytearray(content.encode())
    data[at : at + len(noise)] = noise
    try:
        answer = ask(bytes(data))
    except DocumentRefused as error:
        assert error.what  # noqa: PT017 - either is right
        return
    assert Page.model_validate(answer["page"]).width >= 1
