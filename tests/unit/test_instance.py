"""Dagster's configuration: made, brought up to date as long as it is ours, and valid in both kinds of installation."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._config import process_config
from dagster._core.instance.config import dagster_instance_config_schema

from archive_pipeline.cli.instance import CONFIGURATION, OURS, prepare_home

DOCKER = Path(__file__).parents[2] / "docker" / "dagster.yaml"
OLD = b"""\
# Made once by archive-pipeline; change it as you like.
telemetry:
  enabled: false
# No window that asks for an e-mail address.
nux:
  enabled: false
run_monitoring:
  enabled: true
  max_resume_run_attempts: 0
"""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DAGSTER_HOME", "x")
    yield
    os.environ["DAGSTER_HOME"] = "x"


def test_a_new_home_gets_this_versions_configuration(tmp_path: Path) -> None:
    prepare_home(tmp_path / "home")
    assert (tmp_path / "home" / "dagster.yaml").read_bytes() == CONFIGURATION.read_bytes()


def test_what_an_earlier_version_wrote_is_brought_up_to_date(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_bytes(OLD)
    prepare_home(tmp_path)
    assert (tmp_path / "dagster.yaml").read_bytes() == CONFIGURATION.read_bytes()


def test_what_somebody_has_changed_stays(tmp_path: Path) -> None:
    changed = OLD + b"# by us\n"
    (tmp_path / "dagster.yaml").write_bytes(changed)
    prepare_home(tmp_path)
    assert (tmp_path / "dagster.yaml").read_bytes() == changed


def test_this_versions_configuration_is_known_to_later_versions() -> None:
    """When it is changed, its new digest is added; those of before stay."""
    digest = hashlib.sha256(CONFIGURATION.read_bytes()).hexdigest()
    assert digest in OURS, digest
    assert hashlib.sha256(OLD).hexdigest() in OURS


@pytest.mark.parametrize("path", [CONFIGURATION, DOCKER], ids=["embedded", "containers"])
def test_dagster_takes_every_key(path: Path) -> None:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    result = process_config(dagster_instance_config_schema(), loaded)
    assert result.success, result.errors


@pytest.mark.parametrize("path", [CONFIGURATION, DOCKER], ids=["embedded", "containers"])
def test_crashes_are_tried_again_bad_documents_are_not_and_slots_are_freed(path: Path) -> None:
    loaded = yaml.safe_load(path.read_text("utf-8"))
    assert loaded["run_retries"] == {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}
    assert loaded["run_monitoring"]["enabled"] is True
    assert loaded["run_monitoring"]["free_slots_after_run_end_seconds"] > 0
    assert loaded["run_coordinator"]["class"] == "QueuedRunCoordinator"
    # In containers one of documents and one of models: tests/integration/test_pools.py.
    assert loaded["concurrency"]["runs"]["max_concurrent_runs"] == (2 if path == DOCKER else 1)
    assert set(loaded["retention"]) == {"schedule", "sensor"}
