"""Development, staging and production render to the same hardening, and run containers get it, too."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from containers.stack import ROOT, SERVICES

from archive_pipeline.containers.baseline import Baseline
from archive_pipeline.containers.profiles import read_profiles
from archive_pipeline.deployment import Deployment

DOCKER = ROOT / "docker"
ENVIRONMENTS = ("development", "staging", "production")
HARDENING = yaml.safe_load((DOCKER / "hardening.yaml").read_text("utf-8"))
BASELINE: dict[str, Any] = HARDENING["services"]["baseline"]


def rendered(environment: str, **values: str) -> dict[str, Any]:
    ours = ("ARCHIVE_", "POSTGRES_", "SURYA_")
    done = subprocess.run(
        [str(DOCKER / "compose.sh"), environment, "config", "--format", "json"],
        env={name: value for name, value in os.environ.items() if not name.startswith(ours)} | values,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def all_rendered(engine: None) -> dict[str, dict[str, Any]]:
    return {environment: rendered(environment) for environment in ENVIRONMENTS}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_service_has_every_line_of_the_baseline(
    all_rendered: dict[str, dict[str, Any]], environment: str
) -> None:
    services = all_rendered[environment]["services"]
    assert set(services) == set(SERVICES)
    for name, service in services.items():
        for line, value in BASELINE.items():
            # Compose 2.26 prints a limit of 0 as {}; that it is 0 inside is read in test_hardening.py.
            expected = {"core": {}} if line == "ulimits" and service.get(line) == {"core": {}} else value
            assert service.get(line) == expected, f"{name}: {line}"
        assert int(service["mem_limit"]) == int(service["memswap_limit"]) > 0, name
        assert service["cpus"] > 0, name
        assert service["healthcheck"]["test"], name
        assert not set(service) & {"privileged", "cap_add", "devices", "pid", "userns_mode"}, name
        for port in service.get("ports", []):
            assert port["host_ip"] == "127.0.0.1", name
        for dependency in service.get("depends_on", {}).values():
            assert dependency["condition"] == "service_healthy", name


def test_suryas_server_is_there_with_its_image_alone_hardened_and_without_a_way_out(
    all_rendered: dict[str, dict[str, Any]],
) -> None:
    assert "surya" not in all_rendered["production"]["services"]
    found = rendered("production", SURYA_IMAGE="llama@sha256:" + "0" * 64)
    service = found["services"]["surya"]
    for line, value in BASELINE.items():
        if line != "ulimits":
            assert service.get(line) == value, line
    assert int(service["mem_limit"]) == int(service["memswap_limit"]) > 0
    assert service["healthcheck"]["test"]
    assert list(service["networks"]) == ["runs-documents"]
    assert found["networks"]["runs-documents"]["internal"] is True
    (volume,) = service["volumes"]
    assert (volume["source"], volume["read_only"]) == ("models", True)
    assert not set(service) & {"ports", "environment", "privileged", "cap_add", "devices", "pid", "userns_mode"}
    for name in ("daemon", "webserver", "gate-launch", "gate-stop"):
        assert found["services"][name]["environment"]["SURYA_INFERENCE_URL"] == "http://surya:8080/v1"


def test_the_installations_differ_in_names_ports_and_folders_alone(all_rendered: dict[str, dict[str, Any]]) -> None:
    def comparable(environment: str) -> str:
        found = all_rendered[environment]
        text = json.dumps(found, sort_keys=True)
        for name in ("ARCHIVE_UPLOADS", "ARCHIVE_GROUND_TRUTH"):
            text = text.replace(found["services"]["daemon"]["environment"][name], name)
        # Images and the database's user begin with the name of production, too; they are the same in all.
        text = re.sub(rf'("name"|"ARCHIVE_PROJECT"): "{found["name"]}(?=["_])', r'\1: "PROJECT', text)
        text = re.sub(r'"published": "\d+"', '"published": "PORT"', text)
        return re.sub(r"http://127\.0\.0\.1:30\d\d", "RESULTS", text)

    first, *others = map(comparable, ENVIRONMENTS)
    assert set(others) == {first}
    names = [all_rendered[environment]["name"] for environment in ENVIRONMENTS]
    assert names == ["archive-development", "archive-staging", "archive"]


def test_the_three_files_of_values_set_the_same_variables() -> None:
    keys = [
        re.findall(r"^([A-Z_]+)=", (DOCKER / f"{environment}.env").read_text("utf-8"), re.M)
        for environment in ENVIRONMENTS
    ]
    assert keys[0] == keys[1] == keys[2]


def test_a_run_container_has_every_line_of_the_baseline_and_the_names_of_compose(
    all_rendered: dict[str, dict[str, Any]],
) -> None:
    found = all_rendered["production"]
    deployment = Deployment(
        project=found["name"], image="x:1", uploads="/srv/x", ground_truth="/srv/x", run_memory="2g", run_cpus=2
    )
    baseline = Baseline.read(DOCKER)
    networks = {network["name"] for network in found["networks"].values()}
    volumes = {volume["name"] for volume in found["volumes"].values()}
    for location, profile in read_profiles(DOCKER, deployment).items():
        body = profile.body(run_id="0" * 8 + "-0000" * 3 + "-" + "0" * 12, job="x", arguments="{}")
        host = body["HostConfig"]
        assert body["User"] == BASELINE["user"]
        assert host["ReadonlyRootfs"] is BASELINE["read_only"] is True
        assert host["CapDrop"] == BASELINE["cap_drop"] == ["ALL"]
        assert host["SecurityOpt"] == BASELINE["security_opt"] == ["no-new-privileges:true"]
        assert [f"{where}:{options}" for where, options in host["Tmpfs"].items()] == BASELINE["tmpfs"]
        assert host["PidsLimit"] == BASELINE["pids_limit"]
        assert {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]} == BASELINE["ulimits"]
        assert host["Init"] is BASELINE["init"]
        assert host["IpcMode"] == BASELINE["ipc"]
        assert f"{body['StopTimeout']}s" == BASELINE["stop_grace_period"]
        assert host["LogConfig"] == {"Type": "json-file", "Config": BASELINE["logging"]["options"]}
        assert host["Memory"] == host["MemorySwap"] == 2 << 30
        assert host["NanoCpus"] == 2_000_000_000
        assert host["NetworkMode"] in networks
        assert {mount["Source"] for mount in host["Mounts"]} - {"/srv/x"} <= volumes
        assert f"-m {profile.module}" in " ".join(found["services"][location]["command"])
    assert set(Baseline.model_fields) == set(BASELINE)
    assert baseline.stop_seconds == 45


def test_every_line_has_its_reason_and_the_docs_name_it() -> None:
    reasons = HARDENING["x-reasons"]
    assert set(reasons) == set(BASELINE)
    security = (ROOT / "docs" / "SECURITY.md").read_text("utf-8")
    for line, (cis, reason) in reasons.items():
        assert f"| `{line}` | {cis or '–'} | {reason} |" in security


def test_no_service_but_the_gates_has_the_socket_and_the_networks_of_runs_hold_the_database_alone(
    all_rendered: dict[str, dict[str, Any]],
) -> None:
    found = all_rendered["production"]
    for name, service in found["services"].items():
        sources = {volume["source"] for volume in service.get("volumes", [])}
        assert ("/var/run/docker.sock" in sources) is name.startswith("gate"), name
        assert "postgres" in name or "runs-documents" not in service.get("networks", {}), name
    assert found["networks"]["runs-documents"]["internal"] is True
    assert found["networks"]["services"]["internal"] is True
    assert not [path for path in DOCKER.iterdir() if path.suffix == ".yml"], "one YAML style: .yaml"


def test_a_variable_that_is_missing_is_named() -> None:
    done = subprocess.run(
        ["docker", "compose", "-f", str(DOCKER / "compose.yaml"), "config"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "make up" in done.stderr


def test_an_installation_that_is_none_is_one_sentence() -> None:
    done = subprocess.run([str(DOCKER / "compose.sh"), "prod", "ps"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "it is development, staging or production" in done.stderr
    assert Path(DOCKER / "compose.sh").stat().st_mode & 0o111
