"""A host beyond this one, so that a way out can be told from none: a network namespace with a web server.

An address that nobody answers at would prove nothing, and the host's own addresses can be reached from everywhere.
"""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_SPACE, _HERE, _THERE = "archive-outside", "archive-out0", "archive-out1"
# Addresses for documentation (RFC 5737): nobody has them.
_GATEWAY, _HOST, _PORT = "198.51.100.1", "198.51.100.2", 8000

# Not http.server's own command: it looks its name up first, and there is nobody to ask.
_SERVER = """
import functools, http.server, socketserver, sys
host, port, folder = sys.argv[1:]
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
with socketserver.ThreadingTCPServer((host, int(port)), handler) as server:
    server.serve_forever()
"""


@dataclass(frozen=True)
class Outside:
    """The other host; its web server serves a folder."""

    host: str
    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


def _run(*command: str, check: bool = True) -> None:
    subprocess.run(command, check=check, capture_output=True)


@contextmanager
def outside_host(folder: Path) -> Iterator[Outside]:
    """The other host, while it is needed. Needs root and iproute2."""
    _run("ip", "netns", "del", _SPACE, check=False)
    _run("ip", "link", "del", _HERE, check=False)
    _run("ip", "netns", "add", _SPACE)
    try:
        _run("ip", "link", "add", _HERE, "type", "veth", "peer", "name", _THERE)
        _run("ip", "link", "set", _THERE, "netns", _SPACE)
        _run("ip", "address", "add", f"{_GATEWAY}/30", "dev", _HERE)
        _run("ip", "link", "set", _HERE, "up")
        inside = ("ip", "netns", "exec", _SPACE)
        _run(*inside, "ip", "address", "add", f"{_HOST}/30", "dev", _THERE)
        _run(*inside, "ip", "link", "set", _THERE, "up")
        _run(*inside, "ip", "route", "add", "default", "via", _GATEWAY)
        server = [sys.executable, "-c", _SERVER, _HOST, str(_PORT), str(folder)]
        with subprocess.Popen([*inside, *server], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                outside = Outside(_HOST, _PORT, folder)
                _wait(outside)
                yield outside
            finally:
                process.terminate()
    finally:
        _run("ip", "netns", "del", _SPACE, check=False)


def _wait(outside: Outside) -> None:
    for _ in range(50):
        with suppress(urllib.error.URLError, TimeoutError), urllib.request.urlopen(outside.url, timeout=1):
            return
        time.sleep(0.2)
    raise AssertionError("the host outside does not answer")
