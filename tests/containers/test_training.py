"""A short training in a real installation: from a folder that is dropped to a decision, hardened throughout."""

import json
from pathlib import Path
from typing import Any

import pytest
from containers import test_hardening as hardening
from containers.outside import Outside
from containers.stack import Stack, docker
from drawn_hand import drawn_hand

from archive_pipeline.hand_names import hand_key

HAND = "Jean Dupont"
PEAK = """
from pathlib import Path
for name in ("memory/memory.max_usage_in_bytes", "memory.peak"):
    path = Path("/sys/fs/cgroup", name)
    if path.exists():
        print(int(path.read_text()) >> 20)
"""
KEPT = """
import json
from pathlib import Path
def read(root, pattern):
    return {str(path.relative_to(root)): json.loads(path.read_text("utf-8")) for path in Path(root).glob(pattern)}
print(json.dumps({
    "trained": read("/app/models/trained", "*.json"),
    "decisions": read("/app/models/decisions", "*/*.json"),
    "hands": read("/app/models/hands", "*.json"),
    "evaluations": sorted(str(path) for path in Path("/data/training/evaluations").rglob("*.json")),
    "splits": read("/data/training/splits", "*.json"),
}))
"""
pytestmark = pytest.mark.timeout(3600)


def test_a_dropped_hand_is_learnt_in_a_hardened_run_and_candidate_figures_and_decision_are_there(
    automatic: Stack, outside: Outside, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = automatic
    drawn = drawn_hand(tmp_path / "dupont", 10, 6, writer=HAND)
    for path in drawn.iterdir():
        path.chmod(0o644)
    drawn.chmod(0o755)
    drawn.rename(stack.ground_truth / "dupont")
    stack.until(lambda: stack.shown("ground_truth_set", "dupont"))
    hand = hand_key(HAND)
    stack.until(lambda: stack.shown("ground_truth", hand))
    assert stack.shown("ground_truth", hand)["pages"] == 10

    # The launchpad's minutes, not the hour of the settings.
    run = stack.learn(hand, minutes=1)
    container = stack.wait_for_container(run, 300)
    stack.until(lambda: stack.observed("candidate_model", hand), 1500)
    found = hardening.read(container, outside)
    peak = int(docker("exec", container, "python3", "-c", PEAK).splitlines()[0])
    inside = {"run of models": found}
    for holds in (
        hardening.test_no_process_is_root_or_can_become_it,
        hardening.test_nothing_of_the_program_can_be_written_or_executed_from_tmp,
        hardening.test_memory_processes_cpus_and_core_files_are_limited,
        hardening.test_only_the_gates_see_the_engines_socket,
        hardening.test_a_run_reaches_the_database_and_no_other_service,
        hardening.test_the_items_of_the_cis_benchmark_hold,
    ):
        holds(inside, "run of models")
    mounts = found["mounts"]
    assert {place for place in mounts if place.startswith(("/app", "/data")) and "rw" in mounts[place]["options"]} == {
        "/app/cache",
        "/app/models",
        "/data/logs",
        "/data/training",
    }
    assert found["inspect"]["HostConfig"]["CpuShares"] == 256

    assert stack.wait(run, 1500) == "SUCCESS", stack.messages(run)
    kept: dict[str, Any] = json.loads(stack.compose("exec", "-T", "models", "python", "-c", KEPT))
    (record,) = kept["trained"].values()
    shown = stack.shown("candidate_model", hand)
    curve = stack.observed("candidate_model", hand)[::-1]
    with capsys.disabled():
        print(
            f"\n{record['made']['steps']} steps in {record['made']['seconds']} s, {peak:,} MB at the first evaluation"
        )
        print(json.dumps([shown, stack.shown("model_evaluation", hand), stack.shown("promoted_model", hand)], indent=1))
    losses = [each["loss"] for each in record["made"]["curve"]]
    # Those of a beginning that came apart stay before them.
    assert [each["loss"] for each in curve][-len(losses) :] == pytest.approx(losses)
    assert record["made"]["seconds"] < 60 + 60  # its last batch may be slow here
    assert (shown["model"], shown["sha256"]) == (record["model"], record["digest"])
    assert "dupont: 4 pages, CC0-1.0" in shown["model card"]
    listed = json.loads(stack.compose("exec", "-T", "documents", "archive-pipeline", "models", "list", "--json"))
    assert record["model"] in json.dumps(listed)
    (split,) = kept["splits"].values()
    assert len(kept["evaluations"]) == 2, kept["evaluations"]
    frozen = {image for page in split["pages"] for image in page["images"]}
    seen = {page["image_sha256"] for page in record["training"]}
    assert (len(split["pages"]), len(frozen), len(seen)) == (6, 6, 4)
    assert not frozen & seen
    assert not {page["id"] for page in split["pages"]} & {page["id"] for page in record["training"]}
    ((name, decision),) = kept["decisions"].items()
    assert name.startswith(f"{hand}/")
    # A minute is enough on most machines, and too little on a slow one: both verdicts are right, if the figures say so.
    figures = decision["frozen"]
    better = figures["p"] < decision["level"] and figures["gain"]["low"] > 0
    assert (decision["verdict"] == "promoted") is better, decision
    decided = stack.shown("promoted_model", hand)
    assert decided["reason"] == " ".join(decision["reasons"])
    assert decided["promoted"] is (decision["verdict"] == "promoted") is bool(kept["hands"])
    assert stack.shown("model_evaluation", hand)["model"] == record["model"]
