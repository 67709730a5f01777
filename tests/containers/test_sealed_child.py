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
    request = {"parent": os.getpid(), "files": files, "folders": ["/tmp", "/data/store", "/app/cache", "/data/logs"]}
    told = child.call(request, timeout=60)
    print(json.dumps({"seal": child.seal_report, "password": Path(files[0]).read_text() != "", **told}))
"""


def test_a_sealed_child_of_a_run_has_no_secret_no_socket_no_file_and_no_parent(
    stack: Stack, scan: Callable[[str, int], Path]
) -> None:
    run, container = stack.started("documents", stack.upload(scan("sealed.pdf", 30)))
    answer = json.loads(docker("exec", "-i", container, "python", "-", given=PROBE).splitlines()[-1])
    docker("stop", container)
    stack.wait(run)
    assert answer["password"], "the parent can read the password that the child must not"
    assert answer["seal"]["seccomp"] is True
    assert answer["seal"]["landlock"] > 0
    for attempt, result in answer["attempts"].items():
        assert result in ("EACCES", "EPERM", "ENOENT", "ENOSYS"), f"{attempt}: {result}"
    assert answer["attempts"]["open a TCP socket"] != "ENOENT"
    assert answer["attempts"]["read /run/pgpass/pgpass"] == "EACCES"
    assert answer["attempts"]["read /data/uploads/sealed.pdf"] == "EACCES"
    assert len(answer["attempts"]) > 18


def test_doctor_finds_nothing_weak_in_a_service(stack: Stack) -> None:
    said = docker("exec", stack.container("documents"), "archive-pipeline", "doctor", "--json", check=False)
    findings = {finding["what"]: finding for finding in json.loads(said[: said.rindex("]") + 1])}
    assert findings["container"]["ok"], findings["container"]
    assert findings["sealed child"]["ok"], findings["sealed child"]
    assert "none open" in findings["sealed child"]["found"]
