"""Does the server that holds a model answer, and has it the model? Asked by the parent; nothing is read."""

from __future__ import annotations

import json
import ssl
import time

import httpx

from archive_pipeline.errors import ServerFailed, printable
from archive_pipeline.models.installed import InstalledModel

_SECONDS = 10.0
_MOST_BYTES = 1 << 20
_REMEDY = "Start it, or correct SURYA_INFERENCE_URL; see docs/surya.md."


def ask_server(model: InstalledModel, url: str) -> None:
    """Ask for the list of its models.

    Args:
        model: A served model.
        url: Where its server's interface begins, such as ``http://surya:8000/v1``.

    Raises:
        ServerFailed: It does not answer as one, or has not the model.
    """
    try:
        names = [str(entry["id"]) for entry in json.loads(_answer(f"{url.rstrip('/')}/models"))["data"]]
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = printable(" ".join(str(error).split()))[:200]
        raise ServerFailed(f"the server at {printable(url)} does not answer as one: {reason}", remedy=_REMEDY) from None
    if model.served not in names:
        has = ", ".join(printable(name)[:80] for name in names[:5]) or "none"
        raise ServerFailed(f"the server at {printable(url)} has no model {model.served}, but {has}", remedy=_REMEDY)


def _answer(url: str) -> bytes:
    """Raises ValueError where it goes on and on."""
    end = time.monotonic() + _SECONDS
    data = b""
    # As an engine asks: without what the environment says of keys and proxies, by the certificates of this machine.
    with (
        httpx.Client(trust_env=False, verify=ssl.create_default_context(), timeout=_SECONDS) as client,
        client.stream("GET", url) as answer,
    ):
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"status {answer.status_code}")
        for part in answer.iter_bytes(1 << 14):
            data += part
            if len(data) > _MOST_BYTES:
                raise ValueError(f"more than {_MOST_BYTES} bytes for a list of its models")
            if time.monotonic() > end:
                raise ValueError(f"no list of its models within {_SECONDS:.0f} seconds")
    return data
