"""Docs against code."""

import re
import subprocess
import tomllib
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from archive_pipeline.cli import cli
from archive_pipeline.exports.formats import FORMATS
from archive_pipeline.settings import Settings, usable_cpus

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def settings_table() -> str:
    rows = ["| variable | default | what |", "| --- | --- | --- |"]
    for field in Settings.model_fields.values():
        default = field.get_default(call_default_factory=True)
        if field.default_factory is not None:
            default = "usable CPUs"
            assert field.get_default(call_default_factory=True) == usable_cpus()
        shown = "" if default is None else f"`{default}`"
        rows.append(f"| `{field.validation_alias}` | {shown} | {field.description} |")
    return "\n".join(rows)


def test_the_table_of_settings_is_that_of_the_code() -> None:
    assert settings_table() in (ROOT / "docs" / "settings.md").read_text("utf-8"), settings_table()


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), target


def test_every_command_is_in_the_docs() -> None:
    text = (ROOT / "docs" / "usage.md").read_text("utf-8")
    for name in cli.list_commands(None):  # type: ignore[arg-type]
        assert f"archive-pipeline {name}" in text, name


def test_every_format_is_in_the_docs_with_its_files() -> None:
    text = (ROOT / "docs" / "usage.md").read_text("utf-8")
    needed = {name for each in FORMATS.values() for name in each.needs}
    for each in FORMATS.values():
        made = "yes" if each.default else "with those that need them" if each.name in needed else "no"
        assert f"| `{each.name}` | `{each.files}` | {made} |" in text, each.name


def test_the_workspace_and_the_project_name_the_same_module_and_location() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["dg"]["project"]
    (loaded,) = yaml.safe_load((ROOT / "workspace.yaml").read_text("utf-8"))["load_from"]
    assert loaded["python_module"] == {
        "module_name": project["code_location_target_module"],
        "location_name": project["code_location_name"],
    }


def test_the_generic_package_names_are_ours() -> None:
    owners = packages_distributions()
    for name in ("archive_pipeline", "assets", "resources"):
        # An editable installation is a path, which owns no names; nobody else may own them either.
        assert set(owners.get(name, ["archive-pipeline"])) == {"archive-pipeline"}
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin == str(ROOT / name / "__init__.py")


def test_docker_is_no_package_that_would_shadow_docker_py() -> None:
    assert not (ROOT / "docker" / "__init__.py").exists()


def test_the_lock_has_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock
    assert "index-url" not in lock
    assert len(re.findall(r"^[a-z0-9].*==", lock, re.M)) <= lock.count("--hash=sha256:")


def test_the_lock_fits_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text("utf-8"), re.M))
    for requirement in [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]:
        assert re.split(r"[=><~! ]", requirement)[0] in locked, requirement


def test_no_large_or_foreign_data_is_tracked() -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if files.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, files.stdout.split("\0")):
        size = (ROOT / name).stat().st_size if (ROOT / name).exists() else 0
        assert size < 600_000, name
