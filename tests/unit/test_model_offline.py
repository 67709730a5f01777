"""Offline: nothing opens a socket, and what is not here is said. A guard on the socket module sees every attempt."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from model_server import fetch_into, serving

from archive_pipeline.cli.models import models
from archive_pipeline.errors import ArchiveError, ModelError
from archive_pipeline.models.network import Network
from archive_pipeline.models.sources import htrmopo


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every look-up of a name and every connection to another host; none succeeds."""
    seen: list[str] = []

    def refuse(what: str) -> Any:
        def attempt(*arguments: Any, **_: Any) -> None:
            seen.append(f"{what} {arguments[-1] if what == 'connect' else arguments[0]}")
            raise OSError("a socket was opened")

        return attempt

    monkeypatch.setattr(socket, "getaddrinfo", refuse("getaddrinfo"))
    monkeypatch.setattr(socket.socket, "connect", refuse("connect"))
    monkeypatch.setattr(socket.socket, "connect_ex", refuse("connect"))
    monkeypatch.setattr(socket, "create_connection", refuse("create_connection"))
    return seen


@pytest.mark.parametrize("kind", ["zenodo", "hub", "web"])
def test_no_source_is_asked_when_offline(tmp_path: Path, attempts: list[str], kind: str) -> None:
    with serving() as server:
        entry = server.entry(kind)
        with pytest.raises(ModelError, match="model model would have to be fetched, and this is offline") as raised:
            fetch_into(tmp_path, entry, Network(offline=True))
        assert "import it here" in raised.value.remedy
        assert attempts == []
        # The guard sees what is not offline.
        with pytest.raises(ArchiveError):
            fetch_into(tmp_path, entry, server.network)
        assert attempts


def test_no_listing_is_asked_for_when_offline(tmp_path: Path, attempts: list[str]) -> None:
    with pytest.raises(ModelError, match="listing of HTRMoPo would have to be fetched"):
        htrmopo.listing(Network(offline=True), tmp_path)
    assert attempts == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["fetch", "catmus-print-large"],
        ["fetch", "ppocr-v6-medium-hub"],
        ["fetch", "surya-detection", "--yes"],
        ["fetch", "doi:10.5281/zenodo.1"],
        ["fetch", "--all", "--yes"],
        ["search", "print"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("way", ["variable", "option"])
def test_the_command_line_stays_offline(
    tmp_path: Path, attempts: list[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], way: str
) -> None:
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("ARCHIVE_OFFLINE", "1" if way == "variable" else "")
    ran = CliRunner().invoke(models, [*arguments, *(["--offline"] if way == "option" else [])])
    said = ran.stderr + str(ran.exception)
    # Where the command itself raises, the group's caller makes the code of it.
    code = ran.exception.exit_code if isinstance(ran.exception, ArchiveError) else ran.exit_code
    assert code == ModelError.exit_code == 6
    assert "offline" in said
    assert attempts == []


@pytest.mark.parametrize("arguments", [["list", "--json"], ["verify", "--json"], ["prune", "--json"]], ids=" ".join)
def test_what_needs_no_network_never_touches_it(
    tmp_path: Path, attempts: list[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path))
    ran = CliRunner().invoke(models, arguments)
    assert ran.exit_code == 0, ran.output
    assert isinstance(json.loads(ran.stdout), list)
    assert attempts == []
