"""Ground truth in containers: taken in by itself, refused with a note, and nothing of it lands anywhere else."""

import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from containers.run_container import in_run_container, profiles_of
from containers.stack import ENDED, Stack, docker
from PIL import Image

from archive_pipeline.bench import broken_truth, hostile_zips

TABLE = """
import json
from dataclasses import asdict
from pathlib import Path
from archive_pipeline.bench.ground_truth import can_execute, try_all
work = Path("/tmp/table")
work.mkdir()
tried = [asdict(each) for each in try_all(work)]
outside = [str(path) for root in ("/data", "/app", "/opt/archive", "/tmp") for path in Path(root).rglob("*a.xml*")
           if "/given/" not in str(path)]
print(json.dumps({"tried": tried, "executes": can_execute(work), "outside": outside}))
"""


def _refused(stack: Stack) -> set[str]:
    table = stack.shown("ground_truth_folder").get("refused ground truth") or {"records": []}
    return {json.loads(record)["upload"] for record in table["records"]}


def test_dropped_ground_truth_is_taken_in_and_hostile_zips_are_refused_beside_it(automatic: Stack) -> None:
    stack, folder = automatic, automatic.ground_truth
    before = {path.name for path in folder.iterdir()}
    good = folder / "jean"
    good.mkdir()
    (good / "hand.yaml").write_text("writer: Jean\nlicence: CC0-1.0\n")
    image = io.BytesIO()
    Image.new("L", (300, 60), 250).save(image, "PNG")
    (good / "1-1.png").write_bytes(image.getvalue())
    (good / "1-1.gt.txt").write_text("une ligne")
    hostile = ("a-name-that-leads-up", "a-link", "a-ratio-bomb")
    for name in hostile:
        (folder / f"{name}.zip").write_bytes(hostile_zips.ZIPS[name]())
    (folder / "out").symlink_to("/etc")
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    stack.until(lambda: stack.shown("ground_truth_set", "jean"))
    shown = stack.shown("ground_truth_set", "jean")
    assert (shown["hand"], shown["pages"], shown["lines"], shown["characters"]) == ("Jean", 1, 1, 9)
    stack.until(lambda: stack.shown("ground_truth", "jean"))
    assert stack.shown("ground_truth", "jean")["lines"] == 1
    refused = {*(f"{name}.zip" for name in hostile), "out"}
    stack.until(lambda: _refused(stack) == refused)
    notes = [folder / f"{name}.refused.txt" for name in refused]
    stack.until(lambda: all(note.exists() for note in notes))
    assert "leads out of the archive" in (folder / "a-name-that-leads-up.zip.refused.txt").read_text()
    assert {note.stat().st_uid for note in notes} == {1000}
    # Only notes are new on the host, and nothing but the set is in the volume.
    new = {path.name for path in folder.iterdir()} - before
    assert new == {"jean", *refused, *(note.name for note in notes)}
    listed = stack.compose("exec", "-T", "models", "find", "/data/training", "-type", "f", "-o", "-type", "l")
    kinds = Counter(line.split("/")[4] for line in listed.split() if line.startswith("/data/training/sets/"))
    assert set(kinds) <= {"jean", *before, *hostile}
    assert all(line.endswith("/lock") for line in listed.split() if any(f"/sets/{name}/" in line for name in hostile))
    runs = [json.loads(docker("inspect", name))[0] for name in stack.run_containers()]
    runs = [run for run in runs if run["Config"]["Labels"]["archive.location"] == "models"]
    assert runs
    for run in runs:
        writable = {mount["Destination"] for mount in run["Mounts"] if mount["RW"]}
        assert writable == {"/data/training", "/data/logs", "/app/models", "/app/cache"}
        assert {mount["Destination"] for mount in run["Mounts"]} > {"/data/ground-truth", "/data/store"}


def test_every_hostile_zip_and_broken_file_is_refused_in_a_run_container_and_leaves_nothing(automatic: Stack) -> None:
    found = in_run_container(profiles_of(automatic)["models"], TABLE)
    for each in found["tried"]:
        print(f"{each['kind']:5}{each['name']:36}{each['outcome']:9}{each['error']:18}{each['seconds']:5.1f} s")
    assert found["executes"] is False
    assert found["outside"] == []
    assert [each["name"] for each in found["tried"] if each["left"]] == []
    outcomes = Counter((each["kind"], each["outcome"]) for each in found["tried"])
    print(dict(outcomes))
    assert outcomes[("zip", "refused")] == len(hostile_zips.ZIPS) >= 30
    assert outcomes[("file", "refused")] >= len(broken_truth.REFUSED)
    assert sum(outcomes.values()) == len(hostile_zips.ZIPS) + len(broken_truth.REFUSED) + len(broken_truth.READ)
    assert ("file", "failed") not in outcomes


def test_a_run_of_models_holds_no_document_up_and_no_two_of_a_kind_are_under_way(
    automatic: Stack, scan: Callable[[str, int], Path]
) -> None:
    stack = automatic
    # Dagster makes the limit of a pool when it first meets a run of it, and that run's batch is not held to it yet.
    assert stack.wait(stack.launch("models")) == "SUCCESS"
    stack.upload(scan("beside.pdf", 1))
    runs: list[str] = []
    mine = {"models_job", "ground_truth_job"}
    seen: Counter[str] = Counter()

    def ended() -> bool:
        jobs = stack.under_way()
        models = [job for job in jobs if job in mine]
        seen[" ".join(["documents"] * (jobs != models) + ["models"] * len(models))] += 1
        waiting = [run for run in runs if stack.status(run) not in ENDED]
        if stack.shown("document_exports", "beside.pdf"):
            return not waiting and not jobs
        # Nobody knows when the document is looked at, so one run of models waits behind another until it is done.
        runs.extend(stack.launch("models") for _ in range(2 - len(waiting)))
        return False

    stack.until(ended)
    assert {stack.status(run) for run in runs} == {"SUCCESS"}
    print(dict(seen))
    assert seen["documents models"] > 0
    assert set(seen) <= {"", "documents", "models", "documents models"}
