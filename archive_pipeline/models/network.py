"""How models are asked for over the network: patience, proxies, redirects, and errors that a person understands.

``requests`` does the work and takes proxies from ``HTTPS_PROXY`` and its kin. This module adds what it leaves open:
which redirects are followed, how long a silent or a dripping server is borne, what may pass by itself and is tried
again, and that nothing at all is asked when this is offline.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError as TransportError
from urllib3.util import Retry

from archive_pipeline import __version__
from archive_pipeline.errors import ModelError, printable
from archive_pipeline.settings import Settings

PASSING = (429, 500, 502, 503, 504)
"""Answers that may be different in a moment."""
ZENODO, ZENODO_OAI, HUB = "https://zenodo.org/api/", "https://zenodo.org/oai2d", "https://huggingface.co"
_KEPT = "Check the network and HTTPS_PROXY, then run it again: what was fetched is kept."


class Offline(ModelError):
    default_remedy = "Unset ARCHIVE_OFFLINE, or fetch it on another machine and import it here; see docs/models.md."


class BrokenOff(ModelError):
    """A transfer that may be taken up again where it stopped."""

    default_remedy = _KEPT


@dataclass(frozen=True)
class Network:
    """One installation's way to the outside.

    Attributes:
        offline: Nothing is asked; what would be raises :class:`Offline`.
        zenodo, zenodo_oai, hub: Where the sources are.
        connect: Seconds to wait for a connection.
        silence: Seconds to wait for the next bytes.
        slowest: Bytes a second, on average over ``silence`` seconds, below which a transfer is given up.
        tries: How often what may pass is tried; connections and transfers that do not get on, three times at most.
        backoff: Seconds before the second try, doubled for each further one.
        longest_wait: Seconds that a busy server is waited for at most, whatever its Retry-After asks for: a run that
            waits for an hour looks as if it hung, and can be started again.
        largest: Bytes that are taken of a file whose size nobody has told.
    """

    offline: bool = False
    zenodo: str = ZENODO
    zenodo_oai: str = ZENODO_OAI
    hub: str = HUB
    connect: float = 10
    silence: float = 60
    slowest: int = 1_000
    tries: int = 5
    backoff: float = 0.5
    longest_wait: int = 60
    largest: int = 8_000_000_000

    @classmethod
    def from_settings(cls, settings: Settings, *, offline: bool = False) -> Self:
        """That of an installation."""
        return cls(
            offline=offline or settings.offline,
            zenodo=settings.model_repo_url,
            zenodo_oai=settings.model_repo_oai_url,
            hub=settings.hub_url,
        )

    def require(self, what: str) -> None:
        """Raise :class:`Offline` if this is offline."""
        if self.offline:
            raise Offline(f"{printable(what)} would have to be fetched, and this is offline")

    def pause(self, failures: int) -> None:
        """Wait before the next try."""
        time.sleep(min(self.backoff * 2 ** (failures - 1), self.longest_wait))

    def read(self, url: str, *, largest: int, parameters: Mapping[str, str] | None = None) -> bytes:
        """A small document as a whole.

        Raises:
            ModelError: It cannot be had, or has more than ``largest`` bytes.
        """
        with self.open(url, parameters=parameters) as answer:
            return b"".join(self.pieces(answer, largest))

    @contextmanager
    def open(
        self,
        url: str,
        *,
        first: int = 0,
        headers: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Iterator[requests.Response]:
        """An answer whose body has not been read, from byte ``first`` on if the server can.

        Raises:
            Offline: This is offline.
            BrokenOff: The server is away or busy.
            ModelError: The server refuses.
        """
        self.require(shown(url))
        wanted = {"User-Agent": f"archive-pipeline/{__version__}", "Accept-Encoding": "identity", **(headers or {})}
        if first:
            wanted["Range"] = f"bytes={first}-"
        with _Session() as session:
            adapter = HTTPAdapter(max_retries=self._retry())
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            try:
                answer = session.get(
                    url, headers=wanted, params=parameters, stream=True, timeout=(self.connect, self.silence)
                )
            except requests.RequestException as error:
                if error.response is not None:
                    error.response.close()
                raise _cannot(url, error) from None
            with answer:
                _check_status(url, answer, first)
                yield answer

    def pieces(self, answer: requests.Response, largest: int) -> Iterator[bytes]:
        """The body of an answer as it comes.

        Raises:
            BrokenOff: It ended early, fell silent, or drips.
            ModelError: It has more than ``largest`` bytes.
        """
        url, told = answer.url, answer.headers.get("Content-Length", "")
        total, began, counted = 0, time.monotonic(), 0
        while True:
            try:
                piece = answer.raw.read1(1 << 18, decode_content=False)
            except (TransportError, OSError) as error:
                raise _cannot(url, error) from None
            if not piece:
                break
            total += len(piece)
            if total > largest:
                raise ModelError(
                    f"{shown(url)} gives more than the {largest:,} bytes that it should have",
                    remedy="Nothing of it was kept. If it stays so, the file was changed at its source.",
                )
            yield piece
            now = time.monotonic()
            if now - began >= self.silence:
                if total - counted < self.slowest * (now - began):
                    raise BrokenOff(f"{shown(url)} gives less than {self.slowest} bytes a second")
                began, counted = now, total
        if told.isdigit() and total < int(told):
            raise BrokenOff(f"{shown(url)} broke off after {total:,} of {int(told):,} bytes")

    def _retry(self) -> Retry:
        return Retry(
            total=self.tries,
            connect=min(self.tries, 3),
            read=1,
            backoff_factor=self.backoff,
            status_forcelist=PASSING,
            allowed_methods=("GET",),
            retry_after_max=self.longest_wait,
        )


class _Session(requests.Session):
    """Follows a redirect to https, or one that keeps the scheme: never down to http, and never to a file."""

    def __init__(self) -> None:
        super().__init__()
        self.max_redirects = 10

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is not None:
            scheme = urlsplit(urljoin(resp.url, target)).scheme.lower()
            if scheme not in {"https", urlsplit(resp.url).scheme.lower()}:
                resp.close()
                raise ModelError(
                    f"{shown(resp.url)} leads on to {shown(target)}, which is not safe",
                    remedy="Nothing was fetched. Give an address that leads to https.",
                )
        return target


def shown(url: str) -> str:
    """An address for people: without what stands behind a ``?``, where signatures are, and without a password."""
    parts = urlsplit(url)
    return printable(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def _check_status(url: str, answer: requests.Response, first: int) -> None:
    status = answer.status_code
    if answer.ok or (first and status == requests.codes.requested_range_not_satisfiable):
        return
    if status in (401, 403):
        raise ModelError(
            f"{shown(url)} may not be read ({status})",
            remedy="Its source asks for a licence or a login first; for the Hugging Face Hub, set HF_TOKEN.",
        )
    if status in (404, 410):
        raise ModelError(f"{shown(url)} does not exist ({status})", remedy="It was moved or removed at its source.")
    raise ModelError(f"{shown(url)} cannot be fetched: the server answers {status}", remedy="Try again later.")


def _cannot(url: str, error: Exception) -> BrokenOff:
    """The one sentence for the nested errors of two libraries."""
    reason: object = error
    while True:
        inner = getattr(reason, "reason", None) or next(
            (part for part in getattr(reason, "args", ()) if isinstance(part, Exception)), None
        )
        if inner is None or inner is reason:
            break
        reason = inner
    name = type(reason).__name__
    if isinstance(error, requests.TooManyRedirects):
        why = "it leads from one address to the next"
    elif "Timeout" in name or isinstance(reason, TimeoutError):
        why = "no answer came in time"
    elif isinstance(error, requests.exceptions.RetryError):
        why = f"the server is busy: {str(reason).removeprefix('too many ')}"
    elif name == "NameResolutionError":
        why = "its name cannot be resolved"
    elif name == "IncompleteRead":
        why = "the connection broke off"
    else:
        why = f"{str(reason).rpartition(': ')[2] or name}"
    return BrokenOff(f"{shown(url)} cannot be fetched: {printable(why)}")


def is_safe(url: str, source: str) -> bool:
    """Whether an address that a source gave may be followed: https, or http where the source itself is asked so."""
    return urlsplit(url).scheme.lower() in {"https", urlsplit(source).scheme.lower()} & {"http", "https"}
