"""The Hugging Face Hub, by its own client: an address at a pinned commit, and what the Hub says of the file.

The client's download is not used: it does not hold the bytes against the digest, and keeps a cache of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import httpx
from huggingface_hub import HfFileMetadata, get_hf_file_metadata, get_token, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from archive_pipeline.errors import ModelError, printable
from archive_pipeline.models.entry import HuggingFace
from archive_pipeline.models.network import PASSING, BrokenOff, Network, Offline
from archive_pipeline.models.remote import Algorithm, RemoteFile

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")


def locate(source: HuggingFace, names: Sequence[str], network: Network) -> list[RemoteFile]:
    """Where files of a repository are at the pinned commit, with the SHA-256 (large files) or git's SHA-1 (others).

    Raises:
        ModelError: The Hub is away, does not have them, or answers for another commit.
    """
    network.require(f"{source.repo} on the Hugging Face Hub")
    token = get_token()  # of HF_TOKEN, or of the folder HF_HOME; None for public models
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return [_locate(source, name, network, token, headers) for name in names]


def _locate(source: HuggingFace, name: str, network: Network, token: str | None, headers: dict[str, str]) -> RemoteFile:
    url = hf_hub_url(source.repo, name, revision=source.revision, endpoint=network.hub.rstrip("/"))
    told = _ask(source, name, url, token, network)
    if told.commit_hash != source.revision:
        raise ModelError(
            f"the Hub answers for commit {printable(told.commit_hash)} of {source.repo} instead of {source.revision}",
            remedy="Nothing was fetched. Try again later.",
        )
    etag = told.etag or ""
    digests: dict[Algorithm, str] = {}
    if _SHA256.fullmatch(etag):
        digests["sha256"] = etag
    elif _SHA1.fullmatch(etag):
        digests["git-sha1"] = etag
    return RemoteFile(name=name, url=url, size=told.size or None, digests=digests, headers=headers)


def _ask(source: HuggingFace, name: str, url: str, token: str | None, network: Network) -> HfFileMetadata:
    where = f"{name} of {source.repo} at {source.revision[:12]}"
    for number in range(1, network.tries + 1):
        try:
            return get_hf_file_metadata(url, token=token, timeout=network.silence, endpoint=network.hub.rstrip("/"))
        except GatedRepoError:
            raise ModelError(
                f"{source.repo} asks for your agreement first",
                remedy="Agree to its licence on its page on the Hub, and set HF_TOKEN.",
            ) from None
        except (RepositoryNotFoundError, RevisionNotFoundError, EntryNotFoundError):
            raise ModelError(
                f"the Hub has no {where}",
                remedy="It was moved or removed; or it is private, and HF_TOKEN is not set.",
            ) from None
        except OfflineModeIsEnabled:
            raise Offline(f"{where} would have to be fetched, and HF_HUB_OFFLINE is set") from None
        except HfHubHTTPError as error:
            status = error.response.status_code
            if status in (401, 403):
                raise ModelError(f"{where} may not be read ({status})", remedy="Set HF_TOKEN.") from None
            if status == 404:
                raise ModelError(f"the Hub has no {where}", remedy="It was moved or removed.") from None
            if status not in PASSING:
                raise ModelError(f"the Hub answers {status} for {where}", remedy="Try again later.") from None
            why = f"it answers {status}"
        except httpx.HTTPError as error:
            why = "no answer came in time" if isinstance(error, httpx.TimeoutException) else printable(error)
        if number < network.tries:
            network.pause(number)
    raise BrokenOff(f"the Hub cannot be asked for {where}: {why}")
