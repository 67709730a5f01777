"""Which redirects are followed, what is shown of an address, and how long anybody is waited for."""

from collections.abc import Iterator

import pytest
import requests
from model_server import ModelServer, serving

from archive_pipeline.errors import ModelError
from archive_pipeline.models.network import Network, _Session, shown
from archive_pipeline.settings import read_settings


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving() as server:
        yield server


@pytest.mark.parametrize(
    ("first", "location", "followed"),
    [
        ("https://a/m", "https://b/m", True),
        ("https://a/m", "/other", True),
        ("https://a/m", "//b/m", True),
        ("http://a/m", "https://a/m", True),
        ("http://a/m", "http://b/m", True),
        ("https://a/m", "http://a/m", False),
        ("https://a/m", "file:///etc/passwd", False),
        ("http://a/m", "FILE:///etc/passwd", False),
        ("http://a/m", "ftp://a/m", False),
        ("http://a/m", "gopher://a/m", False),
        ("https://a/m", "data:text/plain,x", False),
    ],
)
def test_a_redirect_leads_up_to_https_or_stays_where_it_is(first: str, location: str, followed: bool) -> None:
    answer = requests.Response()
    answer.status_code, answer.url, answer.headers["Location"] = 302, first, location
    with _Session() as session:
        if followed:
            assert session.get_redirect_target(answer) == location
        else:
            answer.raw = type("Raw", (), {"close": lambda _: None, "release_conn": lambda _: None})()
            with pytest.raises(ModelError, match="not safe"):
                session.get_redirect_target(answer)


def test_signatures_and_passwords_are_not_shown() -> None:
    assert shown("https://me:secret@host:8/a/b?X-Signature=s#f") == "https://host:8/a/b"
    assert "\x1b" not in shown("https://host/\x1b[31m")


def test_a_server_cannot_have_us_wait_for_an_hour() -> None:
    retry = Network()._retry()
    assert retry.parse_retry_after("3600") == 60
    assert retry.parse_retry_after("7") == 7
    assert retry.increment("GET", "/", error=ConnectionError()).parse_retry_after("3600") == 60


def test_a_small_document_is_no_larger_than_it_may_be(server: ModelServer) -> None:
    server.pages["/card"] = b"x" * 1001
    assert len(server.network.read(f"{server.url}/card", largest=1001)) == 1001
    with pytest.raises(ModelError, match="more than the 1,000 bytes"):
        server.network.read(f"{server.url}/card", largest=1000)


@pytest.mark.parametrize(
    ("url", "said"), [("http://models.invalid/m", "name cannot be resolved"), ("http://127.0.0.1:9/m", "refused")]
)
def test_a_host_that_is_away_is_told_in_one_sentence(url: str, said: str) -> None:
    with pytest.raises(ModelError, match=said) as raised:
        Network(connect=1, tries=1, backoff=0).read(url, largest=1)
    assert "HTTPSConnectionPool" not in str(raised.value)
    assert "object at" not in str(raised.value)


def test_addresses_come_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_REPO_URL", "https://mirror/api/")
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.mirror")
    monkeypatch.setenv("ARCHIVE_OFFLINE", "true")
    network = Network.from_settings(read_settings())
    assert (network.zenodo, network.hub, network.offline) == ("https://mirror/api/", "https://hub.mirror", True)
    monkeypatch.setenv("ARCHIVE_OFFLINE", "")
    assert Network.from_settings(read_settings()).offline is False
    assert Network.from_settings(read_settings(), offline=True).offline is True
