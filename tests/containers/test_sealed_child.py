"""The child that opens uploads, proved from inside it, inside a run container."""

import json
from collections.abc import Callable
from pathlib import Path

from containers.stack import Stack, docker

PROBE = """
import json, os, tempfile
from pathlib import Path
from archive_pipeline.sealed import Limits, SealedChild
scratch = Path(tempfile.mkdtemp(dir="/data/store"))
with SealedChild("archive_pipeline.sealed.probe:handle", write=scratch, limits=Limits()) as child:
    files = ["/run/pgpass/pgpass", "/etc/passwd", *map(str, Path("/data/store").rglob("*.json"))][:8]
    files += ["/opt/archive/dagster/dagster.yaml", *map(str, Path("/data/uploads").iterdir())]
    folders = ["/tmp", "/data/store", "/app/cache", "/data/logs"]
    told = child.call({"parent": os.getpid(), "files": files, "folders": folders}, timeout=60)
    # Looked at afterwards, and from outside: what the run has removed meanwhile could not be there for the child.
    readable = [path for path in files if os.access(path, os.R_OK) and os.path.getsize(path)]
    writable = [path for path in folders if os.access(path, os.W_OK)]
    print(json.dumps({"seal": child.seal_report, "readable": readable, "writable": writable, **told}))
"""


def test_a_sealed_child_of_a_run_has_no_secret_no_socket_no_file_and_no_parent(
    stack: Stack, scan: Callable[[str, int], Path]
) -> None:
    run, container = stack.started("documents", stack.upload(scan("sealed.pdf", 30)))
    answer = json.loads(docker("exec", "-i", container, "python", "-", given=PROBE).splitlines()[-1])
    docker("stop", container)
    stack.wait(run)
    # The parent can do what the child must not: otherwise its failing would prove nothing.
    assert {
        "/run/pgpass/pgpass",
        "/etc/passwd",
        "/opt/archive/dagster/dagster.yaml",
        "/data/uploads/sealed.pdf",
    } <= set(answer["readable"])
    assert answer["writable"] == ["/tmp", "/data/store", "/app/cache", "/data/logs"]
    there = {f"read {path}" for path in answer["readable"]} | {f"write to {path}" for path in answer["writable"]}
    assert answer["seal"]["seccomp"] is True
    assert answer["seal"]["landlock"] > 0
    for attempt, result in answer["attempts"].items():
        if attempt.startswith("find ") or (attempt.startswith("read /data/store/") and attempt not in there):
            # A variable that is not in its environment; a file that the run has removed meanwhile.
            assert result in ("ENOENT", "EACCES"), f"{attempt}: {result}"
        else:
            assert result in ("EACCES", "EPERM", "ENOSYS"), f"{attempt}: {result}"
    assert there <= set(answer["attempts"])
    assert answer["attempts"]["read /run/pgpass/pgpass"] == "EACCES"
    assert answer["attempts"]["read /data/uploads/sealed.pdf"] == "EACCES"
    assert len(answer["attempts"]) > 18


def test_doctor_finds_nothing_weak_in_a_service(stack: Stack) -> None:
    for service in ("documents", "models"):
        # It is also its exit status that says so.
        docker("exec", stack.container(service), "archive-pipeline", "doctor")
    said = docker("exec", stack.container("documents"), "archive-pipeline", "doctor", "--json")
    findings = {finding["what"]: finding for finding in json.loads(said)}
    assert "limit of this container is 2048 MB" in findings["memory"]["found"]
    assert findings["container"]["ok"], findings["container"]
    assert findings["sealed child"]["ok"], findings["sealed child"]
    assert "none open" in findings["sealed child"]["found"]
