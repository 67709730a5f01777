"""Every step of a code location is in its pool: a long training holds no document up, and no two of a kind run."""

from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.execution.api import create_execution_plan
from dagster._core.op_concurrency_limits_counter import GlobalOpConcurrencyLimitsCounter
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from archive_pipeline import definitions, models_definitions
from archive_pipeline.settings import read_settings
from assets.partitions import DOCUMENTS_POOL, MODELS_POOL

ROOT = Path(__file__).parents[2]
WAITS_FOR_NOTHING = {("rollback_job", "roll_back")}
"""It writes one line of a list, and a person who goes back on a model must not wait for a training."""
LOCATIONS = {"documents": (definitions, DOCUMENTS_POOL), "models": (models_definitions, MODELS_POOL)}


@pytest.mark.parametrize("location", LOCATIONS)
def test_every_step_of_a_code_location_is_in_its_pool(location: str, tmp_path: Path) -> None:
    module, pool = LOCATIONS[location]
    built: dg.Definitions = module.build(read_settings(home=tmp_path))
    jobs = built.get_repository_def().get_all_jobs()
    pools = {(job.name, node.name): node.definition.pools for job in jobs for node in job.graph.nodes}
    assert len(pools) > 5
    outside = {step: found for step, found in pools.items() if found != {pool}}
    assert outside == {step: set() for step in WAITS_FOR_NOTHING & pools.keys()}


def test_one_run_of_each_pool_may_be_under_way() -> None:
    concurrency = yaml.safe_load((ROOT / "docker" / "dagster.yaml").read_text("utf-8"))["concurrency"]
    assert concurrency["pools"] == {"granularity": "run", "default_limit": 1}
    assert concurrency["runs"]["max_concurrent_runs"] == len(LOCATIONS)


def test_dagsters_queue_holds_a_second_run_of_a_kind_back_and_lets_the_other_kind_go(tmp_path: Path) -> None:
    concurrency = yaml.safe_load((ROOT / "docker" / "dagster.yaml").read_text("utf-8"))["concurrency"]
    settings = read_settings(home=tmp_path)
    with dg.instance_for_test(overrides={"concurrency": concurrency}) as instance:

        def run(location: str, job: str, status: dg.DagsterRunStatus) -> dg.DagsterRun:
            definition = LOCATIONS[location][0].build(settings).resolve_job_def(job)
            return instance.create_run_for_job(
                definition,
                execution_plan=create_execution_plan(definition),
                status=status,
                remote_job_origin=RemoteJobOrigin(
                    RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), "__repository__"), job
                ),
            )

        under_way = run("models", "models_job", dg.DagsterRunStatus.STARTED)
        waiting = [
            run(location, job, dg.DagsterRunStatus.QUEUED)
            for location, job in (("models", "models_job"), ("documents", "housekeeping_job"))
        ]
        for _ in range(2):  # the first look makes the limits
            counter = GlobalOpConcurrencyLimitsCounter(
                instance,
                waiting,
                instance.get_run_records(dg.RunsFilter(run_ids=[under_way.run_id])),
                concurrency_keys=instance.event_log_storage.get_concurrency_keys(),
                pool_limits=instance.event_log_storage.get_pool_limits(),
                pool_granularity=instance.get_concurrency_config().pool_config.pool_granularity,
            )
        assert [counter.is_blocked(each) for each in waiting] == [True, False]
