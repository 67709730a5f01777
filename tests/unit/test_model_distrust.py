"""What sealed children answer is not believed, and what they could not do is not held against the model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from model_server import DATA, NAME, ModelServer, fetch_into, serving

from archive_pipeline.errors import ChildError, ChildNotStarted, ModelError, PageTimeout, StorageError
from archive_pipeline.models import check, staging
from archive_pipeline.models.check import check_model
from archive_pipeline.models.fetch import fetch_model
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.network import is_safe
from archive_pipeline.models.sources import htrmopo

DOI = "10.5281/zenodo.1234"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving() as server:
        yield server


def listed(server: ModelServer, **hostile: Any) -> dict[str, Any]:
    record = {"doi": DOI, "datestamp": "2026", "metadata": {"doi": DOI}, "files": [{"url": f"{server.url}/README.md"}]}
    return {"records": [record | hostile], "next": None}


@pytest.fixture
def answers(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have the sealed child answer as somebody would who took it over."""
    server.pages |= {
        "/oai2d?verb=ListRecords&metadataPrefix=dcat&set=user-ocr_models": b"<page/>",
        "/README.md": b"a card",
    }

    def told(**hostile: Any) -> None:
        @contextmanager
        def reader() -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
            card = {"record": {"doi": DOI, "summary": "x", "license": "y"}}
            yield lambda request: listed(server, **hostile) if "listing" in request else card

        monkeypatch.setattr(htrmopo, "reader", reader)

    return told


class TestListing:
    def test_an_honest_answer_is_used(self, server: ModelServer, answers: Callable[..., None], tmp_path: Path) -> None:
        answers()
        cards, told = htrmopo.listing(server.network, tmp_path)
        assert ([card.doi for card in cards], told) == ([DOI], [])
        assert [path.name for path in tmp_path.iterdir()] == ["1234.json"]

    @pytest.mark.parametrize("end", ["/abs/path", "../up", "1/../../x", "", "1\n"])
    def test_a_doi_that_is_none_never_becomes_a_path(
        self, server: ModelServer, answers: Callable[..., None], tmp_path: Path, end: str
    ) -> None:
        answers(doi=f"10.5281/zenodo.{str(tmp_path) + end if end.startswith('/') else end}")
        with pytest.raises(ModelError, match=r"the listing of HTRMoPo cannot be read: .*pattern"):
            htrmopo.listing(server.network, tmp_path / "cache")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("scheme", ["file", "ftp", "gopher", ""])
    def test_an_address_that_is_not_safe_is_not_followed(
        self, server: ModelServer, answers: Callable[..., None], tmp_path: Path, scheme: str
    ) -> None:
        answers(files=[{"url": f"{scheme}://127.0.0.1/README.md"}])
        cards, told = htrmopo.listing(server.network, tmp_path)
        assert cards == []
        assert "its card has an address that is not safe" in told[0]

    @pytest.mark.parametrize(
        ("url", "source", "safe"),
        [
            ("https://a/x", "https://zenodo.org/oai2d", True),
            ("HTTPS://a/x", "https://zenodo.org/oai2d", True),
            ("http://169.254.169.254/x", "https://zenodo.org/oai2d", False),
            ("http://mirror/x", "http://mirror/oai2d", True),
            ("https://a/x", "http://mirror/oai2d", True),
            ("file:///etc/passwd", "file:///etc", False),
            ("/x", "https://zenodo.org", False),
        ],
    )
    def test_http_is_for_sources_that_are_asked_so(self, url: str, source: str, safe: bool) -> None:
        assert is_safe(url, source) is safe

    def test_a_cache_that_cannot_be_written_loses_no_result(
        self,
        server: ModelServer,
        answers: Callable[..., None],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def refuse(*_: object) -> None:
            raise StorageError("cannot write the cache")

        monkeypatch.setattr(htrmopo, "write_json", refuse)
        answers()
        with caplog.at_level(logging.WARNING):
            cards, told = htrmopo.listing(server.network, tmp_path)
        assert ([card.doi for card in cards], told) == ([DOI], [])
        assert "is not kept: cannot write the cache" in caplog.text


class TestLook:
    @pytest.fixture
    def child(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
        def raises(error: Exception) -> None:
            def start(*_: object, **__: object) -> None:
                raise error

            monkeypatch.setattr(check, "SealedChild", start)

        return raises

    @pytest.mark.parametrize(
        ("error", "raised"),
        [
            (ChildNotStarted("no Landlock"), ChildNotStarted),
            (PageTimeout("it took too long"), ChildError),
        ],
        ids=["not started", "time-out"],
    )
    def test_what_says_nothing_of_the_model_keeps_what_was_fetched(
        self,
        server: ModelServer,
        tmp_path: Path,
        child: Callable[[Exception], None],
        error: Exception,
        raised: type[Exception],
    ) -> None:
        entry = server.entry("zenodo")
        library = ModelLibrary(tmp_path).adding(entry)
        child(error)
        with pytest.raises(raised):
            fetch_model(library, entry, server.network, check=check_model)
        assert (tmp_path / ".staging" / "model" / NAME).read_bytes() == DATA
        server.asked.clear()
        assert fetch_into(tmp_path, entry, server.network).new
        assert server.transfers() == []

    def test_a_child_that_dies_of_the_model_is_held_against_it(
        self, server: ModelServer, tmp_path: Path, child: Callable[[Exception], None]
    ) -> None:
        child(ChildError("it died"))
        entry = server.entry("zenodo")
        with pytest.raises(ModelError, match="could not be looked at: it died"):
            fetch_model(ModelLibrary(tmp_path).adding(entry), entry, server.network, check=check_model)
        assert not (tmp_path / ".staging" / "model").exists()


class TestPublish:
    def test_a_folder_that_appears_at_the_last_moment_is_added_to(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two ids with the same bytes, fetched at once: each process has the lock of its own id."""
        coming, target = tmp_path / "staging", tmp_path / ("d" * 64)
        coming.mkdir()
        (coming / "second.safetensors").write_bytes(DATA)
        rename = Path.rename

        def late(path: Path, to: Path) -> Path:
            if to == target:
                target.mkdir()
                (target / "first.safetensors").write_bytes(DATA)
            return rename(path, to)

        monkeypatch.setattr(Path, "rename", late)
        staging.publish(coming, tmp_path, target.name)
        assert sorted(path.name for path in target.iterdir()) == ["first.safetensors", "second.safetensors"]
        assert not coming.exists()

    def test_another_error_of_the_rename_is_raised(self, tmp_path: Path) -> None:
        (tmp_path / "staging").mkdir()
        (tmp_path / ("d" * 64)).write_bytes(b"a file")
        with pytest.raises(NotADirectoryError):
            staging.publish(tmp_path / "staging", tmp_path, "d" * 64)
