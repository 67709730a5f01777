"""Read, inside a container, what holds there; prints JSON. Standard library only.

What is read are all processes of the container, not this one alone: /proc/PID of each.
"""

import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path


def processes():
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            lines = (folder / "status").read_text().splitlines()
        except OSError:
            continue
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        # A health check that the engine is about to start in here; it becomes one of ours with its next step.
        if status["Name"].startswith("runc"):
            continue
        wanted = ("Name", "Uid", "Gid", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")
        found.append({key: status[key] for key in wanted})
    return found


def mounts():
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ", 1)
        fields = left.split()
        found[fields[4]] = {"type": right.split(" ")[0], "options": fields[5].split(","), "super": right.split(" ")[2]}
    return found


def cgroup(*names):
    for name in names:
        try:
            return Path("/sys/fs/cgroup", name).read_text().strip()
        except OSError:
            continue
    return None


def attempt(act):
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    return "succeeded"


def write(folder):
    path = Path(folder, f".probe-{os.getpid()}")

    def act():
        path.write_text("x")
        path.unlink()

    return attempt(act)


def execute(folder):
    path = Path(folder, f"probe-{os.getpid()}.sh")

    def act():
        path.write_text("#!/bin/sh\nexit 0\n")
        path.chmod(0o700)
        try:
            subprocess.run([str(path)], check=True)
        finally:
            path.unlink()

    return attempt(act)


def connect(host, port):
    return attempt(lambda: socket.create_connection((host, port), timeout=3).close())


print(
    json.dumps(
        {
            "processes": processes(),
            "mounts": mounts(),
            "write": {folder: write(folder) for folder in ("/", "/usr", "/etc", "/opt", "/tmp", "/var/tmp", "/home")},
            "execute": {folder: execute(folder) for folder in ("/tmp", "/dev/shm")},
            "memory": cgroup("memory/memory.limit_in_bytes", "memory.max"),
            "swap": cgroup("memory/memory.memsw.limit_in_bytes", "memory.swap.max"),
            "pids": cgroup("pids/pids.max", "pids.max"),
            "cpu": [cgroup("cpu/cpu.cfs_quota_us"), cgroup("cpu/cpu.cfs_period_us"), cgroup("cpu.max")],
            "core": [
                line.split()[4:6] for line in Path("/proc/self/limits").read_text().splitlines() if "core" in line
            ],
            "sockets": [path for path in ("/var/run/docker.sock", "/run/docker.sock") if Path(path).exists()],
            "connect": {
                "outside": connect(sys.argv[1], int(sys.argv[2])),
                "postgres": connect("postgres", 5432),
                "webserver": connect("webserver", 3000),
                "documents": connect("documents", 4000),
                "models": connect("models", 4000),
            },
            "environment": sorted(os.environ),
            "home": Path("/home/ocr").exists(),
        }
    )
)
