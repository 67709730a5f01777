#!/usr/bin/env bash
# Compose with the values of one installation: docker/compose.sh production ps
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/values.sh"
shift
# Absolute, since run containers get it by another way than Compose. In a file it is relative to the file.
folder() {
  local found
  found=$(value "$1")
  [[ -n $found ]] || die "$1 is not set: the folder of this host that $2 dropped into."
  [[ -n ${!1:-} ]] || cd "$here"
  realpath -m "$found"
}
ARCHIVE_UPLOADS=$(folder ARCHIVE_UPLOADS "scans are")
ARCHIVE_GROUND_TRUTH=$(folder ARCHIVE_GROUND_TRUTH "ground truth is")
DOCKER_SOCKET=$(value DOCKER_SOCKET)
DOCKER_SOCKET=${DOCKER_SOCKET:-/var/run/docker.sock}
DOCKER_GID=$(value DOCKER_GID)
DOCKER_GID=${DOCKER_GID:-$(stat -c %g "$DOCKER_SOCKET" 2>/dev/null)} ||
  die "There is no engine's socket at $DOCKER_SOCKET: start Docker, or set DOCKER_SOCKET."
export ARCHIVE_UPLOADS ARCHIVE_GROUND_TRUTH DOCKER_SOCKET DOCKER_GID
# A server for surya's model is there where its image is named: docs/surya.md.
SURYA_IMAGE=$(value SURYA_IMAGE)
SURYA_INFERENCE_URL=$(value SURYA_INFERENCE_URL)
if [[ -n $SURYA_IMAGE ]]; then
  export COMPOSE_PROFILES=surya SURYA_IMAGE
  SURYA_INFERENCE_URL=${SURYA_INFERENCE_URL:-http://surya:8080/v1}
fi
export SURYA_INFERENCE_URL
options=()
for file in "${files[@]}"; do options+=(--env-file "$file"); done
exec "$docker" compose "${options[@]}" -f "$here/compose.yaml" "$@"
