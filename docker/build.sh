#!/usr/bin/env bash
# Build both images. The host's pip settings and certificates go in as build secrets only, never into a layer.
#
# Environment: ARCHIVE_IMAGE, POSTGRES_IMAGE (names to give), BASE_IMAGE (default: see the Dockerfile), DOCKER.
set -euo pipefail
cd "$(dirname "$0")/.."
docker=${DOCKER:-docker}
# BuildKit comes with newer clients as the plugin buildx; the one of Debian carries it.
if ! "$docker" buildx version >/dev/null 2>&1 && [[ -x /usr/bin/docker ]]; then docker=/usr/bin/docker; fi
"$docker" version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
  { echo "No Docker engine answers. Install and start one (docs/DEPLOYMENT.md), then try again." >&2; exit 1; }
export DOCKER_BUILDKIT=1
secret=$(mktemp)
trap 'rm -f "$secret"' EXIT
for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT HTTP_PROXY HTTPS_PROXY NO_PROXY; do
  [[ -z ${!name:-} ]] || printf '%s=%q\n' "$name" "${!name}" >>"$secret"
done
ca=${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}
[[ -r $ca ]] || ca=/dev/null
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
build() { # target, name
  "$docker" build -q -f docker/Dockerfile --target "$1" -t "$2" ${BASE_IMAGE:+--build-arg "BASE_IMAGE=$BASE_IMAGE"} \
    ${EXTRA_INDEX_URL:+--build-arg "EXTRA_INDEX_URL=$EXTRA_INDEX_URL"} \
    --build-arg "VERSION=$version" --secret "id=ca,src=$ca" --secret "id=pip,src=$secret" . >/dev/null
  printf '%s: %s MB\n' "$2" "$(($("$docker" image inspect --format '{{.Size}}' "$2") / 1000000))"
}
build postgres "${POSTGRES_IMAGE:-archive-pipeline-postgres:$version}"
build archive "${ARCHIVE_IMAGE:-archive-pipeline:$version}"
