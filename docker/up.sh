#!/usr/bin/env bash
# Start an installation and say where it is: docker/up.sh production
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/values.sh"
configured() { "$here/compose.sh" "$environment" config --format json | python3 -c "import json, sys; c = json.load(sys.stdin)['services']; print($1)"; }
uploads=$(configured "c['daemon']['environment']['ARCHIVE_UPLOADS']")
truths=$(configured "c['daemon']['environment']['ARCHIVE_GROUND_TRUTH']")
# Those of development lie in the checkout. Another one that is missing may be a mistyped name.
[[ $environment != development ]] || mkdir -p "$uploads" "$truths"
[[ -d $uploads ]] || die "There is no upload folder $uploads: sudo install -d -o 1000 -g 1000 '$uploads', or set ARCHIVE_UPLOADS."
[[ -d $truths ]] || die "There is no folder for ground truth $truths: sudo install -d -o 1000 -g 1000 '$truths', or set ARCHIVE_GROUND_TRUTH."
ids=()
for name in ARCHIVE_IMAGE POSTGRES_IMAGE; do
  image=$(value "$name")
  "$docker" image inspect "$image" >/dev/null 2>&1 || "$here/build.sh" "$environment"
  # By its id: a tag that is given to another image later must not change what the next run of this installation is.
  ids+=("$name=$("$docker" image inspect --format '{{.Id}}' "$image")")
done
surya=$(value SURYA_IMAGE)
if [[ -n $surya ]]; then
  "$docker" image inspect "$surya" >/dev/null 2>&1 || die "There is no image $surya on this host: docker pull it by its digest (docs/surya.md), or leave SURYA_IMAGE out."
  ids+=("SURYA_IMAGE=$("$docker" image inspect --format '{{.Id}}' "$surya")")
fi
# Only now: an image is built under its name.
export "${ids[@]}"
"$here/compose.sh" "$environment" up -d --wait
echo "Dagster's UI: http://127.0.0.1:$(configured "c['webserver']['ports'][0]['published']") · results: $(configured "c['results']['environment']['ARCHIVE_RESULTS_URL']") · drop scans into $uploads"
