"""The web server of the results: what it lists, what it gives out, and what it does not."""

import asyncio
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.durable import write_bytes
from archive_pipeline.results.app import make_app
from archive_pipeline.results.listing import ON_A_PAGE
from archive_pipeline.uploads.register import Upload, UploadRegister

HOSTS = ["localhost", "archive.example"]


class Client:
    """A browser, without a network between it and the server."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def request(self, method: str, path: str, **more: object) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **more)  # type: ignore[arg-type]

        return asyncio.run(ask())

    def get(self, path: str, **more: object) -> httpx.Response:
        return self.request("GET", path, **more)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    exports = folder / "documents" / "a.pdf" / "exports"
    write_bytes(exports / "view" / "index.html", b"<p>the view")
    write_bytes(exports / "document.pdf", b"%PDF-1.7")
    write_bytes(exports / "page" / "0001.xml", b"<PcGts/>")
    write_bytes(folder / "documents" / "a.pdf" / "source.json", b"{}")
    write_bytes(folder / "documents" / "a.pdf" / "corrections" / "0001.json", b"{}")
    write_bytes(folder / "report" / "index.html", b"<p>the report")
    write_bytes(tmp_path / "secret", b"secret")
    DocumentStates(folder).write(DocumentState("a.pdf", "done", "f", "m", 1.0, pages=3, confidence=0.9879, doubtful=1))
    return folder


@pytest.fixture
def client(store: Path) -> Client:
    return Client(make_app(store, HOSTS))


def test_the_report_and_its_links_to_views_can_be_followed(client: Client) -> None:
    assert client.get("/_report/index.html").text == "<p>the report"
    assert client.get("/documents/a.pdf/exports/view/index.html").text == "<p>the view"
    for path in ("source.json", "corrections/0001.json", "exports/../source.json", "exports/%2e%2e/source.json"):
        assert client.get(f"/documents/a.pdf/{path}").status_code == 404, path


def test_documents_are_listed_with_what_can_be_opened(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert '<a href="/a.pdf/view/index.html">reading view</a>' in page.text
    assert '<a href="/a.pdf/document.pdf">PDF</a>' in page.text
    assert "document.txt" not in page.text
    assert "98.7 %" in page.text
    assert "/_report/index.html" in page.text
    assert "script" not in page.headers["content-security-policy"]


def test_exports_and_the_report_are_given_out_with_headers_that_keep_them_inert(client: Client) -> None:
    view = client.get("/a.pdf/view/")
    assert view.text == "<p>the view"
    assert view.headers["content-type"].startswith("text/html")
    assert client.get("/_report/").text == "<p>the report"
    xml = client.get("/a.pdf/page/0001.xml")
    assert "sandbox" in xml.headers["content-security-policy"]
    pdf = client.get("/a.pdf/document.pdf")
    assert pdf.content == b"%PDF-1.7"
    assert pdf.headers["content-type"] == "application/pdf"
    for answer in (view, xml, pdf, client.get("/")):
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/a.pdf/view/", "/a.pdf/document.pdf", "/a.pdf/page/0001.xml", "/_report/"])
def test_what_a_browser_has_kept_comes_with_the_same_policy_again(client: Client, path: str) -> None:
    first = client.get(path)
    again = client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/a.pdf/../source.json",
        "/a.pdf/%2e%2e/source.json",
        "/a.pdf/..%2fcorrections/0001.json",
        "/a.pdf/../../../../secret",
        "/..%2f..%2fsecret",
        "/a.pdf//etc/passwd",
        "/documents/a.pdf/source.json",
        "/documents.sqlite",
        "/uploads.sqlite",
        "/_report/../documents.sqlite",
        "/_report/..%2fdocuments.sqlite",
        "/a.pdf/%00",
        "/A.PDF/document.pdf",
        "/b.pdf/document.pdf",
        "/a.pdf/link",
        "/a.pdf/linked/0001.json",
    ],
)
def test_nothing_else_is_given_out(store: Path, client: Client, path: str) -> None:
    exports = store / "documents" / "a.pdf" / "exports"
    (exports / "link").symlink_to(store.parent / "secret")
    (exports / "linked").symlink_to(store / "documents" / "a.pdf" / "corrections")
    answer = client.get(path)
    assert answer.status_code == 404, answer.text
    assert "secret" not in answer.text


def test_it_writes_nothing_and_takes_no_other_method(store: Path, client: Client) -> None:
    before = sorted(store.rglob("*"))
    client.get("/")
    for method in ("POST", "PUT", "DELETE"):
        assert client.request(method, "/a.pdf/document.pdf").status_code == 405
    assert sorted(store.rglob("*")) == before


def test_a_web_page_whose_name_was_made_to_lead_here_is_not_answered(client: Client) -> None:
    assert client.get("/", headers={"host": "attacker.example"}).status_code == 400
    assert client.get("/", headers={"host": "archive.example:3080"}).status_code == 200


def test_names_and_reasons_are_inert(store: Path, client: Client) -> None:
    hostile = "<script>alert(1)</script>\x1b[2J.pdf"
    UploadRegister(store).write(
        [Upload(hostile, "1", "1", "refused", 1.0, 1.0, code="DamagedFile", reason=hostile, remedy="Scan it again.")]
    )
    text = client.get("/").text
    assert "<script" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text
    assert "Scan it again." in text


def test_those_that_need_somebody_come_first_and_a_search_finds_by_name_and_hand(store: Path, client: Client) -> None:
    states = DocumentStates(store)
    for number in range(ON_A_PAGE + 1):
        states.write(DocumentState(f"letter-{number:03d}", "done", "f", "m", 1.0, pages=1, hand="Marie"))
    states.write(DocumentState("z.pdf", "refused", "f", "m", 1.0, code="DamagedFile", reason="it is damaged"))
    text = client.get("/").text
    assert f"{ON_A_PAGE + 3} documents" in text
    assert text.index("z.pdf") < text.index("a.pdf") < text.index("letter-000")
    assert "Page 1 of 2" in text
    assert "letter-100" in client.get("/?page=2").text
    assert "Page 2 of 2" in client.get("/?page=999999").text
    assert client.get("/?page=nonsense").status_code == 200
    found = client.get("/", params={"search": "MARIE letter-042"}).text
    assert "1 document" in found
    assert "letter-042" in found


def test_a_document_whose_upload_is_refused_now_says_so_though_an_earlier_one_was_done(
    store: Path, client: Client
) -> None:
    refused = Upload("a.pdf", "2", "1", "refused", 1.0, 2.0, key="a.pdf", code="BadSettings", reason="archive.yml: no")
    UploadRegister(store).write([refused])
    DocumentStates(store).write(DocumentState("0.pdf", "done", "f", "m", 1.0, doubtful=2))
    text = " ".join(client.get("/").text.split())
    assert "what lies there now is <strong>refused</strong>: archive.yml: no." in text
    assert "reading view" in text
    assert text.index("a.pdf") < text.index("0.pdf")


def test_how_many_are_under_way_stands_above_the_list(store: Path, client: Client) -> None:
    UploadRegister(store).write(
        [
            Upload("a.pdf", "1", "1", "taken", 1.0, 1.0, key="a.pdf"),
            Upload("b.pdf", "1", "2", "waiting", 1.0, 1.0),
            Upload("c.pdf", "1", "3", "taken", 1.0, 1.0, key="c.pdf"),
            Upload("d.pdf", "1", "4", "gone", 1.0, 1.0),
        ]
    )
    assert "2 more are waiting or under way." in " ".join(client.get("/").text.split())


def test_an_archive_that_has_nothing_yet_is_an_empty_list(tmp_path: Path) -> None:
    client = Client(make_app(tmp_path / "none", HOSTS))
    assert "0 documents" in client.get("/").text
    assert client.get("/a.pdf/document.pdf").status_code == 404
    assert not (tmp_path / "none").exists()


def test_a_damaged_table_is_said(store: Path, client: Client) -> None:
    (store / "documents.sqlite").write_bytes(b"damaged" * 1000)
    answer = client.get("/")
    assert answer.status_code == 503
    assert "documents.sqlite cannot be used" in answer.text
