#!/usr/bin/env bash
# Start an installation and say where it is: docker/up.sh production
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
environment=${1:?development, staging or production}
value() { sed -n "s/^$1=//p" "$here/$environment.env"; }
image=${ARCHIVE_IMAGE:-$(value ARCHIVE_IMAGE)}
uploads=$(realpath -m "${ARCHIVE_UPLOADS:-$here/../archive-data/uploads}")
mkdir -p "$uploads"
docker image inspect "$image" >/dev/null 2>&1 || "$here/build.sh"
"$here/compose.sh" "$environment" up -d --wait
echo "Dagster's UI: http://127.0.0.1:${ARCHIVE_PORT:-$(value ARCHIVE_PORT)} · drop scans into $uploads"
