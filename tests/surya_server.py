"""What plays surya's parts in tests: a server with its model's answers, and small weights for its detector.

The server is OpenAI-compatible as vLLM and llama-server are: ``/health``, ``/v1/models``, ``/v1/chat/completions``.
Answers have the shape of recorded ones: HTML with a ``div`` for each block, JSON for a layout, a probability for each
token. Weights are made for surya's own network: random ones, and ones that find ink, since nobody can download the
real ones here.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from archive_pipeline.engines.serving import Server
from archive_pipeline.models.installed import InstalledFile, InstalledModel

MODEL = "datalab-to/surya-ocr-2"
LICENCE = "LicenseRef-AI-Pubs-OpenRAIL-M-Modified"
DETECTOR = "ink-detection"
RECOGNITION = InstalledModel(id="surya-ocr-2", task="recognition", engine="surya", licence=LICENCE, served=MODEL)


@dataclass(frozen=True)
class Bar:
    """A line of a test page, drawn as a bar: left, top, right, bottom in pixels; and the text that it stands for."""

    box: tuple[int, int, int, int]
    text: str

    @classmethod
    def of(cls, text: str, left: int, top: int, *, letter: int = 20, height: int = 40) -> Bar:
        return cls((left, top, left + letter * len(text), top + height), text)


def draw(bars: Sequence[Bar], width: int = 990, height: int = 1400, paper: int = 255) -> NDArray[np.uint8]:
    """A page with bars, RGB."""
    image = Image.new("RGB", (width, height), (paper, paper, paper))
    pen = ImageDraw.Draw(image)
    for bar in bars:
        left, top, right, bottom = bar.box
        pen.rectangle((left, top, right - 1, bottom - 1), fill=(0, 0, 0))
    return np.array(image)


@dataclass(frozen=True)
class Said:
    """An answer of the model.

    Attributes:
        tokens: As the server counts them; None for one for each word.
        probability: Of each token; None for a server that gives none.
        doubtful: Tokens with this in them have half of it.
    """

    text: str
    finish: str = "stop"
    tokens: int | None = None
    probability: float | None = 0.9
    doubtful: str = "\0"


@dataclass
class FakeSurya:
    """A server, and what it says.

    Attributes:
        url: Of its interface, to be set as ``SURYA_INFERENCE_URL``.
        page, layout, block: What it says when it is asked for a whole page, a layout, a block: a :class:`Said`, or
            what makes one of the image that it got.
        answer: Instead of all that: status, kind and body of every answer to a question.
        delay: Seconds before an answer to a question.
        models: What it says that it serves.
        asked: Body of each question.
        connections: How many were opened.
    """

    url: str = ""
    page: Said | Callable[[Image.Image], Said] = field(default_factory=lambda: Said(""))
    layout: Said | Callable[[Image.Image], Said] = field(default_factory=lambda: Said("[]"))
    block: Said | Callable[[Image.Image], Said] = field(default_factory=lambda: Said(""))
    answer: tuple[int, str, bytes] | None = None
    delay: float = 0.0
    models: list[str] = field(default_factory=lambda: [MODEL])
    asked: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0

    @property
    def prompts(self) -> list[str]:
        """``page``, ``layout`` or ``block`` for each question."""
        return [_kind(body) for body in self.asked]

    def server(self, timeout: float = 20.0) -> Server:
        """The same for an engine that is not sealed."""
        parts = urlsplit(self.url)
        return Server(self.url, timeout, partial(_connect, str(parts.hostname), parts.port or 80))


def _connect(host: str, port: int, timeout: float) -> socket.socket:
    return socket.create_connection((host, port), timeout)


def _kind(body: dict[str, Any]) -> str:
    text = next(part["text"] for part in body["messages"][0]["content"] if part["type"] == "text")
    return "layout" if "layout" in text else "block" if "block image" in text else "page"


def _image(body: dict[str, Any]) -> Image.Image:
    (url,) = (part["image_url"]["url"] for part in body["messages"][0]["content"] if part["type"] == "image_url")
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])), formats=["PNG"])


def completion(said: Said, body: dict[str, Any]) -> dict[str, Any]:
    """An answer as vLLM and llama-server give it."""
    words = said.text.split(" ")
    tokens = [word if number == 0 else f" {word}" for number, word in enumerate(words)]
    logprobs = None
    if body.get("logprobs") and said.probability is not None:
        probability = said.probability
        logprobs = {
            "content": [
                {
                    "token": token,
                    "logprob": float(np.log(probability / (1 + (said.doubtful in token)))),
                    "bytes": list(token.encode()),
                    "top_logprobs": [],
                }
                for token in tokens
            ],
            "refusal": None,
        }
    count = len(tokens) if said.tokens is None else said.tokens
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": said.text},
                "finish_reason": said.finish,
                "logprobs": logprobs,
            }
        ],
        "usage": {"prompt_tokens": 1500, "completion_tokens": count, "total_tokens": 1500 + count},
    }


@contextmanager
def fake_surya(chain: Path | None = None, **said: Any) -> Iterator[FakeSurya]:
    """Serve one on this machine.

    Args:
        chain: Certificate and key, for https.
        said: Attributes of :class:`FakeSurya`.
    """
    state = FakeSurya(**said)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            state.connections += 1
            super().setup()

        def do_GET(self) -> None:
            if self.path == "/health":
                self._send(200, "application/json", b'{"status": "ok"}')
            elif self.path == "/v1/models":
                models = [{"id": name, "object": "model", "created": 1, "owned_by": "x"} for name in state.models]
                self._send(200, "application/json", json.dumps({"object": "list", "data": models}).encode())
            else:
                self._send(404, "application/json", b'{"error": {"message": "no such path"}}')

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.asked.append(body)
            time.sleep(state.delay)
            if state.answer is not None:
                self._send(*state.answer)
                return
            said = getattr(state, _kind(body))
            found = said if isinstance(said, Said) else said(_image(body))
            self._send(200, "application/json", json.dumps(completion(found, body)).encode())

        def _send(self, status: int, kind: str, raw: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            pass

    class Listening(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # a caller may hang up

    with Listening(("127.0.0.1", 0), Handler) as server:
        state.url = f"http{'s' if chain else ''}://127.0.0.1:{server.server_address[1]}/v1"
        if chain is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(chain)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


Blocks = Sequence[tuple[str, tuple[int, int, int, int], str]]
"""Label, box in thousandths of the page, HTML."""


def page_html(blocks: Blocks) -> str:
    """As the model says a page."""
    return "\n".join(
        f'<div data-label="{label}" data-bbox="{" ".join(map(str, box))}">{html}</div>' for label, box, html in blocks
    )


def layout_json(blocks: Blocks) -> str:
    """As the model says a layout."""
    return json.dumps([{"label": label, "bbox": " ".join(map(str, box)), "count": 50} for label, box, _ in blocks])


def thousandths(bars: Sequence[Bar], width: int = 990, height: int = 1400) -> tuple[int, int, int, int]:
    """The box around bars as the model says places."""
    left, top = min(bar.box[0] for bar in bars), min(bar.box[1] for bar in bars)
    right, bottom = max(bar.box[2] for bar in bars), max(bar.box[3] for bar in bars)
    return 1000 * left // width, 1000 * top // height, -(-1000 * right // width), -(-1000 * bottom // height)


def write_detector(folder: Path, *, finds_ink: bool = True, seed: int = 0) -> InstalledModel:
    """Weights for surya's own detection network, a small one, with its configuration files.

    Args:
        folder: Where ``model.safetensors`` and the others are written.
        finds_ink: Weights that mark what is dark, smeared sideways so that letters become lines; else random ones.
    """
    import torch
    from surya.detection.model.config import EfficientViTConfig
    from surya.detection.model.encoderdecoder import EfficientViTForSemanticSegmentation
    from surya.detection.processor import SegformerImageProcessor

    torch.manual_seed(seed)
    config = EfficientViTConfig(
        widths=(4, 4, 4, 8, 8),
        depths=(0, 0, 0, 1, 1),
        head_dim=8,
        decoder_layer_hidden_size=4,
        decoder_hidden_size=4,
        layer_norm_eps=1e-6,
    )
    network = EfficientViTForSemanticSegmentation(config)
    if finds_ink:
        _find_ink(network)
    network.save_pretrained(folder)
    SegformerImageProcessor(size={"height": 1200, "width": 1200}).save_pretrained(folder)
    names = ("model.safetensors", "config.json", "preprocessor_config.json")
    files = []
    for name in names:
        data = (folder / name).read_bytes()
        files.append(InstalledFile(path=folder / name, sha256=hashlib.sha256(data).hexdigest(), size=len(data)))
    return InstalledModel(
        id=DETECTOR,
        task="segmentation",
        engine="surya",
        licence=LICENCE,
        digest="0" * 64,
        files=tuple(files),
        remedy="Run models verify, then models fetch surya-detection.",
    )


def _find_ink(network: Any) -> None:
    """Darkness goes by one channel through the stem and the first two stages, everything else is zero."""
    import torch

    white = (1 - 0.485) / 0.229  # the red of a white pixel, as the processor scales it
    with torch.no_grad():
        for name, value in network.named_parameters():
            if not name.endswith("norm.weight"):
                value.zero_()
        stem, first, second = network.vit.stem.in_conv, *(network.vit.stages[n].blocks[0].main for n in (0, 1))
        # One pixel, for beyond the edge there is a grey; its red, since with that surya fills pieces of a page up.
        stem.conv.weight[0, 0, 1, 1] = -1
        stem.norm.bias[0] = white
        head = network.decode_head
        for number, stage in enumerate((first, second)):
            # The second looks at three rows, too: between two words one row may have no ink for long.
            stage.spatial_conv.conv.weight[0, 0, slice(None) if number else 1, :] = 1 / 3
            stage.point_conv.conv.weight[0, 0] = 1
            head.linear_c[number].proj.weight[0, 0] = 1
            # The decoder puts the stages into one tensor with the first one last.
            head.linear_fuse.weight[0, (3 - number) * 4] = 1
        head.classifier.weight[:, 0] = 30
        head.classifier.bias[:] = -4


def install_detector(models: Path, **options: Any) -> InstalledModel:
    """The same in a model store, as somebody brought it along: below its digest, with an entry of its own."""
    from archive_pipeline.models.entry import Imported, ModelEntry, ModelFile
    from archive_pipeline.models.kept import entry_path
    from archive_pipeline.models.library import ModelLibrary

    making = models / "making"
    making.mkdir(parents=True)
    made = write_detector(making, **options)
    entry = ModelEntry(
        id=DETECTOR,
        task="segmentation",
        engine="surya",
        licence=LICENCE,
        source=Imported(kind="imported", name="ink"),
        files=tuple(ModelFile(name=file.path.name, sha256=file.sha256, size=file.size) for file in made.files),
        good_for="tests",
    )
    making.rename(models / str(entry.digest))
    path = entry_path(models, entry.id)
    path.parent.mkdir(exist_ok=True)
    path.write_text(entry.model_dump_json(), "utf-8")
    return ModelLibrary(models).installed(entry.id)
