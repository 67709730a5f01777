#!/usr/bin/env bash
# Build both images of an installation: docker/build.sh production
#
# The host's pip settings and certificates go in as build secrets only, never into a layer.
#
# Environment: BASE_IMAGE (default: see the Dockerfile), EXTRA_INDEX_URL, WORD_LISTS, DOCKER, proxies, pip's own
# variables.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/values.sh"
cd "$here/.."
# BuildKit comes with newer clients as the plugin buildx; the one of Debian carries it.
if ! "$docker" buildx version >/dev/null 2>&1 && [[ -x /usr/bin/docker ]]; then docker=/usr/bin/docker; fi
"$docker" version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
  { echo "No Docker engine answers. Install and start one (docs/DEPLOYMENT.md), then try again." >&2; exit 1; }
export DOCKER_BUILDKIT=1
secret=$(mktemp)
trap 'rm -f "$secret"' EXIT
for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT; do
  [[ -z ${!name:-} ]] || printf '%s=%q\n' "$name" "${!name}" >>"$secret"
done
for ca in "${PIP_CERT:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /dev/null; do
  [[ ! -r $ca ]] || break
done
arguments=()
# Docker keeps these build arguments out of the image and its history.
for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy; do
  [[ -z ${!name:-} ]] || arguments+=(--build-arg "$name")
done
[[ -z ${BASE_IMAGE:-} ]] || arguments+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
[[ -z ${EXTRA_INDEX_URL:-} ]] || arguments+=(--build-arg "EXTRA_INDEX_URL=$EXTRA_INDEX_URL")
[[ -z ${WORD_LISTS:-} ]] || arguments+=(--build-arg "WORD_LISTS=$WORD_LISTS")
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
build() { # target, name
  "$docker" build -q -f docker/Dockerfile --target "$1" -t "$2" "${arguments[@]}" \
    --build-arg "VERSION=$version" --secret "id=ca,src=$ca" --secret "id=pip,src=$secret" . >/dev/null
  printf '%s: %s MB\n' "$2" "$(($("$docker" image inspect --format '{{.Size}}' "$2") / 1000000))"
}
build postgres "$(value POSTGRES_IMAGE)"
build archive "$(value ARCHIVE_IMAGE)"
