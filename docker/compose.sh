#!/usr/bin/env bash
# Compose with the values of one installation: docker/compose.sh production ps
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
environment=${1:?development, staging or production}
shift
[[ -r $here/$environment.env ]] ||
  { echo "There is no installation $environment: it is development, staging or production." >&2; exit 2; }
# Absolute, since run containers get it by another way than Compose; in the file it is relative to the file.
ARCHIVE_UPLOADS=${ARCHIVE_UPLOADS:+$(realpath -m "$ARCHIVE_UPLOADS")}
ARCHIVE_UPLOADS=${ARCHIVE_UPLOADS:-$(cd "$here" && realpath -m "$(sed -n 's/^ARCHIVE_UPLOADS=//p' "$environment.env")")}
DOCKER_SOCKET=${DOCKER_SOCKET:-/var/run/docker.sock}
DOCKER_GID=${DOCKER_GID:-$(stat -c %g "$DOCKER_SOCKET" 2>/dev/null || echo 0)}
export ARCHIVE_UPLOADS DOCKER_SOCKET DOCKER_GID
exec "${DOCKER:-docker}" compose --env-file "$here/$environment.env" -f "$here/compose.yaml" "$@"
