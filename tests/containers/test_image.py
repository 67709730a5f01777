"""What is in the image, and what is not."""

import json
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
from containers.conftest import POSTGRES_IMAGE
from containers.stack import docker

from archive_pipeline.library_folders import library_folders

IN = ("run", "--rm", "--network", "none", "--entrypoint")


@pytest.mark.parametrize("which", ["archive", "postgres"])
def test_nothing_in_an_image_gives_privileges_or_compiles(image: str, which: str) -> None:
    name = image if which == "archive" else POSTGRES_IMAGE
    found = docker(*IN, "find", "--user", "0", name, "/", "-xdev", "-type", "f", "-perm", "/6000")
    assert found == ""
    tools = docker(*IN, "sh", name, "-c", "command -v gcc cc g++ clang make git curl wget pip uv || true")
    # A base image may bring its own pip: Debian's, or that of a Python image, which is the default.
    assert set(tools.split()) <= {"/usr/bin/pip", "/usr/local/bin/pip"}, tools


def test_the_user_has_a_name_no_home_and_no_login(image: str) -> None:
    entry = docker(*IN, "getent", image, "passwd", "1000")
    assert entry == "ocr:x:1000:1000::/home/ocr:/usr/sbin/nologin"
    assert docker(*IN, "ls", image, "/home") == ""
    assert docker("inspect", "--format", "{{.Config.User}}", image) == "1000:1000"


def test_libraries_are_told_their_folders_below_the_volumes(image: str) -> None:
    environment = dict(
        line.split("=", 1) for line in json.loads(docker("inspect", "--format", "{{json .Config.Env}}", image))
    )
    for name, folder in library_folders(Path("/app/models"), Path("/app/cache")).items():
        assert environment[name] == str(folder)
    assert environment["HOME"] == "/home/ocr"
    assert environment["PYTHONSAFEPATH"] == environment["PYTHONDONTWRITEBYTECODE"] == "1"
    # Set but empty counts as unset, whoever empties it.
    said = docker("run", "--rm", "-e", "HTRMOPO_DIR=", "-e", "XDG_DATA_HOME=", image, "env").splitlines()
    assert "HTRMOPO_DIR=/app/models/.htrmopo" in said
    assert "XDG_DATA_HOME=/app/cache/data" in said


def test_the_image_holds_the_product_without_its_tests(image: str) -> None:
    said = docker(
        *IN, "python", image, "-c", "import importlib.metadata as m; print(*{d.name for d in m.distributions()})"
    )
    installed = {name.lower() for name in said.split()}
    assert {"archive-pipeline", "dagster", "kraken", "surya-ocr", "torch"} <= installed
    assert not {"pytest", "ruff", "mypy", "hypothesis", "selenium", "uv"} & installed
    assert docker("run", "--rm", image, "archive-pipeline", "--version").split()[-1] == version("archive-pipeline")


def test_no_setting_of_the_host_is_left_in_history_or_layers(image: str) -> None:
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
    for trace in ("://", "TRUSTED_HOST=", "token", "password"):
        assert trace not in history.replace("https://…", ""), trace
    left = docker(
        *IN, "sh", image, "-c", "ls -A /run/secrets /run/pip.env /run/ca.crt /root/.cache /build 2>/dev/null || true"
    )
    assert left == ""


def test_a_process_that_is_weaker_than_the_baseline_says_so_and_goes_on(image: str) -> None:
    done = subprocess.run(
        ["docker", "run", "--rm", "--user", "0", image, "true"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    for item in ("4.1", "5.4", "5.13", "5.26"):
        assert f"(CIS {item})" in done.stderr
    assert "WARNING: running as root" in done.stderr


def test_a_command_that_is_not_there_is_one_sentence(image: str) -> None:
    done = subprocess.run(["docker", "run", "--rm", image, "nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nonsense cannot be started: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr
