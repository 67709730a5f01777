"""A second installation in the same place is refused before anything of it starts."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from archive_pipeline.cli.alone import require_alone, require_free
from archive_pipeline.errors import UsageError


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} of 127.0.0.1 cannot be had"):
            require_free("127.0.0.1", port)
    require_free("127.0.0.1", port)


def test_a_daemon_that_uses_the_same_instance_is_named_with_what_to_do(tmp_path: Path) -> None:
    require_alone(tmp_path)
    # Its command line is what it is known by, as what a killed ui leaves behind.
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)", "dagster._daemon"],
        env=os.environ | {"DAGSTER_HOME": str(tmp_path)},
    ) as daemon:
        try:
            with pytest.raises(UsageError, match=f"process {daemon.pid}") as refused:
                require_alone(tmp_path)
            assert f"kill {daemon.pid}" in refused.value.remedy
            require_alone(tmp_path / "another")
        finally:
            daemon.kill()
