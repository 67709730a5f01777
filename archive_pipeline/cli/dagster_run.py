"""Materialising documents through Dagster from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from archive_pipeline.definitions import build
from archive_pipeline.errors import ArchiveError
from archive_pipeline.keys import DocumentKey
from archive_pipeline.settings import Settings
from assets.documents import report_source
from assets.partitions import DOCUMENTS
from assets.ranges import range_tags, spans
from resources.archive import ArchiveResource


def materialise(
    instance: dg.DagsterInstance, settings: Settings, keys: Sequence[DocumentKey], options: dict[str, Any]
) -> dict[DocumentKey, ArchiveError]:
    """Register documents as partitions and materialise their assets, in as few runs as possible.

    A run covers keys that stand next to each other in the order of registration.

    Args:
        instance: Dagster's instance.
        settings: Of this installation.
        keys: Registered documents.
        options: Fields of ``DocumentsConfig``.

    Returns:
        Documents that could not even begin, with the reason. How the others went is in the log.
    """
    refused = announce(instance, settings, keys)
    ready = set(keys) - refused.keys()
    job = build(settings).resolve_job_def("documents_job")
    for keys_of_run in spans(instance.get_dynamic_partitions(str(DOCUMENTS.name)), ready):
        job.execute_in_process(
            instance=instance,
            tags=range_tags(keys_of_run),
            run_config={
                "ops": {"documents": {"config": options}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            raise_on_error=False,
        )
    return refused


def announce(
    instance: dg.DagsterInstance, settings: Settings, keys: Sequence[DocumentKey]
) -> dict[DocumentKey, ArchiveError]:
    """Make registered documents partitions that can be chosen in Dagster's UI.

    Returns:
        Documents that cannot be, with the reason.
    """
    archive = ArchiveResource.from_settings(settings)
    refused: dict[DocumentKey, ArchiveError] = {}
    for key in keys:
        try:
            report_source(instance, archive, key)
        except ArchiveError as error:
            refused[key] = error.at(document=key)
    name = str(DOCUMENTS.name)
    known = set(instance.get_dynamic_partitions(name))
    instance.add_dynamic_partitions(name, [key for key in keys if key not in refused and key not in known])
    return refused
