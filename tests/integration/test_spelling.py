"""Spelling suggestions with Debian's list, in the sealed page worker, and asked for in vain on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archive_pipeline.demo.archive import DemoArchive
from archive_pipeline.durable import read_json
from archive_pipeline.intake import expand
from archive_pipeline.page import Page
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.processor import Processor
from archive_pipeline.spelling.lists import FOLDER, find_lists
from archive_pipeline.store import Store


@pytest.mark.skipif(not (FOLDER / "french").is_file(), reason="the word list is not here: Debian's package wfrench")
def test_suggestions_stand_beside_the_same_text_and_switching_them_off_gives_the_same_bytes(
    demo: DemoArchive, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    (document,) = expand(demo.documents[:1])
    key = store.register(document, tmp_path)
    folder = store.document(key)
    stored: dict[str, bytes] = {}
    for name, spelling in (("before", None), ("on", ("fr",)), ("after", ())):
        options = ProcessingOptions(workers=1, pages="1", formats=("json",), spelling=spelling)
        with Processor(store, options) as processor:
            list(processor.process(key))
        stored[name] = (folder.exports / "pages" / "0001.json").read_bytes()
        report: Any = read_json(folder.root / "run.json")
        assert ("spelling" in report["pages"]["1"]["seconds"]) == (name == "on")
    assert stored["before"] == stored["after"] != stored["on"]
    before, on = (Page.model_validate_json(stored[name]) for name in ("before", "on"))
    assert on.text == before.text != ""
    assert on.steps[:-1] == before.steps
    assert (on.steps[-1].task, on.steps[-1].model_digest) == ("spelling", find_lists(["fr"])[0].sha256)


def test_a_language_without_a_list_is_wrong_usage_in_one_sentence(cli: Any, demo: DemoArchive) -> None:
    ran = cli("run", demo.documents[0], check=False, ARCHIVE_SPELLING="la")
    assert ran.status == 2
    assert "there is no word list for the language 'la'. Choose among" in ran.stderr
