"""Cheap health checks: Dagster's own commands import all of Dagster every few seconds.

python -m archive_pipeline.containers.healthcheck gate|code|webserver|results
"""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Callable

from archive_pipeline.containers import engine


def _gate() -> bool:
    return engine.ask("GET", "/_ping", at="/run/gate/docker.sock", timeout=5).status == 200


def _code() -> bool:
    import grpc
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
    from grpc_health.v1.health_pb2_grpc import HealthStub

    # The name under which Dagster's server reports.
    request = HealthCheckRequest(service="DagsterApi")
    with grpc.insecure_channel("127.0.0.1:4000") as channel:
        try:
            answer = HealthStub(channel).Check(request, timeout=5)
        except grpc.RpcError as error:
            print(error, file=sys.stderr)
            return False
    return bool(answer.status == HealthCheckResponse.SERVING)


def _webserver() -> bool:
    with urllib.request.urlopen("http://127.0.0.1:3000/server_info", timeout=5) as answer:
        return bool(answer.status == 200)


def _results() -> bool:
    with urllib.request.urlopen("http://127.0.0.1:3080/_static/style.css", timeout=5) as answer:
        return bool(answer.status == 200)


_CHECKS: dict[str, Callable[[], bool]] = {"gate": _gate, "code": _code, "webserver": _webserver, "results": _results}

if __name__ == "__main__":
    try:
        sys.exit(0 if _CHECKS[sys.argv[1]]() else 1)
    except OSError as problem:
        sys.exit(f"not healthy: {problem}")
