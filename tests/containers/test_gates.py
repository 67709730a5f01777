"""Neither a forged record nor a process that has been taken over gets a container of its own making."""

import json
from pathlib import Path
from typing import Any

import pytest
from containers.stack import Stack, docker

HERE = Path(__file__).parent
ATTACKS = (HERE / "gate_attacks.py").read_text("utf-8")
FORGERY = (HERE / "forge_run.py").read_text("utf-8")
SERVICE = {"launch": "daemon", "stop": "webserver"}


def _inside(stack: Stack, service: str, program: str, *arguments: str) -> Any:
    said = docker("exec", "-i", stack.container(service), "python", "-", *arguments, given=program)
    return json.loads(said.splitlines()[-1])


@pytest.mark.parametrize("mode", ["launch", "stop"])
def test_a_gate_lets_no_hostile_request_through(stack: Stack, mode: str) -> None:
    before = set(docker("ps", "-aq", "--no-trunc").split())
    answer = _inside(stack, SERVICE[mode], ATTACKS, mode, stack.container("postgres"))
    made = set(docker("ps", "-aq", "--no-trunc").split()) - before
    let_through = {name: status for name, status in answer["refused"].items() if status not in (403, "closed")}
    print(f"gate-{mode}: {len(answer['refused'])} hostile requests, let through: {let_through or 'none'}")
    assert len(answer["refused"]) > 100
    assert let_through == {}
    status, said = answer["good"]
    if mode == "launch":
        # What is refused is refused for what it asks: the same body without the hostile part is made.
        assert status == 201, said
        assert made == {json.loads(said)["Id"]}
        for container in made:
            docker("rm", "-f", container)
    else:
        assert status == 403
        assert made == set()


CALLS = """
import json, sys, docker
client = docker.from_env().api
def call(name):
    try:
        getattr(client, name)(sys.argv[1])
        return "done"
    except docker.errors.APIError as error:
        return error.response.status_code
print(json.dumps({name: call(name) for name in ("inspect_container", "stop", "start", "remove_container", "logs")}))
"""


def test_the_gate_of_the_webserver_stops_run_containers_and_does_nothing_else(stack: Stack) -> None:
    run = stack.launch("models")
    stack.wait(run)
    (container,) = stack.run_containers(run)
    answers = {"inspect_container": "done", "stop": "done", "start": 403, "remove_container": 403, "logs": 403}
    assert _inside(stack, "webserver", CALLS, container) == answers


@pytest.mark.parametrize("kind", ["flags", "image", "location", "code", "module", "folder"])
def test_a_forged_record_of_a_run_starts_nothing(stack: Stack, kind: str) -> None:
    run = stack.launch("models")
    assert stack.wait(run) == "SUCCESS"
    before = set(docker("ps", "-aq", "--no-trunc").split())
    forged = _inside(stack, "daemon", FORGERY, run, kind)["run"]
    assert stack.wait(forged, 60) == "FAILURE"
    assert set(docker("ps", "-aq", "--no-trunc").split()) == before
    said = stack.messages(forged)
    assert "LaunchRefused" in said, said
    assert "the run's record" in said, said


def test_the_stock_launcher_in_place_of_ours_is_refused_by_the_gate(stack: Stack) -> None:
    """As if the daemon had been taken over: what the forged record asks for, asked of the gate itself."""
    before = set(docker("ps", "-aq", "--no-trunc").split())
    program = (
        "import json, os, docker; client = docker.from_env()\n"
        "try:\n"
        "    client.containers.create(os.environ['ARCHIVE_IMAGE'], ['id'], privileged=True, user='0',\n"
        "                             volumes={'/': {'bind': '/host', 'mode': 'rw'}})\n"
        "except docker.errors.APIError as error:\n"
        "    print(json.dumps([error.response.status_code, error.explanation]))\n"
    )
    status, said = _inside(stack, "daemon", program)
    assert status == 403
    assert "the gate refuses" in said
    assert set(docker("ps", "-aq", "--no-trunc").split()) == before
