"""What surya's server may do wrong, and what is made of it: never an empty page that looks done.

surya's own client runs as it is; only the clock by which it waits between two tries is stopped.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from surya_server import (
    MODEL,
    RECOGNITION,
    Bar,
    FakeSurya,
    Said,
    completion,
    draw,
    fake_surya,
    layout_json,
    page_html,
    thousandths,
)

from archive_pipeline.engines import surya_transport
from archive_pipeline.engines.surya_blocks import corners
from archive_pipeline.engines.surya_recognition import SuryaRecognizer
from archive_pipeline.errors import ModelError, ServerFailed
from archive_pipeline.page import Line, Region

BARS = [Bar.of("Mon cher ami, je vous", 100, 100), Bar.of("écris ces quelques mots", 100, 200)]
HTML = "<p>" + "<br>".join(bar.text for bar in BARS) + "</p>"
BLOCKS = [("Text", thousandths(BARS), HTML)]
PAGE = draw(BARS)
WHITE = draw([])
LOOP = '<div data-label="Text" data-bbox="1 1 9 9">' + "la " * 400
GOOD = Said(page_html(BLOCKS))


def regions(bars: Sequence[Bar] = BARS) -> tuple[Region, ...]:
    lines = tuple(Line(id=f"x{n}", boundary=corners(bar.box)) for n, bar in enumerate(bars))
    return (Region(id="x", boundary=corners((90, 90, 900, 300)), lines=lines),)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, in seconds, not waited."""
    waited: list[float] = []
    monkeypatch.setattr("surya.inference.backends.openai_client.time", SimpleNamespace(sleep=waited.append))
    return waited


@pytest.fixture
def surya() -> Iterator[FakeSurya]:
    with fake_surya(page=GOOD, layout=Said(layout_json(BLOCKS)), block=Said(HTML)) as server:
        yield server


def read(server: FakeSurya, image: Any = PAGE, timeout: float = 20, bars: Sequence[Bar] = BARS) -> tuple[Region, ...]:
    return SuryaRecognizer(RECOGNITION, server.server(timeout)).recognize(image, regions(bars))


def texts(found: Sequence[Region]) -> list[str]:
    return [line.text for region in found for line in region.lines]


def test_a_good_answer_gives_each_line_its_text_and_the_probability_of_its_tokens(surya: FakeSurya) -> None:
    recognizer = SuryaRecognizer(RECOGNITION, surya.server())
    found = recognizer.recognize(PAGE, regions())
    assert texts(found) == [bar.text for bar in BARS]
    assert {line.confidence for line in found[0].lines} == {0.9}
    assert [line.id for line in found[0].lines] == ["r1l1", "r1l2"]
    assert [line.boundary for line in found[0].lines] == [corners(bar.box) for bar in BARS]
    assert recognizer.step.parameters == {
        "licence": RECOGNITION.licence,
        "asked": "page",
        "blocks": 1,
        "blocks_without_lines": 0,
        "lines_unread": 0,
    }
    assert surya.prompts == ["page"]
    assert surya.asked[0]["model"] == MODEL
    assert surya.asked[0]["logprobs"] is True


def test_each_block_has_the_probability_of_its_own_tokens(surya: FakeSurya) -> None:
    blocks = [("Text", thousandths([bar]), "mot " * 4 + name * 4) for bar, name in zip(BARS, "ab", strict=True)]
    surya.page = Said(page_html(blocks), doubtful="bbbb")
    first, second = (region.lines[0].confidence for region in read(surya))
    # One of the second block's nine tokens is doubtful; the first of its tag also ends the block before, and is that's.
    assert first == 0.9
    assert second == pytest.approx((8 * 0.9 + 0.45) / 9, abs=1e-3)


def test_without_probabilities_there_is_no_confidence_instead_of_a_perfect_one(surya: FakeSurya) -> None:
    surya.page = replace(GOOD, probability=None)
    assert {line.confidence for line in read(surya)[0].lines} == {None}


def as_answer(**said: Any) -> tuple[int, str, bytes]:
    return 200, "application/json", json.dumps(completion(Said(""), {"model": MODEL}) | said).encode()


FAULTS: dict[str, tuple[Callable[[FakeSurya], None], str, str]] = {
    "a page that is refused": (
        lambda s: setattr(s, "answer", (400, "application/json", b'{"error": {"message": "image too large"}}')),
        "answered with status 400: .*image too large",
        "server's own log",
    ),
    "no permission": (
        lambda s: setattr(s, "answer", (401, "text/plain", b"who are you")),
        "answered with status 401",
        "server's own log",
    ),
    "an error of the server": (
        lambda s: setattr(s, "answer", (500, "application/json", b'{"error": {"message": "out of memory"}}')),
        "answered with status 500: .*out of memory",
        "server's own log",
    ),
    "overloaded": (lambda s: setattr(s, "answer", (503, "text/plain", b"later")), "status 503", "server's own log"),
    "a web page": (
        lambda s: setattr(s, "answer", (200, "text/html", b"<html>It works!</html>")),
        "none of an OpenAI-compatible server",
        "SURYA_INFERENCE_URL",
    ),
    "a web page that is an error": (
        lambda s: setattr(s, "answer", (404, "text/html; charset=utf-8", b"<!DOCTYPE HTML>\n<p>Error code: 404")),
        r"answered with status 404 and a web page\.",
        "SURYA_INFERENCE_URL",
    ),
    "JSON that is none": (
        lambda s: setattr(s, "answer", (200, "application/json", b'{"choices": [')),
        "none of an OpenAI-compatible server",
        "SURYA_INFERENCE_URL",
    ),
    "JSON of another kind": (
        lambda s: setattr(s, "answer", (200, "application/json", b'["a"]')),
        "none of an OpenAI-compatible server",
        "SURYA_INFERENCE_URL",
    ),
    "no choices": (lambda s: setattr(s, "answer", as_answer(choices=[])), "none of an OpenAI-compatible", "URL"),
    "content that is no text": (
        lambda s: setattr(s, "answer", as_answer(choices=[{"message": {"content": [1]}, "finish_reason": "stop"}])),
        "none of an OpenAI-compatible server",
        "SURYA_INFERENCE_URL",
    ),
    "a redirect": (lambda s: setattr(s, "answer", (302, "text/plain", b"")), "status 302", "server's own log"),
    "cut off, as it says": (
        lambda s: (
            setattr(s, "page", replace(GOOD, finish="length")),
            setattr(s, "layout", Said("[", finish="length")),
        ),
        "was cut off after 1 tokens",
        "longer context",
    ),
    "cut off, as the tokens say": (
        lambda s: (setattr(s, "page", replace(GOOD, tokens=12_288)), setattr(s, "layout", Said("[]", tokens=3_072))),
        "was cut off after 3072 tokens",
        "longer context",
    ),
    "a loop": (
        lambda s: (setattr(s, "page", Said(LOOP)), setattr(s, "layout", Said("[" + "1, " * 300))),
        "repeats itself without end",
        "another engine",
    ),
    "a block that loops": (
        lambda s: (setattr(s, "page", Said(LOOP)), setattr(s, "block", Said("x" * 300))),
        "repeats itself without end",
        "another engine",
    ),
    "an apology": (
        lambda s: (setattr(s, "page", Said("I cannot read that.")), setattr(s, "layout", Said("Sorry."))),
        "not what surya's model says: no list of blocks",
        "another engine",
    ),
    "nothing": (
        lambda s: (setattr(s, "page", Said("")), setattr(s, "layout", Said(""))),
        "is empty",
        "another engine",
    ),
    "no blocks": (
        lambda s: (setattr(s, "page", Said("")), setattr(s, "layout", Said("[]"))),
        "found no blocks on a page that is not blank",
        "another engine",
    ),
    "blocks without text": (
        lambda s: setattr(s, "page", Said(page_html([("Text", thousandths(BARS), "")]))),
        "1 blocks without any text",
        "another engine",
    ),
    "a block beyond the page": (
        lambda s: (
            setattr(s, "page", Said(page_html(BLOCKS).replace("101", "nan"))),
            setattr(s, "layout", Said('[{"label": "Text", "bbox": "nan 0 1 1", "count": 1}]')),
        ),
        "outside of the page",
        "another engine",
    ),
    "another model": (
        lambda s: setattr(s, "models", ["gemma"]),
        f"serves gemma, not {MODEL}",
        "docs/surya.md",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_the_page_with_its_reason_and_what_to_do(surya: FakeSurya, fault: str) -> None:
    make, reason, remedy = FAULTS[fault]
    make(surya)
    with pytest.raises(ServerFailed, match=reason) as caught:
        read(surya)
    assert remedy in caught.value.remedy
    assert surya.url in caught.value.what


def test_what_may_pass_is_asked_again_by_surya_and_what_cannot_is_not(surya: FakeSurya, waits: list[float]) -> None:
    surya.answer = (500, "text/plain", b"")
    with pytest.raises(ServerFailed):
        read(surya)
    assert len(surya.asked) == 4
    assert waits == [1.5, 3.0, 4.5]
    surya.asked.clear()
    surya.answer = (400, "text/plain", b"")
    with pytest.raises(ServerFailed):
        read(surya)
    assert len(surya.asked) == 1


def test_a_server_that_is_away_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(ServerFailed, match=r"http://127\.0\.0\.1:\d+/v1 cannot be reached: .*refused") as caught:
        read(FakeSurya(url=f"http://127.0.0.1:{port}/v1"))
    assert "Start it, or correct SURYA_INFERENCE_URL" in caught.value.remedy
    assert time.monotonic() - began < 5


def test_a_server_that_does_not_answer_in_time_is_asked_once(surya: FakeSurya) -> None:
    surya.delay = 9
    with pytest.raises(ServerFailed, match="did not answer within 3 seconds") as caught:
        read(surya, timeout=3)
    assert "SURYA_INFERENCE_TIMEOUT_SECONDS" in caught.value.remedy
    assert len(surya.asked) == 1


def test_a_server_that_drips_is_no_server_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            connection, _ = listening.accept()
            with connection:
                for byte in b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 1000:
                    try:
                        connection.sendall(bytes([byte]))
                    except OSError:
                        return
                    time.sleep(0.05)

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        with pytest.raises(ServerFailed, match="did not answer within 1 seconds"):
            read(FakeSurya(url=f"http://127.0.0.1:{listening.getsockname()[1]}/v1"), timeout=1)
        assert time.monotonic() - began < 20  # all of it comes in fifty
        thread.join()


def test_an_endless_answer_is_given_up(surya: FakeSurya, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surya_transport, "MAX_ANSWER", 1 << 20)
    surya.answer = (200, "application/json", b" " * (2 << 20))
    with pytest.raises(ServerFailed, match="an answer of more than 1 MB"):
        read(surya)


def test_no_question_is_begun_without_time_for_it(surya: FakeSurya) -> None:
    server = replace(surya.server(), left=lambda: 0.5)
    with pytest.raises(ServerFailed, match="no time left") as caught:
        SuryaRecognizer(RECOGNITION, server).recognize(PAGE, regions())
    assert "ARCHIVE_PAGE_TIMEOUT" in caught.value.remedy
    assert surya.asked == []


def test_a_page_that_loops_as_a_whole_is_read_block_by_block(surya: FakeSurya) -> None:
    surya.page = Said(LOOP)
    recognizer = SuryaRecognizer(RECOGNITION, surya.server())
    assert texts(recognizer.recognize(PAGE, regions())) == [bar.text for bar in BARS]
    assert recognizer.step.parameters["asked"] == "blocks"
    # Four tries for the page, as surya does, then its layout and its only block.
    assert surya.prompts == ["page"] * 4 + ["layout", "block"]


def test_a_page_that_the_model_calls_blank_is_blank(surya: FakeSurya) -> None:
    surya.page = Said(page_html([("Blank-Page", (0, 0, 1000, 1000), "")]))
    assert read(surya) == ()
    surya.page = Said("")
    assert read(surya, WHITE) == ()
    assert surya.prompts[-1] == "page"


def test_text_that_is_invented_on_white_paper_is_dropped(surya: FakeSurya) -> None:
    assert read(surya, WHITE) == ()


def test_what_cannot_be_given_to_lines_is_the_text_of_its_region(surya: FakeSurya) -> None:
    surya.page = Said(page_html([("Text", thousandths(BARS), "<p>Mon cher ami, je vous écris ces quelques mots</p>")]))
    recognizer = SuryaRecognizer(RECOGNITION, surya.server())
    (found,) = recognizer.recognize(PAGE, regions())
    assert (found.text, found.lines) == ("Mon cher ami, je vous écris ces quelques mots", ())
    assert recognizer.step.parameters["blocks_without_lines"] == 1
    rows = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr><tr><td>e</td></tr></table>"
    surya.page = Said(page_html([("Table", thousandths(BARS), rows)]))
    (found,) = recognizer.recognize(PAGE, regions())
    assert (found.type, found.text) == ("table", "a  b\nc  d\ne")


def test_lines_outside_of_any_block_are_kept_and_counted_as_unread(surya: FakeSurya) -> None:
    more = [*BARS, Bar.of("en marge", 700, 1200)]
    recognizer = SuryaRecognizer(RECOGNITION, surya.server())
    found = recognizer.recognize(draw(more), regions(more))
    assert [len(region.lines) for region in found] == [2, 1]
    assert found[1].lines[0].text == ""
    assert found[1].lines[0].boundary == corners(more[2].box)
    assert recognizer.step.parameters["lines_unread"] == 1


def test_the_order_is_the_servers(surya: FakeSurya) -> None:
    blocks = [("Text", thousandths([BARS[1]]), BARS[1].text), ("Page-Header", thousandths([BARS[0]]), BARS[0].text)]
    surya.page = Said(page_html(blocks))
    found = read(surya)
    assert [region.type for region in found] == ["text", "header"]
    assert texts(found) == [BARS[1].text, BARS[0].text]


def test_a_large_page_is_scaled_for_the_server_and_its_places_are_those_of_the_page(surya: FakeSurya) -> None:
    large = np.ascontiguousarray(np.repeat(np.repeat(PAGE, 4, axis=0), 4, axis=1))
    bars = [Bar(tuple(4 * value for value in bar.box), bar.text) for bar in BARS]
    found = read(surya, large, bars=bars)
    assert texts(found) == [bar.text for bar in BARS]
    left, top, right, bottom = found[0].box
    for value, expected in zip((left, top, right, bottom), (400, 400, 2240, 960), strict=True):
        assert abs(value - expected) <= 8  # thousandths of 3,960 and 5,600 pixels
    assert found[0].lines[0].boundary == corners(bars[0].box)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 400), (3000, 100), (120, 14_000)])
@pytest.mark.parametrize("paper", [0, 255])
def test_pages_of_any_shape_are_asked_about(surya: FakeSurya, height: int, width: int, paper: int) -> None:
    page = np.full((height, width, 3), paper, np.uint8)
    page[height // 2, ::2] = 128
    whole = Bar((0, 0, width, height), "")
    surya.page = Said(page_html([("Table", (0, 0, 1000, 1000), "<table><tr><td>mot</td></tr></table>")]))
    (region,) = read(surya, page, bars=[whole])
    assert region.text or region.lines[0].text == "mot"
    assert region.box == whole.box


def test_3000_lines_are_given_their_text_in_order(surya: FakeSurya) -> None:
    bars = [Bar.of(f"ligne {number:04d}", 20, 20 + 6 * number, letter=3, height=5) for number in range(3000)]
    html = "<br>".join(bar.text for bar in bars)
    surya.page = Said(page_html([("Text", (0, 0, 1000, 1000), html)]))
    assert texts(read(surya, draw(bars, 200, 18_100), bars=bars)) == [bar.text for bar in bars]


def test_a_model_that_needs_a_server_says_so() -> None:
    with pytest.raises(ModelError, match="read by a server, and none is set") as caught:
        SuryaRecognizer(RECOGNITION, None)
    assert "SURYA_INFERENCE_URL" in caught.value.remedy


def test_https_takes_the_certificates_that_it_is_given_and_no_others(tmp_path: Path) -> None:
    pem, chain = certificate(tmp_path)
    with fake_surya(chain, page=GOOD) as surya:
        server = replace(surya.server(), certificates=pem)
        assert texts(SuryaRecognizer(RECOGNITION, server).recognize(PAGE, regions())) == [bar.text for bar in BARS]
        with pytest.raises(ServerFailed, match=r"cannot be reached: .*certificate"):
            read(surya)
        with pytest.raises(ServerFailed, match=r"cannot be reached: .*certificate is not valid for 'localhost'"):
            other = replace(server, url=server.url.replace("127.0.0.1", "localhost"))
            SuryaRecognizer(RECOGNITION, other).recognize(PAGE, regions())


def certificate(folder: Path) -> tuple[str, Path]:
    """A certificate for 127.0.0.1 that signs itself: as PEM, and with its key in a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "chain.pem"
    path.write_bytes(pem + private)
    return pem.decode(), path
