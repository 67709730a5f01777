#!/usr/bin/env bash
# Start an installation and say where it is: docker/up.sh production
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
environment=${1:?development, staging or production}
configured() { "$here/compose.sh" "$environment" config --format json | python3 -c "import json, sys; c = json.load(sys.stdin)['services']; print($1)"; }
image=$(configured "c['daemon']['image']")
uploads=$(configured "c['daemon']['environment']['ARCHIVE_UPLOADS']")
# The one of development lies in the checkout. Another one that is missing may be a mistyped name: Compose says so.
[[ $environment != development ]] || mkdir -p "$uploads"
docker image inspect "$image" >/dev/null 2>&1 || "$here/build.sh"
"$here/compose.sh" "$environment" up -d --wait
echo "Dagster's UI: http://127.0.0.1:$(configured "c['webserver']['ports'][0]['published']") · drop scans into $uploads"
