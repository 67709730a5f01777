"""What a network can do wrong, against the real clients: how each ends, what is left, and that the next fetch succeeds.

``pytest -s`` prints the outcomes as a table; docs/models.md quotes it.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from huggingface_hub import close_session
from model_server import CONCEPT, DATA, NAME, Misbehaviour, ModelServer, fetch_into, in_process, serving, staged_bytes
from model_server import visible as visible_models

from archive_pipeline.durable import read_json
from archive_pipeline.errors import ArchiveError, ModelError, ModelNotFetched, NoSpaceLeft
from archive_pipeline.models import fetch as fetch_module
from archive_pipeline.models.kept import pin_path
from archive_pipeline.models.library import ModelLibrary

SOURCES = ("zenodo", "hub", "web")


@dataclass(frozen=True)
class Case:
    """A fault, and what must come of it.

    Attributes:
        error: Part of the sentence; None if the fetch succeeds all the same.
        kept: Bytes that stay for the next try.
    """

    name: str
    fault: Misbehaviour
    error: str | None
    kept: int = 0
    ranges: bool = True


CASES = [
    Case("404", Misbehaviour(status=404), r"does not exist|has no|answers 404"),
    Case("429 once, then well", Misbehaviour(times=1, status=429, retry_after="0"), None),
    Case("429 for ever, wait an hour", Misbehaviour(status=429, retry_after="3600"), "busy|answers 429"),
    Case("500 twice, then well", Misbehaviour(times=2, status=500), None),
    Case("500 for ever", Misbehaviour(status=500), "busy|answers 500"),
    Case("403", Misbehaviour(status=403), "may not be read|answers 403"),
    Case("cut at byte 1,000, once", Misbehaviour(times=1, cut=1000), None),
    Case("cut after 1,000 bytes, always", Misbehaviour(cut=1000), "broke off", kept=3000),
    Case("cut, and no ranges", Misbehaviour(cut=1000), "broke off", kept=1000, ranges=False),
    Case("a flipped bit", Misbehaviour(body=DATA[:-1] + b"x"), "is not model.safetensors"),
    Case("too short", Misbehaviour(body=DATA[:-9]), "is not model.safetensors"),
    Case("endless", Misbehaviour(endless=True), "more than the"),
    Case("silent after 1,000 bytes", Misbehaviour(stall=1000), "no answer came in time", kept=3000),
    Case("a byte at a time", Misbehaviour(drip=True), "bytes a second"),
    Case("redirect to file:", Misbehaviour(location="file:///etc/passwd"), "not safe"),
    Case("redirect to ftp:", Misbehaviour(location="ftp://127.0.0.1/model.safetensors"), "not safe"),
    Case("redirect in a circle", Misbehaviour(location="/folder/model.safetensors"), "leads from one address"),
]
OUTCOMES: list[str] = []


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def _table() -> Iterator[None]:
    yield
    print("\n" + "\n".join(OUTCOMES))


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_ends_as_promised_and_the_next_fetch_succeeds(
    server: ModelServer, tmp_path: Path, case: Case, kind: str
) -> None:
    entry = server.entry(kind)
    server.fault, server.ranges = replace(case.fault), case.ranges
    if case.fault.stall or case.fault.drip:
        server.silence = 1
    outcome, kept = "here, whole", 0
    if case.error is None:
        fetch_into(tmp_path, entry, server.network)
        assert (tmp_path / str(entry.digest) / NAME).read_bytes() == DATA
    else:
        with pytest.raises(ModelError, match=case.error) as raised:
            fetch_into(tmp_path, entry, server.network)
        outcome = str(raised.value)
        assert raised.value.remedy
        assert "secret" not in outcome
        assert visible_models(tmp_path) == []
        kept = staged_bytes(tmp_path)
        assert kept == case.kept or (case.fault.drip and 0 < kept < 1000)
        server.fault, server.silence = None, 10
    assert fetch_into(tmp_path, entry, server.network).new is (case.error is not None)
    assert visible_models(tmp_path) == [entry.digest]
    assert staged_bytes(tmp_path) == 0
    shown = outcome.replace(server.url, "https://host").replace(server.cdn, "https://cdn").replace(str(tmp_path), "…")
    OUTCOMES.append(f"| {case.name} | {kind} | {shown} | {kept:,} bytes | here, whole |")


@pytest.mark.parametrize("kind", SOURCES)
def test_an_endless_body_ends_although_nobody_has_told_its_size(server: ModelServer, tmp_path: Path, kind: str) -> None:
    server.fault = Misbehaviour(endless=True)
    with pytest.raises(ModelError, match=f"more than the {len(DATA) if kind != 'web' else 5_000_000:,} bytes"):
        fetch_into(tmp_path, server.entry(kind, verified=False), server.network)
    assert (visible_models(tmp_path), staged_bytes(tmp_path)) == ([], 0)


@pytest.mark.parametrize("kind", ["zenodo", "hub"])
def test_what_the_source_tells_is_checked_on_the_first_fetch_too(
    server: ModelServer, tmp_path: Path, kind: str
) -> None:
    server.told = {"md5": "0" * 32, "etag": "0" * 64}
    with pytest.raises(ModelError, match="instead of 0000"):
        fetch_into(tmp_path, server.entry(kind, verified=False), server.network)
    assert not pin_path(tmp_path, "model").exists()
    server.told = {"size": len(DATA) + 1}
    with pytest.raises(ModelError):
        fetch_into(tmp_path, server.entry(kind, verified=False), server.network)
    server.told = {}
    assert fetch_into(tmp_path, server.entry(kind, verified=False), server.network).pinned


def test_small_files_of_the_hub_are_held_against_the_name_that_git_gives_them(
    server: ModelServer, tmp_path: Path
) -> None:
    server.told = {"etag": "f" * 40}
    with pytest.raises(ModelError, match=r"GIT-SHA1 .* instead of ffff"):
        fetch_into(tmp_path, server.entry("hub", verified=False), server.network)
    header = f"blob {len(DATA)}\0".encode()
    server.told = {"etag": hashlib.sha1(header + DATA, usedforsecurity=False).hexdigest()}
    assert fetch_into(tmp_path, server.entry("hub", verified=False), server.network).new


@pytest.mark.parametrize("kind", ["zenodo", "hub"])
def test_a_source_that_offers_another_file_is_not_even_asked_for_it(
    server: ModelServer, tmp_path: Path, kind: str
) -> None:
    entry = server.entry(kind)
    server.files = {NAME: DATA[:-1] + b"y"} if kind == "hub" else {NAME: DATA + b"y"}
    with pytest.raises(ModelError, match="offers another"):
        fetch_into(tmp_path, entry, server.network)
    assert server.transfers() == []


@pytest.mark.parametrize("kind", SOURCES)
def test_what_came_first_is_pinned_and_must_be_equal_from_then_on(
    server: ModelServer, tmp_path: Path, kind: str
) -> None:
    entry = server.entry(kind, verified=False)
    done = fetch_into(tmp_path, entry, server.network)
    pin = read_json(pin_path(tmp_path, "model"))
    assert done.pinned
    assert pin["files"] == [{"name": NAME, "sha256": done.model.digest, "size": len(DATA)}]
    assert (pin["from"], pin["when"][:2]) == (str(entry.source), "20")
    # Somebody removes it, and the source has been changed since.
    fetch_module.shutil.rmtree(tmp_path / done.model.digest)
    server.files = {NAME: DATA[:-1] + b"z"}
    with pytest.raises(ModelError, match=r"offers another|is not model"):
        fetch_into(tmp_path, entry, server.network)
    assert visible_models(tmp_path) == []
    server.files = {NAME: DATA}
    again = fetch_into(tmp_path, entry, server.network)
    assert (again.model.digest, again.pinned) == (done.model.digest, False)


def test_the_doi_of_all_versions_is_no_source(server: ModelServer, tmp_path: Path) -> None:
    entry = server.entry("zenodo", source={"kind": "zenodo", "doi": f"10.5281/zenodo.{CONCEPT}"})
    with pytest.raises(ModelError, match=r"stands for all versions .* 10\.5281/zenodo\.1234"):
        fetch_into(tmp_path, entry, server.network)


def test_the_hub_must_answer_for_the_pinned_commit(server: ModelServer, tmp_path: Path) -> None:
    server.commit = "0" * 40
    with pytest.raises(ModelError, match="answers for commit 0000"):
        fetch_into(tmp_path, server.entry("hub"), server.network)
    assert server.transfers() == []


def test_a_token_goes_to_the_hub_and_never_to_its_cdn(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    server.fault = Misbehaviour(cut=1000)
    with pytest.raises(ModelError) as raised:
        fetch_into(tmp_path, server.entry("hub"), server.network)
    assert "hf_secret" not in repr(raised.value.to_dict())
    path = next(path for path in server.tokens if "/resolve/" in path)
    assert server.tokens[path] == "Bearer hf_secret"
    assert server.tokens[f"/cdn/{NAME}"] is None


def test_what_was_begun_is_taken_up_by_the_next_process(server: ModelServer, tmp_path: Path) -> None:
    server.fault = Misbehaviour(cut=100_000)
    with pytest.raises(ModelError, match="broke off"):
        fetch_into(tmp_path, server.entry("web"), server.network)
    server.fault = None
    assert staged_bytes(tmp_path) == 300_000
    fetch_into(tmp_path, server.entry("web"), server.network)
    assert server.transfers() == [None, "bytes=100000-", "bytes=200000-", "bytes=300000-"]


def test_a_file_nobody_knows_a_digest_of_is_never_joined_from_two_fetches(server: ModelServer, tmp_path: Path) -> None:
    server.fault = Misbehaviour(cut=1000)
    with pytest.raises(ModelError):
        fetch_into(tmp_path, server.entry("web", verified=False), server.network)
    server.fault, server.files = None, {NAME: DATA[:-1] + b"n"}
    fetch_into(tmp_path, server.entry("web", verified=False), server.network)
    assert server.transfers() == [None, None]


def test_a_part_of_another_version_is_thrown_away(server: ModelServer, tmp_path: Path) -> None:
    part = tmp_path / ".staging" / "model" / f"{NAME}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"of another version")
    fetch_into(tmp_path, server.entry("web"), server.network)
    assert visible_models(tmp_path) == [server.entry("web").digest]


def test_a_full_disk_leaves_nothing(server: ModelServer, tmp_path: Path) -> None:
    entry = server.entry("web")
    context = multiprocessing.get_context("forkserver")
    process = context.Process(
        target=in_process, args=(str(tmp_path), entry.model_dump(mode="json"), server.network, 500_000)
    )
    process.start()
    process.join(60)
    assert process.exitcode == NoSpaceLeft.exit_code
    assert (visible_models(tmp_path), staged_bytes(tmp_path)) == ([], 0)
    assert fetch_into(tmp_path, entry, server.network).new


def test_a_disk_that_is_known_to_be_too_small_is_not_even_begun_on(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = fetch_module.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(fetch_module.shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(NoSpaceLeft, match=r"2 MB are needed .* 1 MB are free"):
        fetch_into(tmp_path, server.entry("web"), server.network)
    assert server.transfers() == []


@pytest.mark.parametrize("kind", SOURCES)
def test_a_proxy_is_used(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The server is asked as a proxy for a host that does not exist: whoever asked past it would fail."""
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    away = "http://models.invalid"
    network = replace(server.network, zenodo=f"{away}/api/", hub=away)
    entry = server.entry(kind)
    if kind == "web":
        entry = server.entry(kind, source={"kind": "web", "url": f"{away}/folder"})
    close_session()  # the Hub's client keeps one connection for all
    assert fetch_into(tmp_path, entry, network).new
    close_session()


def test_https_goes_through_the_proxy_as_a_tunnel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy, serving() as server:
        asked: list[bytes] = []

        def refuse() -> None:
            while True:
                try:
                    connection, _ = proxy.accept()
                except OSError:
                    return
                with connection:
                    asked.append(connection.recv(1000))
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        entry = server.entry("web", source={"kind": "web", "url": "https://models.invalid/folder"})
        with pytest.raises(ModelError, match="403"):
            fetch_into(tmp_path, entry, server.network)
        assert asked[0].startswith(b"CONNECT models.invalid:443 ")
        proxy.shutdown(socket.SHUT_RDWR)


def test_two_at_once_fetch_it_once(server: ModelServer, tmp_path: Path) -> None:
    server.pace = 0.01
    context = multiprocessing.get_context("forkserver")
    processes = [
        context.Process(
            target=in_process, args=(str(tmp_path), server.entry("web").model_dump(mode="json"), server.network)
        )
        for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert server.transfers() == [None]


def test_what_is_here_is_found_where_nothing_can_be_written(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_into(tmp_path, server.entry("web"), server.network)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert fetch_into(tmp_path, server.entry("web"), server.network).new is False
    other = server.entry("web", id="other", files=[{"name": "other.onnx"}])
    with pytest.raises(ArchiveError, match="Read-only"):
        fetch_into(tmp_path, other, server.network)


def test_a_damaged_copy_is_set_aside_and_fetched_anew(server: ModelServer, tmp_path: Path) -> None:
    entry = server.entry("zenodo")
    first = fetch_into(tmp_path, entry, server.network)
    first.model.path.write_bytes(DATA[:-1] + b"!")
    second = fetch_into(tmp_path, entry, server.network)
    assert second.new
    assert second.model.path.read_bytes() == DATA
    assert second.aside is not None
    assert (second.aside / NAME).read_bytes() == DATA[:-1] + b"!"


def test_a_check_that_fails_leaves_nothing_and_pins_nothing(server: ModelServer, tmp_path: Path) -> None:
    entry = server.entry("web", verified=False)

    def refuse(*_: object) -> None:
        raise ModelError("it is no model")

    with pytest.raises(ModelError, match="no model"):
        fetch_module.fetch_model(ModelLibrary(tmp_path).adding(entry), entry, server.network, check=refuse)
    assert (visible_models(tmp_path), staged_bytes(tmp_path)) == ([], 0)
    with pytest.raises(ModelNotFetched):
        ModelLibrary(tmp_path).install_state(entry)
    assert not pin_path(tmp_path, "model").exists()


def test_an_error_page_under_a_models_name_is_refused(server: ModelServer, tmp_path: Path) -> None:
    server.files = {NAME: b"<html>Please log in</html>"}
    with pytest.raises(ModelError, match="is no safetensors file"):
        fetch_into(tmp_path, server.entry("web", verified=False), server.network)
    assert visible_models(tmp_path) == []
