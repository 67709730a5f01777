"""The web server of the results."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from archive_pipeline.errors import StorageError, printable
from archive_pipeline.results.files import REPORT, ExportFiles
from archive_pipeline.results.listing import Lister

_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_SEARCH = 200


def make_app(store: Path, hosts: Sequence[str]) -> Starlette:
    """The server.

    Args:
        store: The store's folder.
        hosts: Names under which it may be asked. Any other is a web page that had its own name lead here.
    """
    lister = Lister(store)

    def index(request: Request) -> HTMLResponse:
        search = request.query_params.get("search", "")[:_SEARCH]
        number = request.query_params.get("page", "1")
        try:
            page = lister.page(int(number) if number.isdecimal() and len(number) < 9 else 1, search)
        except StorageError as error:
            return HTMLResponse(_render("problem.html", problem=str(error)), 503, headers=_headers())
        report = f"{REPORT}/index.html" if (store / "report" / "index.html").is_file() else ""
        return HTMLResponse(_render("index.html", list=page, search=search, report=report), headers=_headers())

    return Starlette(
        routes=[
            Route("/", index),
            Mount("/_static", StaticFiles(packages=[("archive_pipeline.results", "static")])),
            Mount("/", ExportFiles(store)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts)), Middleware(_Careful)],
        exception_handlers={404: _missing},
    )


class _Careful:
    """Headers of every answer: a browser is to take each file for what it is said to be, and to tell nobody of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def careful(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"same-origin"),
                    (b"cross-origin-resource-policy", b"same-origin"),
                ]
            await send(message)

        await self._app(scope, receive, careful)


def _missing(_request: Request, _error: Exception) -> PlainTextResponse:
    return PlainTextResponse("There is no such file. The document may be under way, or have no such export.", 404)


def _headers() -> dict[str, str]:
    return {"content-security-policy": _POLICY, "cache-control": "no-store"}


def _render(template: str, **values: Any) -> str:
    return _templates().get_template(template).render(**values)


@functools.cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("archive_pipeline.results"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.filters["printable"] = printable
    made.filters["sentence"] = lambda text: text if text.endswith(".") else f"{text}."
    # Rounded down, as in the reading view: what is not certain is not called so.
    made.filters["percent"] = lambda share: "" if share is None else f"{math.floor(share * 1000 + 1e-6) / 10:.1f} %"
    return made
