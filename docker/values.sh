# Sourced by the scripts beside it: the values of one installation.
#
# value NAME: what the environment says, else docker/<environment>.local.env (yours, not in git), else
# docker/<environment>.env; without the quotes around it.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
die() { echo "$*" >&2; exit 2; }
environment=${1:-}
[[ $environment =~ ^[a-z]+$ && -r $here/$environment.env ]] ||
  die "There is no installation ${environment:-without a name}: it is development, staging or production."
files=("$here/$environment.env")
[[ ! -r $here/$environment.local.env ]] || files+=("$here/$environment.local.env")
value() {
  local found=${!1:-}
  [[ -n $found ]] || found=$(cat "${files[@]}" | sed -n "s/^$1=//p" | tail -n 1)
  [[ ! $found =~ ^\"(.*)\"$ && ! $found =~ ^\'(.*)\'$ ]] || found=${BASH_REMATCH[1]}
  printf '%s' "$found"
}
docker=${DOCKER:-docker}
