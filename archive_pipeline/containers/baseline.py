"""The hardening list as the engine's interface wants it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

HARDENING = "hardening.yaml"


class _Logging(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    driver: str
    options: dict[str, str]


class Baseline(BaseModel):
    """The service ``baseline`` of ``docker/hardening.yaml``. A line that this class does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    user: str
    read_only: bool
    cap_drop: list[str]
    security_opt: list[str]
    tmpfs: list[str]
    pids_limit: int
    ulimits: dict[str, int]
    init: bool
    ipc: str
    stop_grace_period: str
    restart: str
    logging: _Logging

    @classmethod
    def read(cls, folder: Path) -> Baseline:
        """Read the list from the folder that it lies in."""
        text = (folder / HARDENING).read_text(encoding="utf-8")
        return cls.model_validate(yaml.safe_load(text)["services"]["baseline"])

    @property
    def stop_seconds(self) -> int:
        """How long a container has from the request to stop to the kill."""
        match = re.fullmatch(r"(\d+)s", self.stop_grace_period)
        if match is None:
            raise ValueError(f"stop_grace_period is in whole seconds, not {self.stop_grace_period!r}")
        return int(match[1])

    def container(self) -> dict[str, Any]:
        """The keys of a create body beside HostConfig."""
        return {"User": self.user, "StopTimeout": self.stop_seconds}

    def host_config(self) -> dict[str, Any]:
        """The keys of HostConfig that this list gives; run containers are never restarted."""
        return {
            "ReadonlyRootfs": self.read_only,
            "CapDrop": self.cap_drop,
            "SecurityOpt": self.security_opt,
            "Tmpfs": dict(mount.split(":", 1) for mount in self.tmpfs),
            "PidsLimit": self.pids_limit,
            "Ulimits": [{"Name": name, "Soft": limit, "Hard": limit} for name, limit in self.ulimits.items()],
            "Init": self.init,
            "IpcMode": self.ipc,
            "LogConfig": {"Type": self.logging.driver, "Config": self.logging.options},
            "RestartPolicy": {"Name": "no"},
        }
