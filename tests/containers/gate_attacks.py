"""Bodies and calls that a gate must refuse, sent from inside the container that has its socket; prints JSON.

python - launch|stop OTHER_CONTAINER
"""

import http.client
import json
import os
import socket
import sys

from archive_pipeline.containers.gate import CONFIGURATION
from archive_pipeline.containers.profiles import read_profiles
from archive_pipeline.deployment import read_deployment

MODE, OTHER = sys.argv[1:3]
GATE = os.environ["DOCKER_HOST"].removeprefix("unix://")
CREATE = "/v1.41/containers/create"


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(GATE)


def ask(method, path, raw=None, headers=None):
    connection = Connection("gate", timeout=60)
    try:
        connection.request(method, path, raw, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (BrokenPipeError, ConnectionResetError):
        return "closed", ""  # the gate does not read to the end what is too long
    finally:
        connection.close()


PROFILES = read_profiles(CONFIGURATION, read_deployment())
GOOD = PROFILES["documents"].body(
    run_id="00000000-0000-4000-8000-000000000000", job="documents_job", arguments='{"__class__": "ExecuteRunArgs"}'
)


def body(host=None, without=(), **top):
    changed = {**GOOD, **top, "HostConfig": {**GOOD["HostConfig"], **(host or {})}}
    for key in without:
        (changed if key in changed else changed["HostConfig"]).pop(key)
    return json.dumps(changed)


def mounts(*more):
    return {"Mounts": [*GOOD["HostConfig"]["Mounts"], *more]}


TEXT = json.dumps(GOOD)
ROOT = {"Type": "bind", "Source": "/", "Target": "/host", "ReadOnly": False}
WRITABLE = [{**mount, "ReadOnly": False} for mount in GOOD["HostConfig"]["Mounts"]]
OTHER_VOLUMES = PROFILES["models"].body(
    run_id="00000000-0000-4000-8000-000000000000", job="models_job", arguments="{}"
)["HostConfig"]["Mounts"]
BODIES = {
    "privileged": body({"Privileged": True}),
    "uid 0": body(User="0"),
    "uid left out": body(without=["User"]),
    "a root group": body({"GroupAdd": ["0"]}),
    "another image": body(Image="archive-pipeline-postgres:under-test"),
    "the same image by another tag": body(Image=GOOD["Image"] + "-old"),
    "Binds of the host": body({"Binds": ["/:/host"]}),
    "Binds of the socket": body({"Binds": ["/var/run/docker.sock:/s"]}),
    "Mounts of the host": body(mounts(ROOT)),
    "Mounts made writable": body({"Mounts": WRITABLE}),
    "Mounts of the other profile": body({"Mounts": OTHER_VOLUMES}),
    "Mounts with a driver": body(
        mounts(
            {
                "Type": "volume",
                "Target": "/h",
                "VolumeOptions": {
                    "DriverConfig": {"Name": "local", "Options": {"type": "none", "o": "bind", "device": "/"}}
                },
            }
        )
    ),
    "VolumesFrom": body({"VolumesFrom": [OTHER]}),
    "Devices": body({"Devices": [{"PathOnHost": "/dev/vda", "PathInContainer": "/d", "CgroupPermissions": "rwm"}]}),
    "DeviceCgroupRules": body({"DeviceCgroupRules": ["b 8:* rwm"]}),
    "DeviceRequests": body({"DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}]}),
    "PidMode host": body({"PidMode": "host"}),
    "PidMode of another": body({"PidMode": f"container:{OTHER}"}),
    "IpcMode host": body({"IpcMode": "host"}),
    "UTSMode host": body({"UTSMode": "host"}),
    "UsernsMode host": body({"UsernsMode": "host"}),
    "CgroupnsMode host": body({"CgroupnsMode": "host"}),
    "NetworkMode host": body({"NetworkMode": "host"}),
    "NetworkMode of the other profile": body(
        {"NetworkMode": GOOD["HostConfig"]["NetworkMode"].replace("documents", "models")}
    ),
    "a second network": body(NetworkingConfig={"EndpointsConfig": {"bridge": {}}}),
    "Runtime": body({"Runtime": "runc-other"}),
    "CapAdd": body({"CapAdd": ["SYS_ADMIN"]}),
    "no CapDrop": body(without=["CapDrop"]),
    "seccomp unconfined": body({"SecurityOpt": ["no-new-privileges:true", "seccomp=unconfined"]}),
    "no SecurityOpt": body({"SecurityOpt": []}),
    "writable root": body({"ReadonlyRootfs": False}),
    "root left out": body(without=["ReadonlyRootfs"]),
    "tmp that executes": body({"Tmpfs": {"/tmp": "rw,exec"}}),
    "a second tmpfs": body({"Tmpfs": {**GOOD["HostConfig"]["Tmpfs"], "/opt": "rw,exec"}}),
    "memory without limit": body({"Memory": 0}),
    "swap": body({"MemorySwap": -1}),
    "processes without limit": body({"PidsLimit": -1}),
    "cpus without limit": body({"NanoCpus": 0}),
    "core files": body({"Ulimits": []}),
    "sysctls": body({"Sysctls": {"net.ipv4.ip_forward": "1"}}),
    "restarts": body({"RestartPolicy": {"Name": "always"}}),
    "unmasked /proc": body({"MaskedPaths": [], "ReadonlyPaths": []}),
    "another entrypoint": body(Entrypoint=["/bin/sh"]),
    "a shell as command": body(Cmd=["sh", "-c", "id"]),
    "a shell before the arguments": body(Cmd=["sh", "-c", "id", "{}"]),
    "a variable": body(Env=[*GOOD["Env"], "LD_PRELOAD=/data/store/x.so"]),
    "a changed variable": body(Env=["ARCHIVE_WORKERS=2", "DAGSTER_RUN_JOB_NAME=x\nLD_PRELOAD=/x"]),
    "no label": body(Labels={}),
    "a label of another location": body(Labels={**GOOD["Labels"], "archive.location": "host"}),
    "a label of another project": body(Labels={**GOOD["Labels"], "archive.project": "other"}),
    "a run id with a path": body(Labels={**GOOD["Labels"], "dagster/run_id": "../../x"}),
    "a published port": body({"PortBindings": {"80/tcp": [{"HostPort": "80"}]}}),
    "a working folder": body(WorkingDir="/data/store"),
    "a health check": body(Healthcheck={"Test": ["CMD", "sh"]}),
    "two keys": TEXT[:-1] + ', "HostConfig": {"Privileged": true}}',
    "two keys, the bad one first": '{"HostConfig": {"Privileged": true}, ' + TEXT[1:],
    "two keys inside": TEXT.replace('"ReadonlyRootfs"', '"Privileged": true, "Privileged": false, "ReadonlyRootfs"'),
    "another letter case": TEXT[:-1] + ', "hostconfig": {"privileged": true}}',
    "another letter case inside": TEXT.replace('"ReadonlyRootfs"', '"privileged": true, "ReadonlyRootfs"'),
    "a letter that folds to s": TEXT.replace('"ReadonlyRootfs"', '"Bind\u017f": ["/:/h"], "ReadonlyRootfs"'),
    "an escaped letter": TEXT.replace('"ReadonlyRootfs"', '"Privi\\u006ceged": true, "ReadonlyRootfs"'),
    "an escaped value": TEXT.replace('"1000:1000"', '"\\u0030"'),
    "a null": body({"CapDrop": None}),
    "true as 1": TEXT.replace('"ReadonlyRootfs": true', '"ReadonlyRootfs": 1'),
    "text for a number": body({"Memory": str(GOOD["HostConfig"]["Memory"])}),
    "not JSON": "{" + TEXT,
    "a list": "[" + TEXT + "]",
    "two documents": TEXT + TEXT,
    "NaN": TEXT.replace('"PidsLimit": 512', '"PidsLimit": NaN'),
    "deep nesting": "[" * 100_000,
    "nothing": "",
    "too long": " " * 300_000 + TEXT,
    "another charset": None,
}
results = {}
for name, text in BODIES.items():
    raw = TEXT.encode("utf-16") if text is None else text.encode()
    results[f"create: {name}"] = ask("POST", CREATE, raw)[0]
results["create: chunked"] = ask("POST", CREATE, iter([TEXT.encode()]), {"Transfer-Encoding": "chunked"})[0]
for path in ("?name=x", "?platform=linux/amd64", "?x"):
    results[f"create with {path}"] = ask("POST", CREATE + path, TEXT)[0]
for method, path in (
    ("GET", "/containers/json"),
    ("GET", f"/containers/{OTHER}/json"),
    ("GET", f"/containers/{OTHER}/json?size=1"),
    ("POST", f"/containers/{OTHER}/stop"),
    ("POST", f"/containers/{OTHER}/start"),
    ("POST", f"/containers/{OTHER}/kill"),
    ("POST", f"/containers/{OTHER}/update"),
    ("POST", f"/containers/{OTHER}/exec"),
    ("POST", f"/containers/{OTHER}/attach"),
    ("POST", f"/containers/{OTHER}/stop?t=99999999"),
    ("DELETE", f"/containers/{OTHER}"),
    ("GET", f"/containers/{OTHER}/archive?path=/"),
    ("GET", f"/containers/{OTHER}/logs"),
    ("GET", "/containers/../info"),
    ("GET", "/v1.41/containers/%2e%2e/info"),
    ("GET", f"/containers/{OTHER[:12]}%2fjson"),
    ("GET", "/info"),
    ("GET", "/version?x=1"),
    ("GET", "//info"),
    ("GET", "http://engine/info"),
    ("POST", "/images/create?fromImage=x"),
    ("POST", "/build"),
    ("POST", "/volumes/create"),
    ("POST", "/networks/create"),
    ("POST", "/swarm/init"),
    ("POST", "/commit"),
    ("POST", "/auth"),
    ("GET", "/events"),
    ("PUT", f"/containers/{OTHER}/archive"),
    ("PATCH", "/version"),
    ("POST", "/version"),
):
    results[f"{method} {path.replace(OTHER, 'OTHER')}"] = ask(method, path)[0]
good = ask("POST", CREATE, TEXT)
print(json.dumps({"refused": results, "good": good}))
