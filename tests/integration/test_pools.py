"""Every step of a code location is in its pool: a long training holds no document up, and no two of a kind run."""

from pathlib import Path

import dagster as dg
import pytest
import yaml

from archive_pipeline import definitions, models_definitions
from archive_pipeline.settings import read_settings
from assets.partitions import DOCUMENTS_POOL, MODELS_POOL

ROOT = Path(__file__).parents[2]
LOCATIONS = {"documents": (definitions, DOCUMENTS_POOL), "models": (models_definitions, MODELS_POOL)}


@pytest.mark.parametrize("location", LOCATIONS)
def test_every_step_of_a_code_location_is_in_its_pool(location: str, tmp_path: Path) -> None:
    module, pool = LOCATIONS[location]
    built: dg.Definitions = module.build(read_settings(home=tmp_path))
    jobs = built.get_repository_def().get_all_jobs()
    pools = {(job.name, node.name): node.definition.pools for job in jobs for node in job.graph.nodes}
    assert len(pools) > 5
    assert {step: found for step, found in pools.items() if found != {pool}} == {}


def test_one_run_of_each_pool_may_be_under_way() -> None:
    concurrency = yaml.safe_load((ROOT / "docker" / "dagster.yaml").read_text("utf-8"))["concurrency"]
    assert concurrency["pools"] == {"granularity": "run", "default_limit": 1}
    assert concurrency["runs"]["max_concurrent_runs"] == len(LOCATIONS)
