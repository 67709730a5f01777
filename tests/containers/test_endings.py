"""How a run ended is said as what it is."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from containers.stack import Stack, docker


@pytest.fixture(scope="module")
def long(stack: Stack, scan: Callable[[str, int], Path]) -> str:
    """A document that takes more than a minute."""
    return stack.upload(scan("long.pdf", 120))


def _main_process(container: str) -> int:
    """Host's pid of the process of the run."""
    for line in docker("top", container, "-eo", "pid,ppid,args").splitlines()[1:]:
        pid, _, arguments = line.split(None, 2)
        if "execute_run" in arguments and "docker-init" not in arguments:
            return int(pid)
    raise AssertionError("the run's process is not there")


def test_a_container_that_is_killed_from_outside_is_said_to_be(stack: Stack, long: str) -> None:
    run, container = stack.started("documents", long)
    docker("kill", "--signal", "KILL", container)
    assert stack.wait(run, 90) == "FAILURE"
    assert "killed from outside (SIGKILL)" in stack.messages(run)


def test_a_container_that_runs_out_of_memory_is_said_to_have(stack: Stack, long: str) -> None:
    run, container = stack.started("documents", long)
    # Of all processes in the container the kernel is to choose the run's own.
    Path(f"/proc/{_main_process(container)}/oom_score_adj").write_text("1000", "ascii")
    hog = "x = []\nwhile True: x.append(bytearray(b'x') * (64 << 20))"
    subprocess.run(["docker", "exec", container, "python3", "-c", hog], check=False, capture_output=True)
    assert stack.wait(run, 90) == "FAILURE"
    said = stack.messages(run)
    assert "ran out of its 3g of memory" in said, said
    assert "ARCHIVE_RUN_MEMORY" in said


def test_a_container_that_is_removed_is_said_to_be_gone(stack: Stack, long: str) -> None:
    run, container = stack.started("documents", long)
    docker("rm", "-f", container)
    assert stack.wait(run, 90) == "FAILURE"
    assert "the run's container is gone" in stack.messages(run).lower()


def test_a_run_over_its_time_limit_is_said_to_be(stack: Stack, long: str) -> None:
    run, container = stack.started("documents", long, **{"dagster/max_runtime": "5"})
    end = time.monotonic() + 120
    # First it is stopped as by a person, then Dagster says why.
    while stack.status(run) != "FAILURE":
        assert time.monotonic() < end, stack.messages(run)
        time.sleep(0.5)
    assert "Exceeded maximum runtime of 5 seconds" in stack.messages(run)
    assert container not in docker("ps", "-q", "--no-trunc")


def test_an_image_that_is_not_on_the_host_is_named(stack: Stack) -> None:
    docker("tag", stack.image, "archive-pipeline:aside")
    docker("rmi", "--no-prune", stack.image)
    try:
        run = stack.launch("models", **{"dagster/max_retries": "2"})
        assert stack.wait(run, 60) == "FAILURE"
        assert f"the image {stack.image} is not on this host" in stack.messages(run)
        assert "make image" in stack.messages(run)
        assert stack.tags(run).get("dagster/will_retry") == "false"
    finally:
        docker("tag", "archive-pipeline:aside", stack.image)
        docker("rmi", "--no-prune", "archive-pipeline:aside")


def _read_pages(stack: Stack, key: str) -> dict[str, str]:
    """Digest of the stored text of each page that has been read."""
    folder = f"/data/store/documents/{key}/transcriptions"
    command = f"cd {folder} 2>/dev/null && md5sum *.json 2>/dev/null || true"
    lines = docker("exec", stack.container("documents"), "sh", "-c", command).splitlines()
    return {name: digest for digest, name in map(str.split, lines)}


def test_a_killed_run_is_started_again_by_itself_and_does_not_do_again_what_it_has_done(
    stack: Stack, scan: Callable[[str, int], Path]
) -> None:
    key = stack.upload(scan("killed.pdf", 40))
    run, container = stack.started("documents", key, **{"dagster/max_retries": "1"})
    end = time.monotonic() + 240
    while len(done := _read_pages(stack, key)) < 5:
        assert time.monotonic() < end, stack.messages(run)
        time.sleep(0.5)
    docker("kill", "--signal", "KILL", container)
    stamps = "cd /data/store/documents/{}/transcriptions && stat -c '%n %i' {}"
    command = stamps.format(key, " ".join(done))
    before = docker("exec", stack.container("documents"), "sh", "-c", command)
    assert stack.wait(run, 90) == "FAILURE"
    end = time.monotonic() + 120
    while (again := stack.started_again(run)) is None:
        assert time.monotonic() < end, "the run was not started again"
        time.sleep(0.5)
    assert stack.wait(again) == "SUCCESS"
    # Not written anew: a file that is replaced is another inode.
    assert docker("exec", stack.container("documents"), "sh", "-c", command) == before
    assert len(_read_pages(stack, key)) == 40
