"""The baseline as it holds, read from inside running containers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from containers.outside import Outside
from containers.stack import SERVICES, Stack, docker

RUNS = ("run of documents", "run of models")
READER = (Path(__file__).parent / "read_inside.py").read_text("utf-8")
Inside = dict[str, Any]


def read(container: str, outside: Outside) -> Inside:
    answer = docker("exec", "-i", container, "python3", "-", outside.host, str(outside.port), given=READER)
    found: Inside = json.loads(answer)
    return found | {"inspect": json.loads(docker("inspect", container))[0]}


SIGNAL = """
import os, pathlib, signal, sys
for process in pathlib.Path("/proc").iterdir():
    # The first process is the init; the run is its child.
    if process.name.isdecimal() and process.name not in ("1", str(os.getpid())):
        if b"execute_run" in (process / "cmdline").read_bytes():
            os.kill(int(process.name), getattr(signal, sys.argv[1]))
            print("done")
"""


def signal(container: str, name: str) -> bool:
    """Send a signal to the process of a run, if it is still there."""
    return "done" in docker("exec", container, "python3", "-c", SIGNAL, name, check=False, timeout=60)


def halted(stack: Stack, location: str, partition: str | None) -> tuple[str, str]:
    """A real run and its container, halted so that it stays while we look."""
    for _ in range(5):
        run = stack.launch(location, partition)
        container = stack.wait_for_container(run)
        if signal(container, "SIGSTOP"):
            return run, container
        stack.wait(run)
    raise AssertionError("each run was over before it could be halted")


@pytest.fixture(scope="module")
def inside(stack: Stack, outside: Outside, scan: Callable[[str, int], Path]) -> dict[str, Inside]:
    """What was read, by service, and of a run of each location."""
    found = {service: read(stack.container(service), outside) for service in SERVICES}
    for name, location in zip(RUNS, ("documents", "models"), strict=True):
        partition = stack.upload(scan("hardening.pdf", 4)) if location == "documents" else None
        run, container = halted(stack, location, partition)
        found[name] = read(container, outside)
        signal(container, "SIGCONT")
        assert stack.wait(run) == "SUCCESS"
    return found


ALL = pytest.mark.parametrize("name", [*SERVICES, *RUNS])


def test_the_table(inside: dict[str, Inside], capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{'container':18} uid  CapEff NNP Seccomp root /tmp                       memory pids cpus socket out"]
    for name, found in inside.items():
        one = found["processes"][0]
        tmp = ",".join(sorted({"noexec", "nosuid", "nodev"} & set(found["mounts"]["/tmp"]["options"])))
        rows.append(
            f"{name:18} {one['Uid'].split()[0]:4} {int(one['CapEff'], 16):6} {one['NoNewPrivs']:3} {one['Seccomp']:7} "
            f"{'ro' if 'ro' in found['mounts']['/']['options'] else 'RW':4} {tmp:21} {int(found['memory']) >> 20:9} "
            f"{found['pids']:4} {found['inspect']['HostConfig']['NanoCpus'] / 1e9:4.1f} "
            f"{'yes' if found['sockets'] else 'no':6} {'yes' if found['connect']['outside'] == 'succeeded' else 'no'}"
        )
    with capsys.disabled():
        print("\n" + "\n".join(rows))
    assert len(rows) == 1 + len(SERVICES) + len(RUNS)


@ALL
def test_no_process_is_root_or_can_become_it(inside: dict[str, Inside], name: str) -> None:
    for process in inside[name]["processes"]:
        assert process["Uid"].split() == ["1000"] * 4, process
        assert process["Gid"].split() == ["1000"] * 4, process
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(process[kind], 16) == 0, process
        assert process["NoNewPrivs"] == "1", process
        assert process["Seccomp"] == "2", process


@ALL
def test_nothing_of_the_program_can_be_written_or_executed_from_tmp(inside: dict[str, Inside], name: str) -> None:
    found = inside[name]
    assert "ro" in found["mounts"]["/"]["options"]
    assert found["write"].pop("/tmp") == "succeeded"
    assert set(found["write"].values()) <= {"EROFS", "EACCES", "ENOENT"}, found["write"]
    tmp = found["mounts"]["/tmp"]
    assert tmp["type"] == "tmpfs"
    assert {"noexec", "nosuid", "nodev"} <= set(tmp["options"])
    assert "size=524288k" in tmp["super"]
    assert found["execute"] == {"/tmp": "EACCES", "/dev/shm": "EACCES"}
    assert not found["home"]
    found["write"]["/tmp"] = "succeeded"


@ALL
def test_memory_processes_cpus_and_core_files_are_limited(inside: dict[str, Inside], name: str) -> None:
    found = inside[name]
    host = found["inspect"]["HostConfig"]
    assert int(found["memory"]) == host["Memory"] <= 3 << 30
    # Of cgroup v2 this is the swap alone, of v1 memory and swap.
    assert int(found["swap"]) in (0, host["Memory"])
    assert host["MemorySwap"] == host["Memory"]
    assert int(found["pids"]) == 512
    quota, period, both = found["cpu"]
    cpus = int(quota) / int(period) if quota else int(both.split()[0]) / int(both.split()[1])
    assert cpus == host["NanoCpus"] / 1e9 <= 2
    assert found["core"] == [["0", "0"]]


@ALL
def test_only_the_gates_see_the_engines_socket(inside: dict[str, Inside], name: str) -> None:
    assert bool(inside[name]["sockets"]) is name.startswith("gate")


@ALL
def test_nobody_but_who_must_has_a_way_out(inside: dict[str, Inside], name: str) -> None:
    # Of webserver and results it is for their published ports, of the database for the runs that fetch models.
    out = {"webserver", "results", "postgres", "run of models"}
    assert (inside[name]["connect"]["outside"] == "succeeded") is (name in out)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_reaches_the_database_and_no_other_service(inside: dict[str, Inside], name: str) -> None:
    reached = {service: result for service, result in inside[name]["connect"].items() if service != "outside"}
    assert reached.pop("postgres") == "succeeded"
    assert "succeeded" not in reached.values()


@ALL
def test_no_secret_stands_in_the_environment_or_on_the_command_line(
    inside: dict[str, Inside], name: str, stack: Stack
) -> None:
    password = docker("exec", stack.container("postgres"), "cat", "/run/pgpass/pgpass").split(":")[-1]
    assert len(password) == 48
    assert password not in json.dumps(inside[name]["inspect"])
    assert not [variable for variable in inside[name]["environment"] if "PASSWORD" in variable]


@ALL
def test_the_items_of_the_cis_benchmark_hold(inside: dict[str, Inside], name: str) -> None:
    found, host = inside[name]["inspect"], inside[name]["inspect"]["HostConfig"]
    assert found["Config"]["User"] == "1000:1000"  # 4.1
    assert host["CapAdd"] in (None, [])  # 5.4
    assert host["CapDrop"] == ["ALL"]
    assert not host["Privileged"]  # 5.5
    assert host["NetworkMode"] != "host"  # 5.10
    assert host["Memory"] > 0  # 5.11
    assert host["NanoCpus"] > 0  # 5.12
    assert host["ReadonlyRootfs"]  # 5.13
    for bound in (host["PortBindings"] or {}).values():  # 5.14
        assert [binding["HostIp"] for binding in bound] == ["127.0.0.1"]
    policy = host["RestartPolicy"]  # 5.15
    assert policy == (
        {"Name": "no", "MaximumRetryCount": 0} if name in RUNS else {"Name": "on-failure", "MaximumRetryCount": 5}
    )
    assert (host["PidMode"], host["IpcMode"], host["UTSMode"]) == ("", "private", "")  # 5.16, 5.17, 5.21
    assert not host["Devices"]  # 5.18
    for mount in found["Mounts"]:  # 5.20, 5.32
        assert mount["Propagation"] in ("", "rprivate")
        assert ("docker.sock" in mount["Source"]) <= name.startswith("gate")
    assert host["SecurityOpt"] == ["no-new-privileges:true"]  # 5.22, 5.26
    assert host["CgroupParent"] == ""  # 5.25
    assert name in RUNS or found["Config"]["Healthcheck"]["Test"]  # 5.27
    assert not found["Config"]["Image"].endswith(":latest")  # 5.28
    assert host["PidsLimit"] == 512  # 5.29
    assert host["NetworkMode"] not in ("default", "bridge")  # 5.30
    assert host["UsernsMode"] == ""  # 5.31


def test_every_service_is_healthy(inside: dict[str, Inside]) -> None:
    for service in SERVICES:
        assert inside[service]["inspect"]["State"]["Health"]["Status"] == "healthy"


def test_a_run_of_documents_cannot_write_models_trainings_or_uploads(inside: dict[str, Inside]) -> None:
    mounts = inside["run of documents"]["mounts"]
    assert {place for place in mounts if place.startswith(("/app", "/data", "/run/pgpass"))} == {
        "/app/cache",
        "/app/models",
        "/data/logs",
        "/data/store",
        "/data/training",
        "/data/uploads",
        "/run/pgpass",
    }
    assert {place for place in mounts if place.startswith(("/app", "/data")) and "rw" in mounts[place]["options"]} == {
        "/app/cache",
        "/data/logs",
        "/data/store",
    }
    models = inside["run of models"]["mounts"]
    assert "rw" in models["/app/models"]["options"]
    assert "rw" in models["/data/training"]["options"]
    assert "ro" in models["/data/store"]["options"]
    assert "ro" in models["/data/ground-truth"]["options"]
    caches = [
        next(mount["Name"] for mount in inside[name]["inspect"]["Mounts"] if mount["Destination"] == "/app/cache")
        for name in RUNS
    ]
    assert caches[0] != caches[1]
