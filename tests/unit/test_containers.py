"""Profiles, the gate's policy, the canary, and how ends are told; without an engine."""

import json
from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_pipeline.containers import canary, engine, prune, start
from archive_pipeline.containers.baseline import Baseline
from archive_pipeline.containers.policy import checked_body, is_ours
from archive_pipeline.containers.profiles import read_profiles
from archive_pipeline.deployment import Deployment, read_deployment
from archive_pipeline.errors import LaunchRefused, UsageError
from archive_pipeline.library_folders import fill_in, library_folders
from archive_pipeline.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOYMENT = Deployment(
    project="archive", image="a:1", uploads="/srv/u", ground_truth="/srv/g", run_memory="2g", run_cpus=1.5
)
PROFILES = read_profiles(ROOT / "docker", DEPLOYMENT)
RUN = "12345678-1234-4234-8234-123456789abc"


def good(location: str = "documents", arguments: str = '{"a": 1}') -> dict[str, Any]:
    return PROFILES[location].body(run_id=RUN, job="documents_job", arguments=arguments)


def test_what_a_profile_gives_is_let_through_and_made_anew() -> None:
    for location in PROFILES:
        body = good(location)
        shuffled = json.dumps(dict(reversed(body.items())), indent=3).encode()
        assert json.loads(checked_body(shuffled, PROFILES)) == body


def test_runs_of_documents_alone_are_told_where_suryas_server_is_and_the_gate_takes_no_other() -> None:
    url = "http://surya:8080/v1"
    profiles = read_profiles(ROOT / "docker", DEPLOYMENT.model_copy(update={"surya_url": url}))
    bodies = {
        location: profile.body(run_id=RUN, job="documents_job", arguments="{}")
        for location, profile in profiles.items()
    }
    assert f"SURYA_INFERENCE_URL={url}" in bodies["documents"]["Env"]
    assert "SURYA" not in str(bodies["models"])
    assert "SURYA" not in str(good())
    assert json.loads(checked_body(json.dumps(bodies["documents"]).encode(), profiles)) == bodies["documents"]
    for other in (
        good(arguments="{}"),
        {**bodies["documents"], "Env": [*good()["Env"], f"SURYA_INFERENCE_URL={url}x"]},
    ):
        with pytest.raises(LaunchRefused, match="Env is not as the profile documents has it"):
            checked_body(json.dumps(other).encode(), profiles)
    with pytest.raises(LaunchRefused, match="Env"):
        checked_body(json.dumps(bodies["documents"]).encode(), PROFILES)


def test_where_models_are_pruned_the_store_is_seen_but_not_written() -> None:
    services = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))["services"]
    assert "store:/data/store:ro" in services["models"]["volumes"]


def test_a_scan_cannot_reach_what_models_are_trained_with_and_ground_truth_cannot_reach_documents() -> None:
    mounts = {
        location: {mount["Target"]: (mount["Source"], mount["ReadOnly"]) for mount in profile.mounts}
        for location, profile in PROFILES.items()
    }
    assert mounts["documents"]["/data/training"] == ("archive_training", True)
    assert mounts["models"]["/data/training"] == ("archive_training", False)
    assert mounts["models"]["/data/ground-truth"] == ("/srv/g", True)
    assert mounts["models"]["/data/store"] == ("archive_store", True)
    assert "/data/ground-truth" not in mounts["documents"]
    assert "/data/uploads" not in mounts["models"]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [path, *(place for key, inner in value.items() for place in _places(inner, (*path, key)))]
    if isinstance(value, list):
        return [path, *(place for index, inner in enumerate(value) for place in _places(inner, (*path, index)))]
    return [path]


PLACES = _places(good())
FREE = (("Cmd", 3),)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 1 << 40) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=3,
)


@settings(max_examples=60)
@given(st.sampled_from(PLACES[1:]), VALUES)
def test_whatever_is_changed_is_refused_or_is_the_same_body(place: tuple[Any, ...], value: Any) -> None:
    body = deepcopy(good())
    target: Any = body
    for step in place[:-1]:
        target = target[step]
    if target[place[-1]] == value and type(target[place[-1]]) is type(value):
        return
    target[place[-1]] = value
    try:
        sent = json.loads(checked_body(json.dumps(body).encode(), PROFILES))
    except LaunchRefused:
        return
    # Only what is free by design can differ, and it is of the kind that it must be.
    assert place in FREE
    assert sent == {**good(), "Cmd": [*good()["Cmd"][:3], value]}
    assert value.startswith("{")


@given(st.sampled_from([("HostConfig",), ("HostConfig", "Mounts", 0), ()]), st.text(min_size=1, max_size=12), VALUES)
def test_whatever_is_added_is_refused(place: tuple[Any, ...], key: str, value: Any) -> None:
    body = deepcopy(good())
    target: Any = body
    for step in place:
        target = target[step]
    if key in target:
        return
    target[key] = value
    with pytest.raises(LaunchRefused):
        checked_body(json.dumps(body).encode(), PROFILES)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_body_are_refused(raw: bytes) -> None:
    with pytest.raises(LaunchRefused):
        checked_body(raw, PROFILES)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "A": 2}',
        '{"a": 1, "\\u0061": 2}',
        '{"s": 1, "\u017f": 2}',
        '{"a": {"b": 1, "b": 1}}',
        '{"a": NaN}',
        "[" * 100_000,
    ],
)
def test_a_body_that_readers_could_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(LaunchRefused):
        checked_body(text.encode(), PROFILES)


@pytest.mark.parametrize(
    "wrong",
    [
        {"run_id": "../x"},
        {"run_id": RUN + "\n"},
        {"job": "a b"},
        {"arguments": "x"},
        {"arguments": "{" * 200_000},
        {"arguments": '{"\ud800"}'},
        {"arguments": "{\0}"},
    ],
)
def test_a_run_that_dagster_cannot_have_made_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(LaunchRefused):
        PROFILES["models"].body(**{"run_id": RUN, "job": "x", "arguments": "{}", **wrong})


def test_a_line_of_the_hardening_list_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    text = (ROOT / "docker" / "hardening.yaml").read_text("utf-8")
    (tmp_path / "hardening.yaml").write_text(
        text.replace("    init: true", "    init: true\n    privileged: true"), "utf-8"
    )
    with pytest.raises(ValueError, match="privileged"):
        Baseline.read(tmp_path)


def test_a_deployment_names_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "ARCHIVE_PROJECT": "archive",
        "ARCHIVE_IMAGE": "a:1",
        "ARCHIVE_UPLOADS": "/srv/u",
        "ARCHIVE_GROUND_TRUTH": "/srv/g",
        "ARCHIVE_RUN_MEMORY": "2g",
        "ARCHIVE_RUN_CPUS": "2",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    assert read_deployment().run_cpus == 2
    for name, wrong in {
        "ARCHIVE_UPLOADS": "/",
        "ARCHIVE_GROUND_TRUTH": "srv",
        "ARCHIVE_RUN_MEMORY": "0g",
        "ARCHIVE_RUN_CPUS": "inf",
        "ARCHIVE_PROJECT": "",
    }.items():
        monkeypatch.setenv(name, wrong)
        with pytest.raises(UsageError, match=name):
            read_deployment()
        monkeypatch.setenv(name, values[name])


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *(("run_memory", value) for value in ("0g", "0m", "1023m", "16385g", "9" * 5000 + "g", "1g\n")),
        *(("run_cpus", value) for value in ("1e-10", "0", "0.09", "1025", "inf", "nan", "-1")),
        *(("surya_url", value) for value in ("surya:8080", "ftp://x", "http://user:word@x/v1", "http://x/v1?key=1")),
        *(
            (name, value)
            for name in ("uploads", "ground_truth")
            for value in ("/", "//", "/.", "/srv/../..", "/srv/..", "/a:/b", "/a\nb", "/\udcff", "a")
        ),
    ],
)
def test_a_value_that_would_be_no_limit_or_the_whole_host_is_refused(name: str, wrong: str) -> None:
    values = {"project": "p", "image": "i", "uploads": "/srv/ü u", "run_memory": "1024m", "run_cpus": "0.1"}
    values["ground_truth"] = "/srv/ground truth"
    assert Deployment(**values).run_memory_bytes == 1 << 30
    with pytest.raises(ValueError, match=name):
        Deployment(**{**values, name: wrong})


def _inspected(project: str, finished: str = "0001-01-01T00:00:00Z", created: str = "2026-01-01T00:00:00.5Z") -> bytes:
    labels = {"archive.role": "run", "archive.project": project}
    return json.dumps({"Config": {"Labels": labels}, "State": {"FinishedAt": finished}, "Created": created}).encode()


def test_only_run_containers_of_the_project_are_ours() -> None:
    assert is_ours(_inspected("archive"), "archive")
    assert not is_ours(_inspected("archive2"), "archive")
    assert not is_ours(b'{"Config": {"Labels": null}}', "archive")
    assert not is_ours(b'{"Config": {"Labels": {"archive.project": "archive"}}}', "archive")


def test_run_containers_are_removed_a_day_after_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {
        "old": _inspected("archive", "2026-01-02T10:00:00.123456789Z"),
        "young": _inspected("archive", "2026-01-03T10:00:00.123456789Z"),
        "never": _inspected("archive", created="2026-01-01T00:00:00.1Z"),
        "new": _inspected("archive", created="2026-01-03T12:00:00.1Z"),
        "foreign": _inspected("other", "2020-01-01T00:00:00Z"),
        "gone": None,
    }
    removed = []

    def ask(method: str, path: str, body: bytes | None = None, **_: Any) -> engine.Answer:
        if path.startswith("/containers/json"):
            return engine.Answer(200, json.dumps([{"Id": name} for name in there]).encode())
        name = path.split("/")[2].split("?")[0]
        if method == "DELETE":
            removed.append(name)
            return engine.Answer(204, b"")
        found = there[name]
        return engine.Answer(200, found) if found else engine.Answer(404, b"{}")

    monkeypatch.setattr(engine, "ask", ask)
    before = prune._seconds("2026-01-03T00:00:00Z")
    assert prune.prune("archive", before) == removed == ["old", "never"]


def _proc(folder: Path, status: dict[str, str], mountinfo: list[str]) -> Path:
    (folder / "status").write_text("".join(f"{key}:\t{value}\n" for key, value in status.items()), "utf-8")
    (folder / "mountinfo").write_text("".join(line + "\n" for line in mountinfo), "utf-8")
    return folder


SEALED = {"Uid": "1000\t1000\t1000\t1000", "CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}
TMP = "2 1 0:2 / /tmp rw,nosuid,nodev,noexec - tmpfs tmpfs rw"


def test_a_process_as_the_baseline_has_it_is_silent(tmp_path: Path) -> None:
    assert list(canary.weaknesses(_proc(tmp_path, SEALED, ["1 0 0:1 / / ro - overlay overlay rw", TMP]))) == []


@pytest.mark.parametrize(
    ("changed", "mounts", "cis"),
    [
        ({"Uid": "0\t0\t0\t0"}, None, "4.1"),
        ({"CapEff": "00000000a80425fb"}, None, "5.4"),
        ({"CapBnd": "00000000a80425fb"}, None, "5.4"),
        ({"NoNewPrivs": "0"}, None, "5.26"),
        ({"Seccomp": "0"}, None, "5.22"),
        ({}, ["1 0 0:1 / / rw - overlay overlay rw", TMP], "5.13"),
        ({}, ["1 0 0:1 / / ro - overlay overlay rw"], "5.13"),
        ({}, ["1 0 0:1 / / ro - overlay overlay rw", TMP.replace(",noexec", "")], "5.13"),
    ],
)
def test_each_weakness_is_told_with_its_item(
    tmp_path: Path, changed: dict[str, str], mounts: list[str] | None, cis: str
) -> None:
    mounts = mounts or ["1 0 0:1 / / ro - overlay overlay rw", TMP]
    (found,) = canary.weaknesses(_proc(tmp_path, SEALED | changed, mounts))
    assert found.cis == cis
    assert f"(CIS {cis})" in str(found)
    assert "hardening.yaml" in found.remedy or "seccomp" in found.remedy


RW = frozenset({"rw"})
STORE = canary.Mount("/var/lib/docker/volumes/archive_store/_data", "/data/store", RW)


def test_the_upload_folder_belongs_to_other_people_and_is_no_weakness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary.os, "access", lambda *_: False)
    uploads = canary.Mount("/srv/scans", "/data/uploads", RW)
    assert len(list(canary.unwritable([uploads], 1000))) == 1
    monkeypatch.setenv("UPLOADS_DIR", "/data/uploads")
    assert list(canary.unwritable([uploads], 1000)) == []


def test_a_volume_that_cannot_be_written_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary.os, "access", lambda *_: False)
    monkeypatch.setenv("ARCHIVE_IMAGE", "a:1")
    read_only = canary.Mount("/var/lib/docker/volumes/archive_models/_data", "/app/models", frozenset({"ro"}))
    (found,) = canary.unwritable([STORE, read_only, canary.Mount("/", "/", RW)], 1000)
    assert found.command == (
        "docker run --rm --user 0 --entrypoint chown -v archive_store:/volume a:1 -R 1000:1000 /volume"
    )
    assert str(found).endswith(f"On the host: {found.command}")


@pytest.mark.parametrize(
    "root",
    ["/", "/srv/u", "/exports/store", "/volumes/_data", "/volumes/../_data", "/volumes/-v/_data", "/volumes/a b/_data"],
)
def test_no_command_is_made_from_a_mount_that_is_no_named_volume(monkeypatch: pytest.MonkeyPatch, root: str) -> None:
    monkeypatch.setattr(canary.os, "access", lambda *_: False)
    (found,) = canary.unwritable([canary.Mount(root, "/data/store", RW)], 1000)
    assert found.command == ""
    assert "chown" not in str(found)
    assert "must belong to 1000:1000" in str(found)


class _Entry:
    """What a folder holds, as it may be found."""

    def __init__(self, found: int | OSError) -> None:
        self.found = found

    def stat(self, **_: Any) -> Any:
        if isinstance(self.found, OSError):
            raise self.found
        return SimpleNamespace(st_uid=self.found)


@pytest.mark.parametrize(
    ("entry", "told"),
    [(1000, 0), (0, 1), (FileNotFoundError(2, "gone"), 0), (PermissionError(13, "no"), 1), (OSError(116, "stale"), 1)],
)
def test_what_changes_while_a_volume_is_looked_at_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, entry: int | OSError, told: int
) -> None:
    monkeypatch.setattr(canary.os, "access", lambda *_: True)
    monkeypatch.setattr(canary.os, "scandir", lambda _: nullcontext([_Entry(entry)]))
    assert len(list(canary.unwritable([STORE], 1000))) == told


def test_a_volume_that_cannot_be_listed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(canary.os, "access", lambda *_: True)
    monkeypatch.setattr(canary.os, "scandir", refuse)
    (found,) = canary.unwritable([STORE], 1000)
    assert "/data/store cannot be written" in str(found)


@pytest.mark.parametrize("problem", [FileNotFoundError(2, "no mountinfo"), KeyError("/"), ValueError("no number")])
def test_a_look_that_fails_keeps_no_container_from_starting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], problem: Exception
) -> None:
    def fail() -> None:
        raise problem

    became: list[list[str]] = []
    monkeypatch.setattr(start, "weaknesses", fail)
    monkeypatch.setattr(start, "fill_in", lambda *_: None)
    monkeypatch.setattr(start.os, "execvp", lambda _, command: became.append(command))
    start.main(["true"])
    assert became == [["true"]]
    assert "WARNING: this container could not be looked at" in capsys.readouterr().err


def test_a_run_container_knows_its_image() -> None:
    assert f"ARCHIVE_IMAGE={DEPLOYMENT.image}" in good()["Env"]


def test_the_code_location_of_documents_hears_what_its_runs_are_told() -> None:
    services = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))["services"]
    heard = services["documents"]["environment"].keys()
    told = {"surya_url": "http://surya:8080/v1", "results_url": "http://127.0.0.1:3080"}
    profile = read_profiles(ROOT / "docker", DEPLOYMENT.model_copy(update=told))["documents"]
    names = {each.partition("=")[0] for each in profile.body(run_id=RUN, job="documents_job", arguments="{}")["Env"]}
    # A plan of the night would else be one that no run follows: ever again, the same documents.
    assert (names & {str(field.validation_alias) for field in Settings.model_fields.values()}) - {
        "ARCHIVE_WORKERS"
    } <= heard


def test_folders_of_libraries_are_set_where_unset_or_empty_and_none_is_below_the_home() -> None:
    environment = {"HTRMOPO_DIR": "", "HF_HOME": "/mine", "HOME": "/home/ocr"}
    fill_in(environment, Path("/app/models"), Path("/app/cache"))
    assert environment["HTRMOPO_DIR"] == "/app/models/.htrmopo"
    assert environment["HF_HOME"] == "/mine"
    for name, folder in library_folders(Path("/app/models"), Path("/app/cache")).items():
        assert environment[name] in (str(folder), "/mine")
        assert not environment[name].startswith("/home")


def test_the_dockerfile_sets_the_same_folders() -> None:
    text = (ROOT / "docker" / "Dockerfile").read_text("utf-8")
    for name, folder in library_folders(Path("/app/models"), Path("/app/cache")).items():
        assert f" {name}={folder}" in text


def test_the_docs_have_every_value_of_a_deployment() -> None:
    text = (ROOT / "docs" / "DEPLOYMENT.md").read_text("utf-8")
    for field in Deployment.model_fields.values():
        assert any(
            line.startswith(f"| `{field.validation_alias}` |") and line.endswith(f"| {field.description} |")
            for line in text.splitlines()
        ), field.validation_alias


def test_what_starts_by_itself_and_when_can_be_set_for_containers() -> None:
    services = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text("utf-8"))["services"]
    given = services["documents"]["environment"]
    docs = (ROOT / "docs" / "DEPLOYMENT.md").read_text("utf-8")
    for name in ("quiet_seconds", "batch", "refused_notes", "night", "night_end", "timezone"):
        variable = str(Settings.model_fields[name].validation_alias)
        assert given[variable] == f"${{{variable}:-}}"
        assert f"`{variable}`" in docs


def test_a_refusal_names_the_key_and_not_what_it_held() -> None:
    with pytest.raises(LaunchRefused) as refused:
        checked_body(json.dumps({**good(), "User": "\x1b[31mroot"}).encode(), PROFILES)
    assert "User is not as the profile documents has it" in refused.value.what
    assert "\x1b" not in str(refused.value)
