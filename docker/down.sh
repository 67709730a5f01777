#!/usr/bin/env bash
# Stop an installation, runs under way too; what is in volumes stays: docker/down.sh production
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/values.sh"
# First who starts runs, then the runs (they finish the pages under way), then what they need.
"$here/compose.sh" "$environment" stop daemon webserver
mapfile -t runs < <("$docker" ps -aq --filter label=archive.role=run --filter "label=archive.project=$(value ARCHIVE_PROJECT)")
if ((${#runs[@]})); then
  "$docker" stop "${runs[@]}" >/dev/null
  # They keep volumes in use.
  "$docker" rm "${runs[@]}" >/dev/null
fi
"$here/compose.sh" "$environment" down --remove-orphans
