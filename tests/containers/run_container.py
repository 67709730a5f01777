"""A program in a run container of an installation, hardened as every run is."""

import json
from typing import Any

from containers.stack import ROOT, Stack

import docker as docker_py
from archive_pipeline.containers.profiles import Profile, read_profiles
from archive_pipeline.deployment import Deployment


def profiles_of(stack: Stack) -> dict[str, Profile]:
    """What the run containers of an installation are, by code location."""
    deployment = Deployment(
        project=stack.project,
        image=stack.image,
        uploads=str(stack.uploads),
        ground_truth=str(stack.ground_truth),
        run_memory="3g",
        run_cpus=2,
    )
    return dict(read_profiles(ROOT / "docker", deployment))


def in_run_container(profile: Profile, program: str, *arguments: str) -> Any:
    """What a program prints as JSON in a container of a profile: the very body, but for the command."""
    body = profile.body_of(["python", "-c", program, *arguments], "0" * 8, "test")
    client = docker_py.from_env()
    try:
        container = client.containers.get(client.api.create_container_from_config(body)["Id"])
        try:
            container.start()
            status = container.wait(timeout=600)["StatusCode"]
            said = container.logs().decode()
            assert status == 0, said
            assert "WARNING" not in said
            return json.loads(said.splitlines()[-1])
        finally:
            container.remove(force=True)
    finally:
        client.close()
