#!/bin/sh
# PostgreSQL for Dagster. Every start gives the one role the password in $pgpass, which is made when it is missing: to
# change the password, remove the file and restart all services.
set -eu
umask 077
pgpass=/run/pgpass/pgpass
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH

if [ ! -s "$pgpass" ]; then
  password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
  printf 'postgres:5432:*:dagster:%s\n' "$password" >"$pgpass.tmp"
  mv "$pgpass.tmp" "$pgpass"
fi
password=$(cut -d: -f5 "$pgpass")

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -n "$(ls -A "$PGDATA" 2>/dev/null)" ]; then
    echo "$PGDATA holds something that is no database: put the backup back, or empty the volume 'database'." >&2
    exit 1
  fi
  # Under another name until it is whole: a kill in between leaves nothing that looks like a cluster.
  rm -rf "$PGDATA.new"
  initdb -D "$PGDATA.new" -U postgres -E UTF8 --no-locale --auth=reject >/dev/null
  # One role for one database, and no superuser: what takes over a run cannot start programs here.
  echo 'host dagster dagster all scram-sha-256' >"$PGDATA.new/pg_hba.conf"
  printf 'CREATE ROLE dagster LOGIN\nCREATE DATABASE dagster OWNER dagster\n' |
    postgres --single -D "$PGDATA.new" postgres >/dev/null
  if [ -d "$PGDATA" ]; then rmdir "$PGDATA"; fi
  mv "$PGDATA.new" "$PGDATA"
fi
# No server runs yet, so nobody else can be here; what is wrong shows when the server starts.
printf "ALTER ROLE dagster PASSWORD '%s'\n" "$password" | postgres --single -D "$PGDATA" postgres >/dev/null
# exec: the server is to get the signal itself.
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c max_connections=200 "$@"
