"""What is in volumes survives, and a volume that root has written is mended both ways that the docs tell."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from containers.stack import ROOT, Stack, docker

DEPLOYMENT = ROOT / "docs" / "DEPLOYMENT.md"
KEPT = ("/app/models", "/app/cache")


def _documented(name: str) -> str:
    """The commands below ``<!-- name -->`` in the docs."""
    found = re.search(rf"<!-- {name} -->\s+```sh\n(.*?)```", DEPLOYMENT.read_text("utf-8"), re.S)
    assert found is not None, f"no commands named {name} in {DEPLOYMENT.name}"
    return found[1]


def _execute(stack: Stack, commands: str) -> str:
    """Commands of the docs, as an operator types them, but for the name of the installation."""
    commands = commands.replace("archive_", f"{stack.project}_").replace("archive-pipeline:0.1.0", stack.image)
    commands = commands.replace("make up", "docker/compose.sh production up -d --wait")
    commands = commands.replace("make down", "docker/down.sh production")
    commands = commands.replace(" ENVIRONMENT=production", "")
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=ROOT,
        env=os.environ | stack.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def _write(stack: Stack, folder: str, name: str) -> None:
    docker("exec", stack.container("models"), "sh", "-c", f"echo {name} > {folder}/{name}")


def _as_root(stack: Stack, volume: str, command: str) -> str:
    name = f"{stack.project}_{volume}"
    return docker("run", "--rm", "--user", "0", "--entrypoint", "sh", "-v", f"{name}:/v", stack.image, "-c", command)


def test_caches_models_and_documents_survive_down_and_up_and_a_new_container(
    stack: Stack, scan: Callable[[str, int], Path]
) -> None:
    key = stack.upload(scan("kept.pdf", 2))
    assert stack.wait(stack.launch("documents", key)) == "SUCCESS"
    for folder in KEPT:
        _write(stack, folder, "kept")
    exports = "/data/store/documents"
    before = docker("exec", stack.container("documents"), "sh", "-c", f"cd {exports} && find . -name '*.pdf' | sort")
    assert before
    stack.compose("up", "-d", "--wait", "--force-recreate", "models")
    stack.down()
    stack.up()
    for folder in KEPT:
        assert docker("exec", stack.container("models"), "cat", f"{folder}/kept") == "kept"
    after = docker("exec", stack.container("documents"), "sh", "-c", f"cd {exports} && find . -name '*.pdf' | sort")
    assert after == before
    # Dagster's own history, too.
    runs = stack.ask("{ runsOrError { ... on Runs { results { status } } } }")["runsOrError"]["results"]
    assert "SUCCESS" in [run["status"] for run in runs]


def test_a_volume_that_root_has_written_is_told_and_mended_without_a_new_download(stack: Stack) -> None:
    _write(stack, "/app/models", "mine")
    _as_root(stack, "models", "mkdir -p /v/torch && echo weights > /v/torch/old.safetensors && chown -R 0:0 /v")
    stack.compose("restart", "models")
    stack.up()
    warnings = docker("logs", "--tail", "40", stack.container("models"), check=False)
    assert "WARNING: /app/models cannot be written by uid 1000" in warnings
    told = re.findall(r"On the host: (docker run [^\n]*chown[^\n]*)", warnings)[-1]
    documented = _documented("chown")
    # What the warning tells and what the docs tell are the same command.
    assert told.replace(stack.image, "archive-pipeline:0.1.0") in documented.replace("archive_", f"{stack.project}_")
    _execute(stack, documented)
    assert _as_root(stack, "models", "stat -c %u:%g /v/torch/old.safetensors") == "1000:1000"
    assert _as_root(stack, "models", "cat /v/torch/old.safetensors") == "weights"
    _write(stack, "/app/models/torch", "new")
    restarted = docker("logs", "--since", "30s", stack.container("models"), check=False)
    assert "cannot be written" not in restarted


def test_a_volume_that_root_has_written_is_replaced_by_a_new_one(stack: Stack) -> None:
    _as_root(stack, "cache-models", "echo old > /v/old && chown -R 0:0 /v")
    _execute(stack, _documented("removal"))
    assert _as_root(stack, "cache-models", "stat -c %u:%g /v && ls -A /v").split()[0] == "1000:1000"
    assert "old" not in docker("exec", stack.container("models"), "ls", "-A", "/app/cache").split()
    _write(stack, "/app/cache", "new")


def test_doctor_prints_the_command_that_mends_a_volume(stack: Stack) -> None:
    _as_root(stack, "store", "mkdir -p /v/rooted && chown 0:0 /v/rooted")
    try:
        said = docker("exec", stack.container("documents"), "archive-pipeline", "doctor", check=False)
        assert f"chown -v {stack.project}_store:/volume" in said
        assert "-R 1000:1000 /volume" in said
    finally:
        _as_root(stack, "store", "rmdir /v/rooted")


def test_the_database_is_backed_up_and_restored_as_documented(stack: Stack, tmp_path: Path) -> None:
    def known() -> set[str]:
        return {
            run["runId"]
            for run in stack.ask("{ runsOrError { ... on Runs { results { runId } } } }")["runsOrError"]["results"]
        }

    def executed(name: str) -> None:
        commands = _documented(name).replace("-p archive ", f"-p {stack.project} ")
        _execute(stack, commands.replace("dagster.dump", str(tmp_path / "dagster.dump")))

    run = stack.launch("models")
    assert stack.wait(run) == "SUCCESS"
    executed("backup")
    stack.ask("mutation($r: String!) { deletePipelineRun(runId: $r) { __typename } }", r=run)
    assert run not in known()
    executed("restore")
    assert run in known()
    assert stack.wait(stack.launch("models")) == "SUCCESS"
