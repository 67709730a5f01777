"""surya's questions to its server, and a hard look at the answers.

surya's own client does the asking: prompts, encoding of images, retries of what failed or repeats itself
(``chat_completions_batch``). It swallows why something failed, takes an answer that was cut off for a whole one, and
makes a page without blocks of an answer that it cannot read. A page that looks done and is empty is the worst that
can happen to an archive, so all of that is noted here and ends in a :class:`ServerFailed`.

There is never a server started from here: this backend has no code for it.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
from openai.types.chat import ChatCompletion
from surya.inference.backends.base import Backend
from surya.inference.backends.openai_client import chat_completions_batch
from surya.inference.parsers import parse_full_page_html, parse_layout
from surya.inference.prompts import PROMPT_TYPE_BLOCK, PROMPT_TYPE_HIGH_ACCURACY_BBOX, PROMPT_TYPE_LAYOUT
from surya.inference.schema import BatchInputItem, BatchOutputItem
from surya.inference.util import detect_repeat_token

from archive_pipeline.engines.serving import Server
from archive_pipeline.engines.surya_answers import full_page_problem, layout_problem
from archive_pipeline.engines.surya_transport import ServerTransport
from archive_pipeline.errors import ServerFailed, printable

_log = logging.getLogger(__name__)
_PARALLEL = 4  # blocks of one page that are asked for at the same time
_LATER = frozenset({408, 409, 425, 429})  # of the 4xx, those that may pass
_AWAY = "Start it, or correct SURYA_INFERENCE_URL; see docs/surya.md."
_SLOW = "Raise SURYA_INFERENCE_TIMEOUT_SECONDS and ARCHIVE_PAGE_TIMEOUT, or give the server more power."
_LOG = "See the server's own log; docs/surya.md says how it is to be started."
_OTHER = "Run it again, or read this page with another engine or model."
_NO_SERVER = "Check that SURYA_INFERENCE_URL is the server's address with /v1 at its end."
_CONTEXT = "Start the server with a longer context; docs/surya.md says how."


class _GivenUp(BaseException):
    """Asking again is of no use. surya catches every ``Exception`` and would ask again."""

    def __init__(self, error: ServerFailed) -> None:
        self.error = error


class _Question:
    """What surya takes for OpenAI's client while it asks one question: it notes how the last answer ended."""

    def __init__(self, client: openai.OpenAI, server: Server) -> None:
        self.chat = self.completions = self
        self.failure: ServerFailed | None = None
        self.cut_off = False
        self._client = client
        self._server = server

    def create(self, **asked: Any) -> ChatCompletion:
        """As ``client.chat.completions.create``."""
        self.failure, self.cut_off = None, False
        left = self._server.left()
        if left <= 1:
            raise _GivenUp(ServerFailed(f"there was no time left to ask {self._server.url} again", remedy=_SLOW))
        seconds = min(self._server.timeout, left)
        try:
            answer = _checked(self._client.chat.completions.create(**(asked | {"timeout": seconds})))
            self.cut_off = answer.choices[0].finish_reason not in ("stop", None)
        except ServerFailed as error:
            self.failure = error
            raise
        except openai.APITimeoutError:
            # Asked again it would not be faster.
            raise _GivenUp(
                ServerFailed(f"{self._server.url} did not answer within {seconds:.0f} seconds", remedy=_SLOW)
            ) from None
        except openai.APIStatusError as error:
            self.failure = _refusal(self._server, error)
            if 400 <= error.status_code < 500 and error.status_code not in _LATER:
                raise _GivenUp(self.failure) from None
            raise
        except openai.APIConnectionError as error:
            reason = printable(error.__cause__ or error)[:200]
            self.failure = ServerFailed(f"{self._server.url} cannot be reached: {reason}", remedy=_AWAY)
            raise
        except (openai.OpenAIError, json.JSONDecodeError, httpx.HTTPError, ValueError, TypeError):
            self.failure = _no_answer(self._server)
            raise
        return answer


class ServedBackend(Backend):  # type: ignore[misc]
    """Asks a server that is there. Given to surya's predictors as their manager.

    Args:
        server: Where it is.
        model: What it must serve.
    """

    name = "served"

    def __init__(self, server: Server, model: str) -> None:
        self._server = server
        self._model = model
        # Nothing of the environment: no key, no proxy. Retries are surya's.
        http = httpx.Client(transport=ServerTransport(server), trust_env=False)
        self._client = openai.OpenAI(api_key="EMPTY", base_url=server.url, http_client=http, max_retries=0)
        # What the page as a whole was read by; None where its blocks were, or nothing was said.
        self.page_answer: BatchOutputItem | None = None
        self.has_probabilities = True

    def begin_page(self) -> None:
        """Forget the page before, and look whether the server has the model: results are named after it.

        Raises:
            ServerFailed: It is away, or serves another.
        """
        self.page_answer = None
        self.has_probabilities = True
        names = self._served()
        if self._model not in names:
            raise ServerFailed(
                f"{self._server.url} serves {', '.join(names)[:200] or 'no model'}, not {self._model}",
                remedy="Start it with the name that is asked for; docs/surya.md says how.",
            )

    def _served(self) -> list[str]:
        seconds = min(self._server.timeout, max(1.0, self._server.left()), 30.0)
        try:
            found = self._client.models.list(timeout=seconds).data
            return [printable(model.id) for model in found]
        except openai.APITimeoutError:
            raise ServerFailed(
                f"{self._server.url} did not answer within {seconds:.0f} seconds", remedy=_AWAY
            ) from None
        except openai.APIConnectionError as error:
            reason = printable(error.__cause__ or error)[:200]
            raise ServerFailed(f"{self._server.url} cannot be reached: {reason}", remedy=_AWAY) from None
        except openai.APIStatusError as error:
            raise _refusal(self._server, error) from None
        except (openai.OpenAIError, ValueError, TypeError, AttributeError):
            raise _no_answer(self._server) from None

    def generate(self, batch: Sequence[BatchInputItem]) -> list[BatchOutputItem]:
        """Ask, and look at each answer.

        A page that was asked for as a whole and came back cut off, repeating itself or unreadable is marked as failed:
        surya then asks for its blocks one by one. A block or a layout that is of no use ends the page.

        Raises:
            ServerFailed: See the module.
        """
        with ThreadPoolExecutor(_PARALLEL) as threads:
            try:
                return list(threads.map(self._ask, batch))
            except _GivenUp as given_up:
                raise given_up.error from None

    def _ask(self, item: BatchInputItem) -> BatchOutputItem:
        question = _Question(self._client, self._server)
        (answer,) = chat_completions_batch(
            [item],
            client=question,
            model_name=self._model,
            timeout=self._server.timeout,
            max_workers=1,
            request_logprobs_default=True,
        )
        if answer.error:
            raise question.failure or _no_answer(self._server)
        problem = self._problem(item, answer, question.cut_off)
        probability = answer.mean_token_prob
        if probability is None or not math.isfinite(probability) or not 0 <= probability <= 1:
            self.has_probabilities = False
        if item.prompt_type != PROMPT_TYPE_HIGH_ACCURACY_BBOX:
            if problem is not None:
                raise problem
            return answer
        if problem is not None:
            _log.info("%s; asking for its blocks one by one", problem.what)
            answer.error = True
        elif answer.raw.strip():
            self.page_answer = answer
        return answer

    def _problem(self, item: BatchInputItem, answer: BatchOutputItem, cut_off: bool) -> ServerFailed | None:
        """Why an answer cannot be used."""
        at = self._server.url
        if cut_off or (item.max_tokens and answer.token_count >= item.max_tokens):
            return ServerFailed(f"the answer of {at} was cut off after {answer.token_count} tokens", remedy=_CONTEXT)
        if repeats_itself(answer.raw):
            return ServerFailed(f"the answer of {at} repeats itself without end", remedy=_OTHER)
        if item.prompt_type == PROMPT_TYPE_BLOCK:
            return None
        if not answer.raw.strip():
            # Only surya knows whether the page is blank; it asks for the layout if it is not.
            whole = item.prompt_type == PROMPT_TYPE_HIGH_ACCURACY_BBOX
            return None if whole else ServerFailed(f"the answer of {at} is empty", remedy=_OTHER)
        problem = ""
        if item.prompt_type == PROMPT_TYPE_LAYOUT:
            problem = layout_problem(answer.raw, parse_layout)
        elif item.prompt_type == PROMPT_TYPE_HIGH_ACCURACY_BBOX:
            problem = full_page_problem(answer.raw, parse_full_page_html)
        if not problem:
            return None
        return ServerFailed(f"the answer of {at} is not what surya's model says: {problem}", remedy=_OTHER)


def repeats_itself(text: str) -> bool:
    """Whether an answer ends in a loop, by the rule by which surya asks again."""
    return bool(detect_repeat_token(text)) or (len(text) > 50 and bool(detect_repeat_token(text, cut_from_end=50)))


def _checked(answer: Any) -> ChatCompletion:
    """An answer of OpenAI's shape, which its client does not look at.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(answer, ChatCompletion) or not answer.choices:
        raise ValueError("no completion")
    if not isinstance(answer.choices[0].message.content, str | None):
        raise TypeError("the content is no text")
    if answer.usage is not None and not isinstance(answer.usage.completion_tokens, int):
        raise TypeError("the number of tokens is none")
    return answer


def _refusal(server: Server, error: openai.APIStatusError) -> ServerFailed:
    if "html" in error.response.headers.get("content-type", ""):
        # Some other web server; its page says nothing to anybody here.
        return ServerFailed(f"{server.url} answered with status {error.status_code} and a web page", remedy=_NO_SERVER)
    said = printable(error.message)[:200]
    return ServerFailed(f"{server.url} answered with status {error.status_code}: {said}", remedy=_LOG)


def _no_answer(server: Server) -> ServerFailed:
    return ServerFailed(f"{server.url} gave an answer that is none of an OpenAI-compatible server", remedy=_NO_SERVER)
